# `make` alone lists the targets.

PYTHON ?= python3
BIN := .venv/bin
# Each file marks a finished installation: what the app needs, and that plus the development tools.
EMBEDDED := .venv/.embedded
DEV := .venv/.dev

# What `make test` runs, such as `make test TESTS=tests/docker`.
TESTS = tests
WORKFLOWS := $(wildcard .github/workflows/*.yml) docs/examples/pull-request.yml

.PHONY: help setup dev demo test unit quick check fmt lint types imports docs recording packages clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while IFS='|' read -r target text; do printf 'make %-11s%s\n' "$$target" "$$text"; done

setup: $(EMBEDDED) ## Install the app into .venv

dev: $(DEV) ## Install the app and the development tools into .venv

demo: $(EMBEDDED) ## Run the demo profile: 4 cells in about two minutes, no Docker needed
	@$(BIN)/loadbench-tui run demo; code=$$?; \
	  echo "To use loadbench-tui in this shell: . .venv/bin/activate" >&2; exit $$code

test: $(DEV) ## Run all tests, or some: make test TESTS=tests/screens
	@$(BIN)/python -m pytest $(TESTS) --numprocesses 2 --dist loadscope

unit: $(DEV) ## Run the unit tests
	@$(BIN)/python -m pytest tests/unit --numprocesses 2 --dist loadscope --quiet

quick: lint types imports unit ## Run lint, types, import contracts and unit tests: 3 minutes

check: lint types imports test ## Run all checks and all tests: about 35 minutes

fmt: $(DEV) ## Format the code, and correct what can be corrected automatically
	@$(BIN)/ruff check --no-cache --fix-only . && $(BIN)/ruff format --no-cache .

lint: $(DEV) ## Check code style, language, and the files for GitHub
	@$(BIN)/ruff check --no-cache . && $(BIN)/ruff format --no-cache --check .
	@$(BIN)/python docs/check_language.py
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(WORKFLOWS)
	@$(BIN)/check-jsonschema --quiet --builtin-schema custom.github-workflows-require-timeout $(WORKFLOWS)
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config \
	  .github/ISSUE_TEMPLATE/config.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
	  $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/zizmor --offline --persona pedantic -qq .github docs/examples/pull-request.yml

types: $(DEV) ## Check types
	@$(BIN)/mypy

imports: $(DEV) ## Check the import contracts
	@$(BIN)/lint-imports --no-logo

docs: $(DEV) ## Regenerate command line, table of keys and schema of profiles
	@$(BIN)/python docs/generate.py

recording: $(DEV) ## Record docs/demo.svg and docs/screenshots with the demo: about three minutes
	@$(BIN)/python -m docs.recording

packages: $(DEV) ## Install the built wheel with pip, uv and pipx, and run the demo with each
	@$(BIN)/python -m bench.packages

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
