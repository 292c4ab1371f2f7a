# make run, make test: each sets everything up first. On Windows see the README's pip lines.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup run check test coverage soak clean

setup:
	@$(PYTHON) tools/setup.py

run: setup
	@$(BIN)/python main.py

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --level error
	$(BIN)/lint-imports --no-logo

test: check
	$(BIN)/python tools/test.py

coverage: setup
	$(BIN)/python tools/test.py --coverage

soak: setup
	$(BIN)/python tools/test.py --soak

clean:
	rm -rf .venv .coverage .pytest_cache .ruff_cache .hypothesis mutants
