# make demo: both questions on a real pipeline.  make test: everything, with one summary.
# PYTHON: the interpreter that .venv is made with.  WORKERS: processes that the tests run in.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo run test lint format bench docs clean help

help:  ## Show what there is to make.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.demo  ## Start a server, run a real pipeline against it, ask both questions.
	@$(BIN)/lineage demo $(ARGS)

run: $(VENV)/.demo  ## Serve ./lineage-data.
	@$(BIN)/lineage serve $(ARGS)

test: $(VENV)/.dev  ## Run all tests. LINEAGE_REQUIRE=all turns skips into failures.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

lint: $(VENV)/.dev  ## Check style, types and layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Write the code as the formatter has it.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## Measure, which takes an hour or two; ARGS=--quick takes minutes and leaves the documents as they are.
	@$(BIN)/python bench/suite.py $(ARGS)
	@$(BIN)/python docs/benchmarks.py

docs: $(VENV)/.dev  ## Write the generated documents anew.
	$(BIN)/python -m lineage_graphql.export graphql/schema.graphql
	$(BIN)/python docs/generate.py

clean:  ## Remove what was made here, the data of demos apart.
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Lineage needs Python 3.11 or newer, and $(PYTHON) is not: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "This Python can't make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Lineage into $(VENV) …" >&2
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	@echo "Installing Lineage and its tools into $(VENV) …" >&2
	@$(PIP) install --editable '.[dev]'
	@touch $@ $(VENV)/.demo
