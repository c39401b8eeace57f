# Everything here installs what it needs into .venv and works on a machine that has only
# Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
LOCAL := $(VENV)/.local
DEV := $(VENV)/.dev
# Of pytest: two a core, since tests wait for processes more than they compute; not so many that
# their servers fill the memory.
PROCESSES := $(shell $(PYTHON) -c 'import os; print(min(8, 2 * (os.cpu_count() or 1)))')

.PHONY: help demo run test bench soak screenshots check format clean
.DEFAULT_GOAL := help

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

demo: $(RUN)  ## StreamWatch with a simulated Twitch: no account, no server
	@$(BIN)/python -m streamwatch.simulator.demo

run: $(LOCAL)  ## StreamWatch as .env says; what it learns is kept in ./data
	@$(BIN)/streamwatch dev

test: $(DEV)  ## everything that ends in five minutes, with its own servers
	$(BIN)/pytest -n $(PROCESSES) --dist loadgroup $(PYTEST_ARGS)

bench: $(DEV)  ## how fast it is, beside a bare Flask app in the same run; BENCH_ARGS=--keep for docs/
	@command -v wrk >/dev/null || [ "$$(id -u)" != 0 ] || apt-get install -y -qq wrk >/dev/null || true
	@$(BIN)/python -m bench $(BENCH_ARGS)

soak: $(DEV)  ## what takes longer: faults under load, abuse, hours; keeps its figures in docs/
	KEEP_FIGURES=1 $(BIN)/pytest -m soak tests/faults tests/abuse tests/analytics $(PYTEST_ARGS)

screenshots: $(DEV)  ## a picture of each page of the dashboard; needs a Chromium on PATH
	$(BIN)/python -m tests.dashboard.screenshots

check: $(DEV)  ## format, lint, types, who may import whom, and known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.audit

format: $(DEV)  ## put the code into its form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what was installed and built
	rm -rf $(VENV) build

$(RUN): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(LOCAL): $(RUN) requirements-local.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-local.txt
	@touch $@

$(DEV): $(LOCAL) requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
