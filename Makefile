# Everything the project can be asked to do; `make` lists it. The environment lives in .venv and two
# folders node_modules, comes from the lock files alone, and is brought up to date by whatever needs it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The Python that .venv is made with, and further arguments for pytest: make test ARGS="-k offer"
# Where another one is named than .venv has, .venv is made anew: make test PYTHON=python3.12
PYTHON ?= python3
ARGS ?=

BIN := .venv/bin

version_of = $(shell $(1) -c 'import sys; print(*sys.version_info[:3] if sys.version_info > (3, 11) else ())' 2>/dev/null)
ifeq ($(origin PYTHON) $(wildcard .venv/bin/python),command line .venv/bin/python)
    NAMED := $(call version_of,$(PYTHON))
    ifeq ($(NAMED),)
        $(error PYTHON=$(PYTHON) is no Python 3.11 or newer)
    else ifneq ($(NAMED),$(call version_of,.venv/bin/python))
        $(shell rm -f .venv/bin/python .venv/.runtime .venv/.development .venv/.fuzzer)
    endif
endif
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check
PYRIGHT := node tools/node_modules/pyright/index.js --pythonpath $(BIN)/python
UV_PINS := --universal --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --quiet \
    --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --python-version 3.11 $(UV_PINS)

# Stamps: what they stand for is installed, from the files they depend on.
RUNTIME := .venv/.runtime
DEVELOPMENT := .venv/.development
FUZZER := .venv/.fuzzer
NODE_TOOLS := tools/node_modules/.installed
TYPESCRIPT := typescript/node_modules/.installed
COMPILED := typescript/dist/built

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(RUNTIME) ## Show a core and its plugins at work as processes of their own
	@tools/provide mosquitto || true
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	    $(MAKE) --no-print-directory $(COMPILED) || echo "The TypeScript code is not compiled; the demo goes on." >&2; fi
	@$(BIN)/python -m examples.demo

.PHONY: setup
setup: $(RUNTIME) ## Make .venv with all that running takes

.PHONY: develop
develop: $(DEVELOPMENT) $(NODE_TOOLS) $(TYPESCRIPT) ## Add all that working on the project takes
	@tools/provide mosquitto || true

.PHONY: test
test: $(DEVELOPMENT) $(NODE_TOOLS) $(TYPESCRIPT) ## Run everything that a change has to pass
	@tools/provide mosquitto
	@PYTHONHASHSEED=0 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup $(ARGS)

.PHONY: lint
lint: $(DEVELOPMENT) ## Check style, format and import contracts
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/lint-imports --no-cache

.PHONY: types
types: $(DEVELOPMENT) $(NODE_TOOLS) ## Check types with mypy and pyright, both strict
	@$(BIN)/mypy
	@$(PYRIGHT)

.PHONY: typescript
typescript: $(COMPILED) ## Check the types, style, format and package of the TypeScript code, and run its tests
	@cd typescript && npm run --silent types && npm run --silent lint && npm run --silent test && npm run --silent package

.PHONY: dashboard
dashboard: $(TYPESCRIPT) ## Bundle the dashboard's page into the package that serves it
	@cd typescript && npm run --silent bundle

.PHONY: format
format: $(DEVELOPMENT) $(TYPESCRIPT) ## Format the code and repair what can be repaired
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format
	@cd typescript && npm run --silent format

.PHONY: generate
generate: $(DEVELOPMENT) ## Generate code from asyncapi.yaml and schemas/
	@$(BIN)/orbitalis-codegen generate

.PHONY: check
check: $(DEVELOPMENT) $(NODE_TOOLS) ## Check the specification and that generated/ is what it gives
	@node tools/validate-specification.mjs asyncapi.yaml
	@$(BIN)/orbitalis-codegen check

.PHONY: docs
docs: $(DEVELOPMENT) $(NODE_TOOLS) $(TYPESCRIPT) ## Build the documentation site in build/site
	@$(BIN)/python -m tools.website build

.PHONY: docs-serve
docs-serve: $(DEVELOPMENT) $(NODE_TOOLS) $(TYPESCRIPT) ## Show the documentation site at http://localhost:8000, until Ctrl-C
	@$(BIN)/python -m tools.website serve $(ARGS)

.PHONY: pages
pages: $(DEVELOPMENT) ## Make the pages and test vectors that come from the specification
	@$(BIN)/python tools/draw_states.py
	@$(BIN)/python tools/draw_requirements.py
	@$(BIN)/python tools/make_vectors.py
	@$(BIN)/orbitalis-codegen schema --output docs/asyncapi.schema.json >/dev/null

.PHONY: simulate
simulate: $(DEVELOPMENT) ## Simulate the protocol in one world after the other, until Ctrl-C; ARGS=--asyncio: whole orbiters
	@$(BIN)/python -m tests.simulation $(ARGS)

