# Everything a checkout needs. `make help` lists the targets; nothing but make and Python 3.11, 3.12 or 3.13 must be there.

PYTHON ?= python3
VENV ?= .venv
OUT ?= demo
WORKERS ?= 2
UPGRADE ?=
PYTHONS ?= $(PYTHON)
CHECK_DOCKER ?=
CHECK_RUNNERS ?=
COVERED ?=
MODULE ?=

BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
DOCS := $(VENV)/.docs-installed

# Wheels only, so that no compiler is needed; hashes, so that what is installed is what was tested.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --require-hashes --only-binary :all:
PROJECT := $(INSTALL) --no-deps --no-build-isolation --editable .

# Several test processes share the cores and, where there is one, the GPU.
TEST_ENV := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	TF_FORCE_GPU_ALLOW_GROWTH=true TF_CPP_MIN_LOG_LEVEL=3 MPLBACKEND=Agg
PYTEST := $(TEST_ENV) $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-config --no-strip-extras --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo install dev test test-fast coverage mutants check-runners check-cluster check-docker check-serving fuzz docs lint format lock release-check sbom audit clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo "Variables: PYTHON=$(PYTHON) VENV=$(VENV) OUT=$(OUT) WORKERS=$(WORKERS) UPGRADE=--upgrade (make lock)"

demo: $(RUNTIME) ## Run the whole method on the embedded data, into the folder OUT.
	$(BIN)/attent demo --out $(OUT)

install: $(RUNTIME) ## Install the locked packages and the command `attent` into VENV.

dev: $(DEV) ## Install what tests and lint need as well.

test: $(DEV) ## Run all tests.
	$(PYTEST)

test-fast: $(DEV) ## Run the quick tests alone, less than about half a second each.
	$(PYTEST) -m "not slow"

coverage: $(DEV) ## Say which lines the tests run; COVERED="-m 'not slow'" asks the quick ones alone.
	$(PYTEST) --cov=attent_tf --cov=beam_preprocess --cov=cli --cov-report=term:skip-covered $(COVERED)

mutants: $(DEV) ## Change MODULE (or each of the list) bit by bit and see whether its tests notice (pip install mutmut).
	$(BIN)/python -m tests.mutants.check_mutants $(MODULE)

check-runners: $(DEV) ## Run the Beam jobs on every runner, Flink and Spark too, and compare the bytes (Java 17 and Maven).
	$(BIN)/python -m tests.portability.check_runners $(CHECK_RUNNERS) 2>/dev/null

check-cluster: $(DEV) ## Run jobs on a Flink cluster of two TaskManagers and kill one at work (Java 17 and Maven; ten minutes).
	$(BIN)/python -m tests.portability.check_cluster

check-docker: $(DEV) ## Build the images and use them (root; apt-get install docker.io debootstrap, or buildah debootstrap).
	$(BIN)/python -m tests.portability.check_docker $(CHECK_DOCKER)

check-serving: $(DEV) ## Send a hundred scans from eight clients to a server that fails, and count what becomes of them.
	$(BIN)/python -m tests.portability.check_serving

fuzz: $(DEV) ## Feed 20 000 damaged files to the readers.
	$(BIN)/python -m tests.fuzz.fuzz_readers

docs: $(DOCS) ## Build the documentation into build/docs, run its tutorials, and fail on whatever is broken.
	PATH="$(abspath $(BIN)):$$PATH" $(TEST_ENV) $(BIN)/python -m sphinx -b html -W --keep-going -q -c docs/site docs build/docs
	@echo "Open build/docs/index.html; it needs no server and no network."

lint: $(DEV) ## Check style, formatting, spelling, types, the Dockerfile and which way imports run.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/hadolint Dockerfile
	$(BIN)/lint-imports --no-cache

format: $(DEV) ## Rewrite the code in the project's format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(DEV) ## Pin the packages anew; UPGRADE=--upgrade moves them to their latest versions.
	$(COMPILE) setup.py --output-file requirements.lock
	$(COMPILE) setup.py --extra dev --constraints requirements.lock --output-file requirements-dev.lock
	$(COMPILE) setup.py --extra gpu --constraints requirements.lock --output-file requirements-gpu.lock
	$(COMPILE) setup.py --extra docs --constraints requirements-dev.lock --output-file requirements-docs.lock
	sed -n 's/^tensorflow==\([^ ]*\).*/tensorflow-cpu==\1/p' requirements.lock | \
		$(COMPILE) setup.py - --no-emit-package tensorflow --constraints requirements.lock --output-file requirements-cpu.lock

release-check: $(DEV) ## Build wheel and source distribution, check them, install the wheel into an empty environment and use it.
	$(BIN)/python -m tests.portability.check_release $(foreach python,$(PYTHONS),--python $(python))

sbom: $(DEV) ## Write the bill of materials of the locked packages, dist/sbom-*.json (CycloneDX).
	mkdir -p dist
	for lock in requirements requirements-cpu requirements-gpu; do \
		$(BIN)/cyclonedx-py requirements $$lock.lock --output-reproducible --of JSON --output-file dist/sbom-$$lock.json || exit 1; done

audit: $(DEV) ## Look the locked packages up among known vulnerabilities; needs the network.
	$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean: ## Remove what building and testing leave behind (not VENV, not OUT).
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
		echo "PYTHON=$(PYTHON): expected Python 3.11, 3.12 or 3.13, found $$($(PYTHON) --version 2>/dev/null || echo nothing that runs);" \
			"install one and name it, for example: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "PYTHON=$(PYTHON): expected the module venv, found none; install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements.lock setup.py pyproject.toml | $(BIN)/python
	$(LOCKED) --requirement requirements.lock
	$(PROJECT)
	@touch $@

$(DEV): requirements-dev.lock setup.py pyproject.toml | $(BIN)/python
	$(LOCKED) --requirement requirements-dev.lock
	$(PROJECT)
	@touch $@ $(RUNTIME)

$(DOCS): requirements-docs.lock setup.py pyproject.toml | $(BIN)/python
	$(LOCKED) --requirement requirements-docs.lock
	$(PROJECT)
	@touch $@ $(RUNTIME)
