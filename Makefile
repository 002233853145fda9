# Everything is built into .venv in the checkout; a machine needs only python3.11 with pip and venv.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# Arguments for the command of the same name, such as: make demo DEMO_ARGS="--out /tmp/demo"
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
SPEED ?= profile throughput inference memory cost reference filters

.PHONY: help setup demo test check format lint types contracts docs bench bench-resplits bench-speed tables clean

help:
	@echo "make setup   build .venv"
	@echo "make demo    the whole flow on a generated CT cohort, offline"
	@echo "make test    the tests"
	@echo "make check   format, lint, types, import contracts, docs, tests"
	@echo "make format  rewrite the sources in the common format"
	@echo "make bench   accuracy on real data beside the checkout, 3 seeds; bench-resplits and bench-speed measure the rest"

setup: $(STAMP)

# torch comes first and alone, so that no later requirement chooses another build of it.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[dev,docs,fast,pacs,tensorboard]'
	touch $(STAMP)

demo: setup
	$(BIN)/hu demo $(DEMO_ARGS)

# Two processes with one thread each: the least common machine has two cores.
test: setup
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(TEST_ARGS)

format: setup
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports --no-logo

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir site

check: lint types contracts docs test

# All three go on where they were interrupted. BENCH_ARGS comes last, so it overrides what stands before it.
bench: setup
	$(BIN)/python -m benchmarks.accuracy.classify.run --seeds 3 $(BENCH_ARGS)
	$(BIN)/python -m benchmarks.tables

bench-resplits: setup
	$(BIN)/python -m benchmarks.accuracy.classify.run --resplits 5 $(BENCH_ARGS)
	$(BIN)/python -m benchmarks.tables

bench-speed: setup
	for part in $(SPEED); do $(BIN)/python -m benchmarks.speed.$$part || exit 1; done
	$(BIN)/python -m benchmarks.tables

tables: setup
	$(BIN)/python -m benchmarks.tables

clean:
	rm -rf site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
