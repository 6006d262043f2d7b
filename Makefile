# Everything runs in the project's own .venv; `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TORCH := torch==2.13.0
N ?= 20

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help install demo test lint serve train bench chaos docs clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(STAMP) ## Build .venv with everything: service, training, agents, checks

$(STAMP): pyproject.toml constraints.txt hatch_build.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt hatchling editables
	$(BIN)/pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[train,agents,otel,dev]'
	@touch $@

demo: install ## The whole chain, end to end, with the real programs and no account
	@$(BIN)/python demo.py

test: install lint ## Every gate: lint, types, imports, tests, coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n 2 --dist loadfile --reruns 2
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: install ## Style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

serve: install ## Start the router service on 127.0.0.1:8787
	$(BIN)/router serve

train: install ## Train the shipped model again from data/ alone (encoder included; 20 to 45 minutes)
	$(BIN)/train-router --encoder finetune --base packaged --journal none

bench: install ## Measure speed against peers in the same run
	$(BIN)/python -m benchmarks

chaos: install ## Kill what belongs to runs, in N rounds of six sessions
	CHAOS_ROUNDS=$(N) $(BIN)/pytest -q tests/acceptance/chaos

docs: install ## Check that the documentation is true
	$(BIN)/pytest -q tests/test_docs.py

clean: ## Remove what the other targets made
	rm -rf $(VENV) .demo dist .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