.PHONY: resolution
resolution: $(DEVELOPMENT) ## Hold schema resolution against fastavro, with 100,000 random pairs of schemas
	@$(BIN)/python -m tests.avro.resolution $(ARGS)

.PHONY: verdicts
verdicts: $(DEVELOPMENT) ## Hold what is said of changes against real decoding, with 100,000 random pairs of schemas
	@$(BIN)/python -m tests.codegen.diff $(ARGS)

.PHONY: fuzz
fuzz: $(DEVELOPMENT) $(FUZZER) ## Fuzz everything that reads, guided by coverage, until Ctrl-C
	@$(BIN)/python -m tests.fuzzing $(ARGS)

.PHONY: flood
flood: $(DEVELOPMENT) ## Flood a plugin and a core in a million invented names, and measure
	@$(BIN)/python -m tests.security.flood $(ARGS)

.PHONY: chaos
chaos: $(DEVELOPMENT) ## Kill a broker 500 times under a core and ten plugins, and processes and connections, too
	@tools/provide mosquitto
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: conformance
conformance: $(DEVELOPMENT) $(TYPESCRIPT) ## Test all implementations that are here with the conformance kit, and the kit itself
	@tools/provide mosquitto
	@$(BIN)/python -m conformance.run $(ARGS)

.PHONY: mutants
mutants: $(DEVELOPMENT) ## Break the protocol in one place at a time, and see whether the tests notice
	@$(BIN)/python -m tests.mutation $(ARGS)

.PHONY: bench
bench: $(DEVELOPMENT) $(TYPESCRIPT) ## Measure speed and memory; ARGS="handshakes mqtt" only some of it
	@tools/provide mosquitto
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: calls
calls: $(DEVELOPMENT) ## Count calls, files and lines, and hold them against their budgets
	@$(BIN)/python -m benchmarks.calls $(ARGS)

.PHONY: lock
lock: .venv/bin/uv tools/.npmrc typescript/.npmrc ## Renew the lock files; UPGRADE=1 takes the newest versions
	@$(UV_COMPILE) --group build --output-file requirements.lock
	@$(UV_COMPILE) --extra cli --extra codegen --extra dashboard --extra otel --extra prometheus --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(UV_COMPILE) --group fuzz --constraint requirements-dev.lock --output-file requirements-fuzz.lock
	@$(BIN)/uv pip compile tests/older/requirements.in --python-version 3.12 $(UV_PINS) \
	    --output-file tests/older/requirements.txt
	@cd tools && npm install --package-lock-only --loglevel=error >/dev/null
	@cd typescript && npm install --package-lock-only --loglevel=error >/dev/null
	@cd examples/peer-javascript && npm install --package-lock-only --loglevel=error >/dev/null
	@cd examples/tutorial/chapter_5/typescript && npm install --package-lock-only --loglevel=error >/dev/null

.PHONY: clean
clean: ## Remove everything that is not in the repository and was made here
	@rm -rf .venv tools/node_modules typescript/node_modules typescript/dist dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .fuzzing .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "Orbitalis needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1 || true);" \
	        "name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "$(PYTHON) has no module venv or ensurepip; Debian's package python3-venv has them" >&2; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear .venv

$(RUNTIME): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what running takes ..."
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.lock $(RUNTIME)
	@echo "Installing what development takes ..."
	@$(PIP) install --require-hashes --requirement requirements-dev.lock
	@touch $@

$(FUZZER): requirements-fuzz.lock $(DEVELOPMENT)
	@echo "Installing what fuzzing takes ..."
	@$(PIP) install --require-hashes --only-binary atheris --requirement requirements-fuzz.lock || { \
	    echo "atheris has builds for Linux with Python 3.11 to 3.13, but this is $$($(BIN)/python --version):" \
	        "name another one: make clean fuzz PYTHON=python3.11" >&2; exit 1; }
	@touch $@

.venv/bin/uv: | .venv/bin/python
	@$(PIP) install uv

$(NODE_TOOLS): tools/package.json tools/package-lock.json tools/.npmrc
	@tools/provide node nodejs
	@tools/provide npm
	@echo "Installing what checks with Node take ..."
	@cd tools && npm ci --loglevel=error >/dev/null
	@touch $@

$(TYPESCRIPT): typescript/package.json typescript/package-lock.json typescript/.npmrc
	@tools/provide node nodejs
	@tools/provide npm
	@echo "Installing what the TypeScript code takes ..."
	@cd typescript && npm ci --loglevel=error >/dev/null
	@touch $@

$(COMPILED): $(TYPESCRIPT) $(wildcard typescript/tsconfig*.json) \
    $(shell find typescript/src generated/typescript examples/contract/typescript -name '*.ts')
	@echo "Compiling the TypeScript code ..."
	@cd typescript && npm run --silent build && npm run --silent examples
	@touch $@
