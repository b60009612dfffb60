# make demo   two minutes: the whole job, on this machine alone
# make test   every test
# make quick  the loop while you work, about a minute: lint, types, import contracts, unit tests
# make check  what CI runs: lint, types, import contracts, every test
# make screenshot  the picture of the README again, from a run of the demo

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test quick unit check lint types imports screenshot clean

demo: $(READY)
	@$(BIN)/loadbench-tui run demo

test: $(READY)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope

quick: lint types imports unit

unit: $(READY)
	@$(BIN)/python -m pytest tests/unit --numprocesses 2 --dist loadscope --quiet

check: lint types imports test

lint: $(READY)
	@$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --no-cache --check .

types: $(READY)
	@$(BIN)/mypy

imports: $(READY)
	@$(BIN)/lint-imports --no-logo

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "setting up .venv, about a minute" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[embedded,dev]' >&2
	@touch $(READY)

screenshot: $(READY)
	@$(BIN)/python docs/screenshot.py

clean:
	rm -rf .venv
