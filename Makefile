# Thin names for the project's commands.

SHELL := /bin/bash
PYTHON ?= python3
# Every recipe runs as in a shell that has sourced envs/activate.
RUN := . envs/activate &&

.PHONY: help env demo tables status corpora test faults mutations lint bench
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1 \t\2/p' Makefile

env: .venv/pins.txt ## build the environment in .venv from the pins in envs/requirements.txt

# Made once, and anew when the pins change. pip says of many packages that a "Location" is ignored where it is
# configured with a folder that lacks them.
.venv/pins.txt: envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'error: $(PYTHON) is older than 3.11: give a newer one, e.g. make env PYTHON=python3.12' >&2; exit 1; }
	@echo 'building the environment in .venv: two minutes, two gigabytes'
	@$(PYTHON) -m venv --clear .venv || \
		{ echo 'error: venv is missing: on Debian, apt install python3-venv' >&2; exit 1; }
	@set -o pipefail; .venv/bin/python -m pip install --quiet --disable-pip-version-check \
		--requirement envs/requirements.txt 2>&1 | { grep -v "WARNING: Location .* is ignored" || true; }
	@cp envs/requirements.txt $@

demo: env ## run the whole workflow on the documentation of the installed packages, offline
	@$(RUN) snakemake --profile workflow/profiles/demo
	@echo 'tables and figures: results/demo'

tables: env ## build every table from the runs that have been measured so far; ARGS="--configfile mine.yaml"
	@$(RUN) snakemake --cores 1 $(ARGS) -- tables

status: env ## show how far every run has come; ARGS="--watch 5" looks again every 5 seconds
	@$(RUN) python -m textlvm.reporting.status $(ARGS)

corpora: env ## show which corpora are there, how they were checked, and how the others would come
	@$(RUN) python -m textlvm.corpora.status $(ARGS)

test: lint ## run all checks
	@$(RUN) snakemake --dry-run --quiet
	@$(RUN) pytest --quiet

faults: env ## break things on purpose and see that nothing is lost: kills, full disks, bad downloads
	@$(RUN) pytest --quiet -m "" tests/faults

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
	for name in training marginal sentences ngram counting cost scale; do \
		echo "== $$name"; python benchmarks/bench_$$name.py $$([ $$name != cost ] || echo --estimate); done; \
	if python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then \
		echo "== gpu"; python benchmarks/bench_gpu.py; fi
