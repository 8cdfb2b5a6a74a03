# Everything runs in one virtual environment, .venv, made once from wheels alone: no compiler, no node, no system package.
#   make demo      predict a published trial and compare with what it observed
#   make test      ruff and the tests, on every core
#   make lint      ruff (lint and format) and pyright
#   make bench     speed of the engine beside its peers, at matched error (an hour; AMICI needs a C++ compiler and HDF5)
#   make counts    instructions of fixed solves; BASE=main compares with a revision
#   make mutants   break the code on purpose; a named test must notice each break
#   make clean     remove the environment and caches (runs/ stays)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint bench counts mutants clean
.DEFAULT_GOAL := demo

# The stamp is younger than both files once what they ask for is installed. FlowIO has no wheel; it is pure Python.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Mesolung needs Python 3.11 or later; '$(PYTHON)' is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary flowio \
	  --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/mesolung run examples/lanzoni-2021.toml --replicates 200

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# The peers are installed here alone. AMICI has no wheel: where a C++ compiler or HDF5 is missing it is left out, and
# named as absent. Models that it compiled are kept in the user's cache.
bench: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-binary flowio \
	  --constraint constraints.txt --constraint benchmarks/constraints.txt --editable '.[dev,bench]'
	-PATH="$(abspath $(BIN)):$$PATH" AMICI_BLAS_USE_SCIPY_OPENBLAS=TRUE $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --constraint constraints.txt --constraint benchmarks/constraints.txt amici
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m benchmarks.peers --store
	$(BIN)/python tools/benchmark_page.py

counts: $(STAMP)
	$(BIN)/python -m benchmarks.instructions $(if $(BASE),--base $(BASE))

mutants: $(STAMP)
	$(BIN)/python tools/mutants.py tools/mutants.toml

clean:
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
