# The commands of this project. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help run setup test check lint types imports docs format bench lock clean

bin := .venv/bin
jobs ?= 2
# Compiled modules are kept: the tests start the program hundreds of times.
unexport PYTHONDONTWRITEBYTECODE
compile := $(bin)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: ## the demo world on http://localhost:8000, Acme Notes behind it on :8001 (needs Python 3.11+, nothing else)
	@scripts/environment run
	@exec $(bin)/python scripts/demo $(ARGS)

setup: ## .venv with everything that development needs
	@scripts/environment dev

test: setup ## every check and every test, in Chromium and on PostgreSQL too (installs them where missing)
	@scripts/system-packages
	@$(MAKE) --no-print-directory check
	$(bin)/python -m pytest --numprocesses $(jobs) --dist loadfile --no-loadscope-reorder

check: lint types imports docs ## lint and format, types, direction of imports, docs

lint: setup
	$(bin)/ruff check
	$(bin)/ruff format --check

types: setup
	$(bin)/mypy

imports: setup
	$(bin)/lint-imports

docs: setup
	$(bin)/python -m pytest -q tests/docs

format: setup ## puts the code into the one format
	$(bin)/ruff check --fix
	$(bin)/ruff format

bench: setup ## measures what docs/performance.md says (ARGS=--quick: a look; ARGS=--write: into that page)
	$(bin)/python -m bench $(ARGS)

lock: setup ## writes the lock files anew from pyproject.toml and requirements/*.in (UPGRADE=1: newest versions)
	$(compile) $(if $(UPGRADE),--upgrade) --extra postgres --extra saml pyproject.toml client/pyproject.toml requirements/dev.in -o requirements/dev.txt
	$(compile) $(if $(UPGRADE),--upgrade) pyproject.toml client/pyproject.toml requirements/run.in -c requirements/dev.txt -o requirements/run.txt
	$(compile) $(if $(UPGRADE),--upgrade) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	scripts/lock-provider

clean: ## removes the environment and every cache; keeps ./data
	rm -rf .venv .environment.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find src tests bench -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
