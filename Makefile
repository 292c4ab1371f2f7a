# make run, make test: each sets everything up first. On Windows see the README's pip lines.
PYTHON ?= python3
BIN := .venv/bin
AGAIN = $(MAKE)# by another name: `make -n` runs a line that names it

.PHONY: help setup run fleet check test test-fast test-long coverage docs soak clean

help: ## print this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1#/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "make %-10s %s\n", $$1, $$2 }'

setup: ## prepare this checkout: .venv, system libraries, caches; all others do it first
	@$(PYTHON) tools/setup.py

.PHONY: dev
dev:
	@$(PYTHON) tools/setup.py --dev

run: setup ## open the workbench on the emulated bench
	@$(BIN)/python main.py

.PHONY: servers
servers:
	@$(PYTHON) tools/setup.py --fleet

fleet: servers ## a whole fleet on this machine: broker, PostgreSQL, host, two edges, 98 light nodes; Ctrl-C ends it
	@$(BIN)/python main.py fleet demo

check: lint types ## format, lint, imports and types

.PHONY: lint types
lint: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

types: dev
	$(BIN)/basedpyright --level error

test: lint ## check, docs, the tests, every branch of gate, guard and arming: about 18 minutes on two cores
	$(BIN)/python tools/test.py --beside "nice -n 19 $(AGAIN) --no-print-directory -j2 types docs"

test-fast: dev ## lint, and the tests that take no seconds and no whole bench: under 4 minutes, for daily work
	$(BIN)/ruff check --quiet .
	$(BIN)/python tools/test.py --fast

test-long: dev ## whole benches and the long forms of studies, which make test leaves out: 20 minutes on two cores
	$(BIN)/python tools/test.py --long

coverage: dev ## the branches that tests walk, of everything
	$(BIN)/python tools/test.py --coverage

docs: dev ## the documentation as a site in out/docs; a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -j auto -b html docs out/docs

soak: dev ## the long forms, a fresh environment of each extra among them: hours
	$(BIN)/python tools/test.py --soak

clean: ## remove what setup and tests made
	rm -rf .venv .coverage .pytest_cache .ruff_cache .hypothesis out/docs
