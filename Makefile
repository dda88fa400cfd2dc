# Short names for the project's commands.

SHELL := /bin/bash
PYTHON ?= python3
# Recipes run as in a shell that has sourced envs/activate.
RUN := . envs/activate &&
# One process per CPU. The tests of a file share fixtures and therefore run in one process.
PYTEST := OMP_NUM_THREADS=1 pytest --quiet --numprocesses logical --dist loadfile --no-loadscope-reorder

.PHONY: help env built demo tables recorded status corpora test faults mutations lint bench
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 \t\2/p' Makefile

env: ## build the environment in .venv from the pinned packages in envs/requirements.txt
	@PYTHON='$(PYTHON)' envs/build

# Commands that only report do not build the environment.
built:
	@envs/build --check

demo: env ## run the whole workflow on the documentation of the installed packages, offline
	@$(RUN) python -m textlvm.runtime.starter snakemake --profile workflow/profiles/demo
	@echo 'tables and figures: results/demo'

tables: built ## create every table from the runs evaluated so far; ARGS="--configfile mine.yaml"
	@$(RUN) snakemake --cores 1 $(ARGS) -- tables

recorded: built ## regenerate docs/index.html, the list of runs and the findings from results/recorded, without training
	@$(RUN) python docs/runs.py
	@$(RUN) python -m textlvm.reporting.recorded --recorded results/recorded --out docs/index.html
	@$(RUN) python docs/findings.py

status: built ## count finished, running and waiting runs; ARGS=--all lists every run, ARGS="--watch 5" updates every 5 seconds
	@$(RUN) python -m textlvm.reporting.status $(ARGS)

corpora: built ## show which corpora are present, and how to get the others; ARGS=--all lists every file
	@$(RUN) python -m textlvm.corpora.status $(ARGS)

test: lint ## run the linters and all tests except slow tests of failures (make faults)
	@$(RUN) snakemake --dry-run --quiet
	@$(RUN) $(PYTEST)

MARKS ?= faults or not faults

faults: env ## cause failures and check that nothing is lost; MARKS="faults and not fuzz": only those that make test skips
	@$(RUN) $(PYTEST) -m "$(MARKS)" tests/faults

mutations: env ## remove each protection and check that its test fails; ARGS=test_training.py: only this file
	@$(RUN) python tests/faults/mutations.py $(ARGS)

lint: env ## check style, formatting and the workflow
	@$(RUN) ruff check . && ruff format --check .
	@$(RUN) clang-format --dry-run --Werror workflow/textlvm/words/fused/*.h workflow/textlvm/words/fused/*.cpp
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) snakemake --lint

bench: env ## run the benchmarks and save their tables in results/bench
	@$(RUN) mkdir -p results/bench && export OMP_NUM_THREADS=1 PYTHONPATH="$$PYTHONPATH:benchmarks" && set -e; \
	for name in evaluation startup; do pytest --quiet --capture=no benchmarks/bench_$$name.py \
		--benchmark-timer=measure.cpu_seconds --benchmark-columns=min --benchmark-json=results/bench/$$name.json; done; \
	for name in training gradients marginal sentences ngram counting cost scale; do \
		echo "== $$name"; python benchmarks/bench_$$name.py $$([ $$name != cost ] || echo --estimate); done; \
	if python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then \
		echo "== gpu"; python benchmarks/bench_gpu.py; fi
