# Shorthand only: each target is a command or two that can be typed by hand.

PYTHON ?= python3
UV ?= uv
CYCLONEDX ?= cyclonedx-py
PROCESSES ?= auto
MINUTES ?= 30
ROUNDS ?= 200

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --no-input --disable-pip-version-check --require-hashes
BABEL := $(BIN)/pybabel --quiet
SOURCES := $(patsubst %/__init__.py,%,$(wildcard */__init__.py)) templates
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
DATABASE := $(if $(findstring postgresql,$(UKETSUKE_DATABASE_URL)),.venv/postgresql.stamp)

# Tests and demos start the site hundreds of times: without a cache each start compiles all of it.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test migration-test cluster-test pages-test check lint bench soak kill-loop screenshots texts lock sbom

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: .venv/runtime.stamp $(DATABASE) ## Start the demo; with a Zoom account in UKETSUKE_ZOOM_*, the site
	@exec $(BIN)/flask demo

test: .venv/dev.stamp ## Run every test
	@# In small lots: else one process gets most of the slow ones, and the others wait for it at the end.
	$(BIN)/python -m pytest -n $(PROCESSES) --maxschedchunk 20

migration-test: .venv/dev.stamp ## Kill migrations half-way with a million registrations in the database
	UKETSUKE_TEST_ROWS=1000000 $(BIN)/python -m pytest -q --durations=0 tests/faults/test_migrations.py

cluster-test: .venv/dev.stamp ## Restart and kill many processes behind nginx while people come
	$(BIN)/python -m pytest -q -m slow tests/deploy

pages-test: .venv/dev.stamp ## Look at every page in both languages, both schemes, at both widths
	$(BIN)/python -m pytest -q -m browser tests/browser/test_accessibility.py tests/browser/test_dashboard.py

check: lint ## Run linters, types, translations and locks
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_project.py tests/templates

lint: .venv/dev.stamp ## Run linters and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	@if command -v node >/dev/null; then \
		for script in static/js/*.js static/js/*/*.js; do node --check "$$script" || exit 1; done; \
	else echo "node is missing, so the scripts of the pages are not checked"; fi

bench: .venv/dev.stamp ## Measure the site against a bare Flask view, as a table
	$(BIN)/python -m bench

kill-loop: .venv/dev.stamp ## Kill processes of a running site at random, ROUNDS=200 times on each database
	$(BIN)/python -m tests.kill_loop --rounds $(ROUNDS)

soak: .venv/dev.stamp ## Run the site for MINUTES with a Zoom that fails at random
	$(BIN)/python -m bench.soak --minutes $(MINUTES)

screenshots: .venv/dev.stamp ## Take a picture of every page into docs/screenshots/
	$(BIN)/python -m tests.screenshots

texts: .venv/dev.stamp ## Bring the Japanese catalogue up to the texts in the code, and compile it
	$(BABEL) extract -F translations/babel.cfg -k lazy_gettext -k lazy_pgettext:1c,2 -k lazy_ngettext:1,2 \
		--no-location --sort-output -o translations/messages.pot $(SOURCES)
	$(BABEL) update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
		-i translations/messages.pot -d translations -l ja
	$(BABEL) compile -d translations

lock: ## Write the requirements*.txt anew from their .in files (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is missing: pip install uv"; exit 1; }
	$(LOCK) requirements.in -o requirements.txt
	$(LOCK) requirements-postgresql.in -o requirements-postgresql.txt
	$(LOCK) requirements-dev.in -o requirements-dev.txt

sbom: ## List what an installation consists of, with hashes, as CycloneDX (needs cyclonedx-py)
	@command -v $(CYCLONEDX) >/dev/null || { echo "cyclonedx-py is missing: pip install cyclonedx-bom"; exit 1; }
	$(CYCLONEDX) requirements requirements.txt --output-reproducible -o sbom.json
	$(CYCLONEDX) requirements requirements-postgresql.txt --output-reproducible -o sbom-postgresql.json

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Uketsuke needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "Making .venv ..."
	@$(PYTHON) -m venv .venv

# Stamps say which lists are installed, so that a later start has nothing to do.
.venv/runtime.stamp: requirements.txt | $(BIN)/python
	@echo "Installing what the site needs ..."
	@$(PIP) -r requirements.txt
	@touch $@

.venv/postgresql.stamp: requirements-postgresql.txt .venv/runtime.stamp
	@$(PIP) -r requirements-postgresql.txt
	@touch $@

.venv/dev.stamp: requirements-dev.txt .venv/runtime.stamp
	@echo "Installing what the tests need ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
