# `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
# Each file marks a finished installation: what the app needs, and that plus the development tools.
EMBEDDED := .venv/.embedded
DEV := .venv/.dev

.PHONY: help setup demo test unit quick check lint types imports docs recording clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while IFS='|' read -r target text; do printf 'make %-11s%s\n' "$$target" "$$text"; done

setup: $(EMBEDDED) ## Install the app into .venv

demo: $(EMBEDDED) ## Run the demo profile: 4 cells in about two minutes, no Docker needed
	@$(BIN)/loadbench-tui run demo; code=$$?; \
	  echo "To use loadbench-tui in this shell: . .venv/bin/activate" >&2; exit $$code

test: $(DEV) ## Run all tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadscope

unit: $(DEV) ## Run the unit tests
	@$(BIN)/python -m pytest tests/unit --numprocesses 2 --dist loadscope --quiet

quick: lint types imports unit ## Run lint, types, import contracts and unit tests: about a minute

check: lint types imports test ## Run everything that CI runs

lint: $(DEV) ## Check code style and language
	@$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --no-cache --check .
	@$(BIN)/python docs/check_language.py

types: $(DEV) ## Check types
	@$(BIN)/mypy

imports: $(DEV) ## Check the import contracts
	@$(BIN)/lint-imports --no-logo

docs: $(DEV) ## Regenerate docs/cli.md
	@$(BIN)/python docs/make_cli.py

recording: $(DEV) ## Record docs/demo.svg: runs the demo in a pseudo-terminal, about three minutes
	@$(BIN)/python -m docs.recording

clean: ## Remove .venv
	rm -rf .venv

$(EMBEDDED): EXTRAS = embedded,report
$(EMBEDDED): pyproject.toml constraints.txt
	$(install)
	@touch $(EMBEDDED)

$(DEV): EXTRAS = embedded,report,dev
$(DEV): pyproject.toml constraints.txt
	$(install)
	@touch $(EMBEDDED) $(DEV)

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is required: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing loadbench-tui[$(EXTRAS)] into .venv: about a minute" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable '.[$(EXTRAS)]' >&2
endef
