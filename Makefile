# Everything that is done with this project, each by one word.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= ./data
PYTHON ?= python3
export HARBOR_URL HARBOR_USERNAME HARBOR_PASSWORD HARBOR_CA_FILE
export REGISTRY_URL REGISTRY_USERNAME REGISTRY_PASSWORD REGISTRY_CA_FILE
VENV := .venv
BIN := $(VENV)/bin
# Twice as many as cores: for half of the time, tests wait.
TEST_WORKERS ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: help run demo console test test-live soak sameness check format lock schema migration benchmark clean test-servers

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## ?/\1\t/' | \
		awk -F'\t' '{ printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }'

run: $(VENV)/run.done console ## Start the server on its embedded default (HOST=, PORT=, DATA= change where)
	@INTEGRATED_REGISTRY_HOST="$(HOST)" INTEGRATED_REGISTRY_PORT="$(PORT)" INTEGRATED_REGISTRY_DATA="$(DATA)" \
		exec $(BIN)/integrated-registry serve

demo: $(VENV)/run.done console ## Start it with real registries on it, to look around; Ctrl-C leaves nothing behind
	@./tests/servers/install docker-registry
	@exec $(BIN)/python -m demo --host "$(HOST)" --port "$(PORT)"

console: ## Build GraphiQL, where Node 20.19 or later is at hand
	@./console/build

test: $(VENV)/develop.done console test-servers tests/clients/node_modules/.done ## Run everything there is, in parallel
	@$(BIN)/pytest -n $(TEST_WORKERS) --dist worksteal -m "not soak and not live"
	@$(MAKE) --no-print-directory check

test-live: $(VENV)/develop.done ## Try registries of yours (HARBOR_URL=, HARBOR_USERNAME=, HARBOR_PASSWORD=, or REGISTRY_URL=, …)
	@$(BIN)/pytest tests/contract -m live -rs

soak: $(VENV)/develop.done test-servers ## Run what takes long: hours of kills, thousands of registries
	@$(BIN)/pytest -m soak

sameness: $(VENV)/develop.done ## Hold the executor against graphql-core on tens of thousands of random cases
	@SAMENESS_CASES=20000 $(BIN)/pytest -n auto tests/execution/test_sameness.py

check: $(VENV)/develop.done ## Look for mistakes without running anything; edits nothing
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@if [ -d console/node_modules ]; then npm --prefix console run --silent check; fi

format: $(VENV)/develop.done ## Write the code as `check` wants it
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

lock: $(VENV)/develop.done ## Choose the newest dependencies anew and pin them with their hashes
	@compile() { $(BIN)/uv pip compile --quiet pyproject.toml --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header "$$@"; }; \
	compile -o requirements/run.lock; \
	compile --group develop -c requirements/run.lock -o requirements/develop.lock

schema: $(VENV)/run.done ## Write schema.graphql anew
	@$(BIN)/integrated-registry schema > .schema.new || { rm -f .schema.new; exit 1; }
	@mv .schema.new schema.graphql

migration: $(VENV)/run.done ## Write a migration from what changed in the models (NAME=what_it_does)
	@$(BIN)/tortoise -c models.migration_settings.TORTOISE_ORM makemigrations --name "$(or $(NAME),$(error Say what it does: make migration NAME=what_it_does))"

benchmark: $(VENV)/develop.done ## Measure what the speed claims rest on
	@$(BIN)/python -m benchmarks

clean: ## Remove what was built and installed here; the data folder stays
	@rm -rf $(VENV) console/node_modules console/dist tests/clients/node_modules

test-servers: ## Install the real servers that tests need, where that may be done (root on Debian)
	@./tests/servers/install

# The environment is made anew when a lock changes, and only then.
$(VENV)/run.done: requirements/run.lock pyproject.toml
	@./requirements/install $(PYTHON) $(VENV) requirements/run.lock
	@touch $@

$(VENV)/develop.done: requirements/develop.lock pyproject.toml
	@./requirements/install $(PYTHON) $(VENV) requirements/develop.lock
	@touch $@ $(VENV)/run.done

tests/clients/node_modules/.done: tests/clients/package-lock.json
	@if command -v npm > /dev/null; then npm --prefix tests/clients ci --silent && touch $@; \
	else echo "npm is missing: tests with the npm clients are skipped."; fi
