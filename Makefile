# make demo: both questions on a real pipeline.  make test: everything, with one summary.
# PYTHON: the interpreter that .venv is made with.  WORKERS: processes that the tests run in.
# COMPOSE: what starts containers.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPOSE ?= docker compose
SECRETS := .secrets

.PHONY: demo run up down test lint format bench docs clean help

help:  ## Show what there is to make.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.demo  ## Start a server, run a real pipeline against it, ask both questions.
	@$(BIN)/lineage demo $(ARGS)

run: $(VENV)/.demo  ## Serve ./lineage-data.
	@$(BIN)/lineage serve $(ARGS)

up: $(SECRETS)/neo4j_auth  ## Start Lineage and Neo4j in containers, and wait until both are well.
	@$(COMPOSE) version > /dev/null || { \
	  echo "make up needs Docker and its compose plugin: https://docs.docker.com/compose/install/" >&2; exit 1; }
	@$(COMPOSE) up --detach --wait || { \
	  echo "Not all is well: $(COMPOSE) ps and $(COMPOSE) logs say more." >&2; exit 1; }
	@echo "Lineage is at http://127.0.0.1:8000, and asks everyone for a key, which is made so:"
	@echo "  $(COMPOSE) exec lineage lineage keys new NAME"
	@echo "Neo4j Browser is at http://127.0.0.1:7474: user neo4j, password in $(SECRETS)/neo4j_password"

down:  ## Stop both, and keep their data.
	@$(COMPOSE) down

test: $(VENV)/.dev  ## Run all tests. LINEAGE_REQUIRE=all turns skips into failures.
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

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

# The files are open to all, as each container reads them as a user of its own; the folder is open to its owner alone.
# Hexadecimal, as Neo4j takes no "/" in a password.
$(SECRETS)/neo4j_password:
	@mkdir -p $(SECRETS) && chmod 700 $(SECRETS)
	@password=$$(od -An -v -N24 -tx1 /dev/urandom | tr -d ' \n') && [ $${#password} -eq 48 ] && \
	  printf '%s\n' "$$password" > $@.new && chmod 644 $@.new && mv $@.new $@
	@echo "Made a password for Neo4j: $@" >&2

$(SECRETS)/neo4j_auth: $(SECRETS)/neo4j_password
	@[ -s $< ] && printf 'neo4j/%s\n' "$$(cat $<)" > $@.new && chmod 644 $@.new && mv $@.new $@
