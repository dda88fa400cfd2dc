# Thin names for the project's commands.

SHELL := /bin/bash
PYTHON ?= python3
# Every recipe runs as in a shell that has sourced envs/activate.
RUN := . envs/activate &&
# A process for each processor. What stands in a file shares its fixtures, and is tested by one process.
PYTEST := OMP_NUM_THREADS=1 pytest --quiet --numprocesses logical --dist loadfile --no-loadscope-reorder

.PHONY: help env built demo tables recorded status corpora test faults mutations lint bench
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 \t\2/p' Makefile

env: ## build the environment in .venv from the pins in envs/requirements.txt
	@PYTHON='$(PYTHON)' envs/build

# What only reports builds nothing.
built:
	@envs/build --check

demo: env ## run the whole workflow on the documentation of the installed packages, offline
	@$(RUN) snakemake --profile workflow/profiles/demo
	@echo 'tables and figures: results/demo'

tables: built ## build every table from the runs that have been measured so far; ARGS="--configfile mine.yaml"
	@$(RUN) snakemake --cores 1 $(ARGS) -- tables

recorded: built ## write docs/index.html, the list of runs and the findings anew from results/recorded; nothing is trained
	@$(RUN) python docs/recorded.py
	@$(RUN) python -m textlvm.reporting.recorded --recorded results/recorded --out docs/index.html
	@$(RUN) python docs/findings.py

status: built ## show how far the runs have come; ARGS=--all: every run; ARGS="--watch 5": again every 5 seconds
	@$(RUN) python -m textlvm.reporting.status $(ARGS)

corpora: built ## show which corpora are there, and how the others would come; ARGS=--all: every file
	@$(RUN) python -m textlvm.corpora.status $(ARGS)

test: lint ## run all checks
	@$(RUN) snakemake --dry-run --quiet
	@$(RUN) $(PYTEST)

MARKS ?= faults or not faults

faults: env ## break things on purpose and see that nothing is lost; MARKS="faults and not fuzz": what tests leave out
	@$(RUN) $(PYTEST) -m "$(MARKS)" tests/faults

mutations: env ## take each protection away and see that its test fails; ARGS=test_training.py: only its tests
	@$(RUN) python tests/faults/mutations.py $(ARGS)

lint: env ## check style and the workflow's form
	@$(RUN) ruff check . && ruff format --check .
	@$(RUN) clang-format --dry-run --Werror workflow/textlvm/words/fused/*.h workflow/textlvm/words/fused/*.cpp
	@$(RUN) snakefmt --check Snakefile workflow
	@$(RUN) snakemake --lint

bench: env ## run the benchmarks; their tables go to results/bench
	@$(RUN) mkdir -p results/bench && export OMP_NUM_THREADS=1 PYTHONPATH="$$PYTHONPATH:benchmarks" && set -e; \
	for name in evaluation startup; do pytest --quiet --capture=no benchmarks/bench_$$name.py \
		--benchmark-timer=measure.cpu_seconds --benchmark-columns=min --benchmark-json=results/bench/$$name.json; done; \
	for name in training gradients marginal sentences ngram counting cost scale; do \
		echo "== $$name"; python benchmarks/bench_$$name.py $$([ $$name != cost ] || echo --estimate); done; \
	if python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then \
		echo "== gpu"; python benchmarks/bench_gpu.py; fi
