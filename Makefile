# The two that matter: `make demo` shows the bot at work, `make test` runs the tests.
# Both need only git, make and Python 3.11 or newer; each makes its own environment first.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
CODE := bot storage sandbox bench tests
ONCE ?=
ROW ?=
JSON ?=
ARGS ?=
KILLS ?= 1000
SEED ?=

.DEFAULT_GOAL := help
.PHONY: help demo picture screenshots run test test-long crash check bench lint fix catalogues lock clean

help:  ## say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1 — /'

demo: $(VENV)/.run  ## try the bot with no account; `make demo ONCE=1` stops by itself
	@$(BIN)/python -m sandbox demo $(if $(ONCE),--once)

picture: $(VENV)/.run  ## draw the README's picture of a conversation anew, from a real one
	@$(BIN)/python -m sandbox portrait --output docs/conversation.svg

screenshots: $(VENV)/.dev  ## take the pictures of the chat page anew, in a browser
	@$(BIN)/python -m tests.page --write

run: $(VENV)/.run  ## run the bot with config.toml
	@$(BIN)/python -m bot run --config config.toml

test: $(VENV)/.dev  ## run the tests, with coverage
	@$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term

# A property gets twenty times its examples here, so one test may take an hour.
test-long: $(VENV)/.dev  ## run what is marked `long`, and the property tests with many more examples
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -n 5 --dist worksteal -m "long or hypothesis" --timeout 3600

crash: $(VENV)/.dev  ## kill the bot 1000 times, and count what became of every photo; `make crash KILLS=100 SEED=7`
	@$(BIN)/python -m tests.crash --kills $(KILLS) $(if $(SEED),--seed $(SEED))

check: lint test  ## everything that must be green: format, lint, types, import rules, tests

bench: $(VENV)/.dev  ## measure it, within 15 minutes; `make bench ROW=store` for one row, JSON=1 for JSON
	@$(BIN)/python -m bench $(ROW) $(if $(JSON),--json) $(ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

fix: $(VENV)/.dev  ## format, and mend what can be mended by itself
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

catalogues: $(VENV)/.run  ## bring the translations' files up to date with the sentences, and say what is missing
	@$(BIN)/python -m bot.locales

# The lock files hold every platform's hashes and no index addresses.
lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" -c requirements/run.txt pyproject.toml --group dev -o requirements/dev.txt

clean:  ## remove the environment and what the tools left behind
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis demo-output

# The first Python that is new enough, or a sentence that says what is missing.
$(VENV)/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "This needs Python 3.11 or newer, and found none. Install it, then call make again." >&2; exit 1; fi; \
	if ! $$found -c 'import venv, ensurepip' >/dev/null 2>&1; then \
	  echo "$$found has no venv module. On Debian and Ubuntu: apt install python3-venv. Then call make again." >&2; exit 1; fi; \
	$$found -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The lock files name all there is to install: pip need not look further, where a newer release of
# something that is asked for with an extra would not have the hash it wants.
$(VENV)/.run: $(VENV)/bin/python requirements/run.txt
	@echo "Installing what the bot needs (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python requirements/dev.txt
	@echo "Installing what the tests need (once) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/.run
