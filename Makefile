# One virtual environment, made once: only Python and make have to be there.
#   make demo PYTHON=python3.12      another interpreter
#   make test ARGS="-k steady -x"    arguments for pytest
# A stamp file in .venv says which extras are in; pip runs again when their versions change.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SOURCES := $(wildcard lembas_pyg tests examples benchmarks docs/conf.py)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.NOTPARALLEL:
FIG ?=
.PHONY: help paper demo test test-slow test-sparse coverage lint format bench mutants docs vendor env clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.demo  ## train the toy network; pictures and tables in demo-output/
	$(BIN)/lembas-pyg demo

test: $(VENV)/.dev  ## the tests that need seconds and no network
	$(BIN)/python -m pytest $(ARGS)

test-slow: $(VENV)/.dev  ## the tests that take longer
	$(BIN)/python -m pytest -m "slow and not online" $(ARGS)

# Wheels of torch-sparse fit one version of torch, which their names do not say: a folder for each.
SPARSE := torch-scatter==2.1.2 torch-sparse==0.6.18
test-sparse: $(VENV)/.dev  ## tests of SparseTensor graphs; compiles torch-sparse once (35 minutes)
	@set -e; \
	wheels="$${XDG_CACHE_HOME:-$$HOME/.cache}/lembas_pyg/wheels/torch-$$($(BIN)/python -c 'import torch; print(torch.__version__)')"; \
	mkdir -p "$$wheels"; \
	install() { $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
	    --force-reinstall --find-links "$$wheels" $(SPARSE) && \
	    $(BIN)/python -c 'import torch_scatter, torch_sparse'; }; \
	if install 2>/dev/null; then \
	    echo "torch-scatter and torch-sparse: wheels of $$wheels"; \
	else \
	    echo "Compiling torch-scatter and torch-sparse from source; this takes about 35 minutes on two cores."; \
	    echo "The wheels are kept in $$wheels"; \
	    $(INSTALL) setuptools wheel; \
	    $(BIN)/python -m pip wheel --disable-pip-version-check --no-build-isolation --no-deps \
	        --no-binary torch-scatter,torch-sparse --wheel-dir "$$wheels" $(SPARSE); \
	    install; \
	fi
	$(BIN)/python -m pytest tests/nn/test_adjacency.py $(ARGS)

# Kernels are seen in a test that runs them as Python; what writes their machine code, only where it
# has not been kept.
coverage: $(VENV)/.dev  ## tests, and the lines they do not reach
	@set -e; cache=$$(mktemp -d); trap 'rm -rf "$$cache"' EXIT; \
	NUMBA_CACHE_DIR="$$cache" $(BIN)/python -m pytest --cov $(ARGS)

lint: $(VENV)/.dev  ## ruff (rules and format) and mypy
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(VENV)/.dev  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(VENV)/.demo  ## ratios against a textbook implementation
	@test -f benchmarks/__main__.py || { echo "make bench: there are no benchmarks yet (benchmarks/__main__.py is missing)." >&2; exit 1; }
	$(BIN)/python -m benchmarks $(ARGS)

MUTANTS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/lembas_pyg/mutants
mutants: $(VENV)/.dev  ## share of small mistakes that the tests notice (30 minutes)
	$(BIN)/python -m benchmarks.mutants --out $(MUTANTS) $(ARGS)

paper: $(VENV)/.dev  ## figures of the paper redrawn, numbers in docs/paper.md; FIG="5 S8" for some
	$(BIN)/python -m benchmarks.paper $(if $(FIG),--fig $(FIG)) $(ARGS)

# The library that draws networks in reports, committed so that nothing is fetched to use it.
CYTOSCAPE := 3.34.4
CYTOSCAPE_SHA256 := 0d02363d99d805ce8d91fdecab7b2a8cb91ee280d67f309ce44c161d117b4679
VENDOR := lembas_pyg/report/vendor
vendor:  ## fetch the pinned Cytoscape.js from npm, check it, put it into the package
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	npm pack --silent --pack-destination "$$folder" cytoscape@$(CYTOSCAPE) >/dev/null; \
	echo "$(CYTOSCAPE_SHA256)  $$folder/cytoscape-$(CYTOSCAPE).tgz" | sha256sum --check --quiet; \
	tar -xzf "$$folder/cytoscape-$(CYTOSCAPE).tgz" -C "$$folder"; \
	install -m 644 "$$folder/package/dist/cytoscape.min.js" "$$folder/package/LICENSE" $(VENDOR)/; \
	echo "$(VENDOR): Cytoscape.js $(CYTOSCAPE), $$(wc -c < $(VENDOR)/cytoscape.min.js) bytes"

docs: $(VENV)/.docs  ## HTML in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -E -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

env: $(VENV)/.dev  ## only the environment, for tests and lint

clean:  ## remove all that make has made, the environment too
	rm -rf $(VENV) build dist demo-output htmlcov .coverage .coverage.* docs/_build docs/api/generated
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null || { echo "make: '$(PYTHON)' is not there. Install Python 3.11, 3.12 or 3.13, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "make: lembas_pyg needs Python 3.11, 3.12 or 3.13; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	@echo "Installing the package and what it needs into $(VENV); this takes minutes, once."
	$(INSTALL) -e ".[plot]"
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(INSTALL) -e ".[test,lint]"
	@touch $@

$(VENV)/.docs: $(VENV)/.demo
	$(INSTALL) -e ".[docs]"
	@touch $@
