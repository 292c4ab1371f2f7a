# make run, make test: each sets everything up first. On Windows see the README's pip lines.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup run check test test-fast coverage soak clean

help: ## print this
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1#/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "make %-10s %s\n", $$1, $$2 }'

setup: ## prepare this checkout: .venv, system libraries, caches; all others do it first
	@$(PYTHON) tools/setup.py

run: setup ## open the workbench on the emulated bench
	@$(BIN)/python main.py

check: setup ## format, lint, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports --no-logo

test: check ## check, all tests, every branch of gate, guard and arming: under 15 minutes on two cores
	$(BIN)/python tools/test.py

test-fast: setup ## lint, and the tests that take no seconds and no whole bench: under 4 minutes, for daily work
	$(BIN)/ruff check --quiet .
	$(BIN)/python tools/test.py --fast

coverage: setup ## the branches that tests walk, of everything
	$(BIN)/python tools/test.py --coverage

soak: setup ## the long forms: hours
	$(BIN)/python tools/test.py --soak

clean: ## remove what setup and tests made
	rm -rf .venv .coverage .pytest_cache .ruff_cache .hypothesis mutants
