# Shop Search. `make demo` shows it, `make test` checks it.
#
#   PYTHON=python3.12        the interpreter to make environments with (3.11 or newer)
#   PORT=8001                where `make demo` and `make serve` listen
#   SHOP_SEARCH_HOME=DIR     the folder for database, pictures and vectors (default: var)

PYTHON ?= python3
PORT ?= 8000
HOST ?= 127.0.0.1
PY := .venv/bin/python
TEST := .venv-test/bin
# Two processes, each test file and all browser tests in one of them (tests/sharing.py); torch would take all cores for
# each. Tests start hundreds of processes, so what Python compiles is kept, wherever it is told not to.
# One that dies ends the run: what it had left to do would be waited for without end.
TWO := -n 2 --max-worker-restart 0
TESTED := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(TEST)/python -m pytest $(TWO)
# What a database may answer differently: claims, imports, uploads, jobs, counts, searches. Migrations run before them.
ON_POSTGRESQL := tests/catalog/uploads tests/catalog/indexing tests/catalog/jobs tests/catalog/insights \
	tests/catalog/doctor tests/catalog/search/test_search.py tests/catalog/api/test_uploads_api.py

.PHONY: help demo serve test check format clean
help:
	@sed -n 's/^## //p' Makefile

## make demo     install what serving needs, draw the demo shop, and run it
demo: .venv
	@$(PY) manage.py demo --host $(HOST) --port $(PORT)

## make serve    run the shop that is there, without the demo catalog
serve: .venv
	@$(PY) manage.py serve --host $(HOST) --port $(PORT)

## make test     every check and every test, in an environment of its own
test: .venv-test
	@$(TEST)/python .ci/system.py
	@$(MAKE) --no-print-directory check
	@echo "== pytest" && $(TESTED)
	@echo "== pytest on PostgreSQL" && TESTS_ON=postgresql $(TESTED) $(ON_POSTGRESQL)

## make check    the checks without the tests: style, types, import rules, migrations
check: .venv-test
	@echo "== ruff check" && $(TEST)/ruff check .
	@echo "== ruff format" && $(TEST)/ruff format --check .
	@echo "== mypy" && $(TEST)/mypy
	@echo "== import rules" && $(TEST)/lint-imports
	@echo "== manage.py check" && $(TEST)/python manage.py check --fail-level WARNING
	@echo "== migrations" && $(TEST)/python manage.py makemigrations --check --dry-run

## make format   put the code into the project's format
format: .venv-test
	@$(TEST)/ruff check --fix . && $(TEST)/ruff format .

## make clean    remove the environments; your shop in var/ stays
clean:
	rm -rf .venv .venv-test .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# environment.py does nothing when the folder already holds what pyproject.toml asks for.
.PHONY: .venv .venv-test
.venv:
	@$(PYTHON) .ci/environment.py .venv
.venv-test:
	@$(PYTHON) .ci/environment.py .venv-test train fleet test
