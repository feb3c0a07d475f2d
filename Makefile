# Every target does all its own set-up; it needs make, python3 >= 3.11 with venv, and a package index.
# Another Python: PYTHON=python3.12 make demo

PYTHON ?= python3
VENV := .venv
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
PIP_FLAGS := --quiet --disable-pip-version-check

RUNTIME_DONE := $(VENV)/.runtime-done
SETUP_DONE := $(VENV)/.setup-done
DEV_DONE := $(VENV)/.dev-done
BENCH_DONE := $(BENCH_VENV)/.setup-done

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test check lint types contracts docs bench soak format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SETUP_DONE) ## install the package and compile its kernels (once)

demo: $(SETUP_DONE) ## judge two simulated markets, one with the effect and one without, into out/demo
	$(BIN)/hedgeflow demo --out out/demo

test: $(SETUP_DONE) $(DEV_DONE) ## run all tests
	$(BIN)/pytest -n auto

check: lint types contracts test docs ## everything that must hold before a change lands

lint: $(DEV_DONE) ## ruff: rules and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(DEV_DONE) ## basedpyright, strict, on src
	$(BIN)/basedpyright

contracts: $(DEV_DONE) ## import-linter: rooms import only from floors below
	$(BIN)/lint-imports --no-cache

docs: $(DEV_DONE) ## build the documentation into site/, warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(SETUP_DONE) $(BENCH_DONE) ## compare with named peers on the same data, in an environment of its own
	$(BENCH_VENV)/bin/python bench/run.py

# The judge's pages are written anew; trials already in out/*.parquet are not run again. Then a
# thousand configurations are tried where there is nothing to find; those known are not run again.
soak: $(SETUP_DONE) ## what takes long: the judge on hundreds of markets, a thousand configurations on none
	$(BIN)/hedgeflow calibrate-judge --results out/judge.parquet --out docs/reference/judge-calibration.md
	$(BIN)/hedgeflow calibrate-judge --strategy expiration-pressure \
		--results out/expiry.parquet --out docs/reference/expiration-calibration.md
	for market in null null-coin; do \
		test -d out/sweep/$$market || \
			$(BIN)/hedgeflow simulate $$market --days 24 --out out/sweep/$$market || exit 1; \
		$(BIN)/hedgeflow sweep volume-shock --catalog out/sweep/$$market --underlying SIM \
			--random 1000 --set costs.cost_multiple=0 --out out/sweep/on-$$market \
			--page docs/reference/sweep-$$market.md || exit 1; \
	done

format: $(DEV_DONE) ## let ruff repair what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Versions already locked are kept; delete a file under requirements/ to take the newest ones.
UV_COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --prerelease disallow --no-header --no-emit-index-url --no-emit-find-links pyproject.toml --group build
lock: ## lock requirements/*.txt again after a change in pyproject.toml (needs uv)
	$(UV_COMPILE) --output-file requirements/runtime.txt
	$(UV_COMPILE) --group dev --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(UV_COMPILE) --group bench --constraints requirements/runtime.txt --output-file requirements/bench.txt

clean: ## remove environments and everything made
	rm -rf $(VENV) $(BENCH_VENV) out site build dist .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call new_venv,FOLDER): make the environment unless it is there, or say clearly why it cannot be.
define new_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo "hedgeflow needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	echo "Name another one, for example: PYTHON=python3.12 make $(or $(MAKECMDGOALS),setup)" >&2; exit 1; }
@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
	echo "'$(PYTHON)' could not make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	exit 1; }
endef

# $(call install,FOLDER,LOCK): the locked packages, then this one, editable and without look-ups.
define install
@echo "Installing $(2) into $(1)"
@$(1)/bin/python -m pip install $(PIP_FLAGS) --require-hashes --requirement $(2)
@$(1)/bin/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
endef

$(RUNTIME_DONE): requirements/runtime.txt pyproject.toml
	$(call new_venv,$(VENV))
	$(call install,$(VENV),requirements/runtime.txt)
	@touch $@

$(SETUP_DONE): $(RUNTIME_DONE)
	@echo "Compiling kernels (once)"
	@$(BIN)/hedgeflow warm
	@touch $@

# The tools need no compiled kernels, so linting never waits for them.
$(DEV_DONE): requirements/dev.txt $(RUNTIME_DONE)
	@echo "Installing requirements/dev.txt into $(VENV)"
	@$(BIN)/python -m pip install $(PIP_FLAGS) --require-hashes --requirement requirements/dev.txt
	@touch $@

$(BENCH_DONE): requirements/bench.txt requirements/runtime.txt pyproject.toml
	$(call new_venv,$(BENCH_VENV))
	$(call install,$(BENCH_VENV),requirements/bench.txt)
	@touch $@
