# Python 3.11 and make are all that is needed: everything else goes into .venv at pinned versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
# Tests of one file stay in one process, so that a browser or a server is started once; in the order of the files,
# so that the long ones of the browser come first and no process waits for the other at the end.
TESTFLAGS ?= -n 2 --dist loadfile --no-loadscope-reorder

export LABELING_STORAGE ?= sqlite:///labeling.db
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Python compiles what is imported; to compile all that is installed takes a third of the set-up.

.DEFAULT_GOAL := help
.PHONY: help run test quick faults check bench screenshots format pins clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/runtime.stamp ## Set up, make a demo project if there is none, serve the app on 127.0.0.1 (PORT=8501)
	@$(BIN)/python -m labeling.demo
	@$(BIN)/python -m labeling serve --port=$(PORT)

test: $(VENV)/dev.stamp ## Set up and run all tests: SQLite and PostgreSQL, doctests, a real browser
	@CHROMIUM="$$($(BIN)/python scripts/browser.py --install)" && export CHROMIUM && \
		env -u LABELING_STORAGE $(BIN)/python -m pytest $(TESTFLAGS)

quick: $(VENV)/dev.stamp ## Set up and run the quick tests: SQLite alone, no browser, no processes, no networks, no doctests
	@env -u LABELING_STORAGE TALLY_TESTS=quick $(BIN)/python -m pytest $(TESTFLAGS) tests

faults: $(VENV)/dev.stamp ## Kill each operation 30 times (TALLY_KILLS=30) and fill disks; says how often each was killed
	@env -u LABELING_STORAGE TALLY_KILLS=$${TALLY_KILLS:-30} $(BIN)/python -m pytest tests/faults

check: $(VENV)/dev.stamp ## Lint, types, which package may import which, and circles of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/import_circles.py

bench: $(VENV)/bench.stamp ## Run the benchmarks; each prints a table, with its peers in the same run
	@for file in $(wildcard benchmarks/*.py); do echo "== $$file"; PYTHONPATH=. $(BIN)/python $$file || exit 1; done

screenshots: $(VENV)/dev.stamp ## Write the pictures of README into docs/
	@CHROMIUM="$$($(BIN)/python scripts/browser.py --install)" && export CHROMIUM && \
		$(BIN)/python -m scripts.screenshots

format: $(VENV)/dev.stamp ## Format the sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pins: $(VENV)/dev.stamp ## Write requirements*.txt from what is installed in .venv
	$(BIN)/python scripts/pins.py

clean: ## Remove the environment and caches; projects and their databases stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " \
		+ sys.version.split()[0] + ". Try: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --requirement requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --requirement requirements-dev.txt
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/bench.stamp: requirements-bench.txt | $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --no-compile --requirement requirements-bench.txt
	@touch $@
