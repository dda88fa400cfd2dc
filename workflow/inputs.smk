# What the rules share: the experiment, and the functions that turn wildcards into inputs and parameters. Whatever a
# user can get wrong is found here, before there is any job.

import json
import re
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from textlvm.experiment import experiment, products, targets
from textlvm.experiment.relations import check_writable
from textlvm.experiment.serialization import to_json
from textlvm.runtime.errors import FULL, UserError, explain
from textlvm.runtime.fingerprint import fingerprint
from textlvm.runtime.processes import PARENT, announce

SNAKEMAKE = version("snakemake")


def read_experiment():
    """What the configuration asks for, after a check of what the user gave.

    In case of an error this ends Snakemake with one sentence: an exception would come with a traceback.
    """
    files = ["config.yaml", *map(os.path.relpath, workflow.overwrite_configfiles)]
    try:
        found = experiment.load(config, files)
        if workflow.is_main_process:
            check_writable(found.config["pathvars"], found.origin)
        # Snakemake has not looked at its targets yet; the command line has them.
        for word in sys.argv[1:]:
            targets.check_target(word, found)
    except UserError as error:
        sys.exit(f"error: {error}")
    # In place, since rules read it too.
    config.update(found.config)
    return found


EXPERIMENT = read_experiment()
CORPORA, RUNS, RESULTS = EXPERIMENT.corpora, EXPERIMENT.runs, EXPERIMENT.results

# Modules are found here by whatever a rule starts, also on a cluster's nodes and in conda environments, which
# do not keep the variables themselves. $PPID is Snakemake, which no step outlives.
PACKAGES = Path(workflow.basedir, "workflow")
shell.prefix(f"export PYTHONUTF8=1 PYTHONPATH={shlex.quote(str(PACKAGES))} {PARENT}=$PPID; ")


def announce_process():
    """Make this Snakemake known to others in the folder, until it ends; see envs/bin/snakemake."""
    try:
        announce(Path(".snakemake", "instances"))
    except OSError as error:
        if error.errno in FULL:
            sys.exit(f"error: {explain(error)}")
        sys.exit(
            f"error: nothing can be written in .snakemake, where Snakemake keeps its records ({error.strerror}): "
            "move what has that name away, or run this in a copy of the project that you may write in"
        )


announce_process()


def any_of(names):
    """A wildcard constraint: one of these names."""
    return "|".join(map(re.escape, sorted(set(names))))


wildcard_constraints:
    corpus=any_of(CORPORA),
    file=any_of(file.name for corpus in CORPORA.values() for file in corpus.files),
    paper=any_of(EXPERIMENT.papers),
    split=any_of(run.split for run in RUNS),
    run=any_of(run.name for run in RUNS),
    seed=any_of(str(seed) for run in RUNS for seed in run.seeds),
    table=any_of(map(str, EXPERIMENT.tables)),


def as_json(value):
    """Settings as the command line of a step takes them; the same settings always make the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def per_attempt(amount):
    """A resource of which every further attempt gets as much more: what ended for want of it is retried."""

    def granted(wildcards, attempt):
        return amount * attempt

    return granted


# ---- runs

RUN_AT = {run.path: run for run in RUNS}


def run_files(runs, file):
    """A file of every seed of these runs."""
    return [f"<results>/{run.path}/seed{seed}/{file}" for run in runs for seed in run.seeds]


def row_labels(runs):
    """The row labels that go with `run_files`."""
    return [run.label for run in runs for _ in run.seeds]


def in_tables(planned):
    """Those that tables have rows of; the others are trained for these, and not measured."""
    return [entry for entry in planned if entry.rows]


def training_spec(folder):
    """The settings that a training depends on; `folder` is that of the run below the results, with wildcards."""

    def spec(wildcards):
        run = RUN_AT[folder.format(**dict(wildcards.items()))]
        return as_json({"model": run.model, "training": run.training, "data": run.data})

    return spec


def evaluation_settings(folder):
    """The settings that an evaluation depends on, beside the trained run's own."""

    def settings(wildcards):
        return as_json(RUN_AT[folder.format(**dict(wildcards.items()))].evaluation)

    return settings


# ---- tables


def of_table(wildcards):
    """What a table has rows of."""
    return EXPERIMENT.of_table(int(wildcards.table))


def table_plan(wildcards):
    """The planned rows of a table, on every corpus."""
    table = int(wildcards.table)
    return as_json({"planned": [to_json(entry, table) for entry in of_table(wildcards)]})


def whole_plan(wildcards):
    """The planned rows of all tables."""
    return as_json({"planned": [to_json(entry) for entry in EXPERIMENT.in_tables]})


def metrics_of(planned):
    """The metrics of every seed of these runs."""
    return [f"<results>/{entry.metrics(seed)}" for entry in planned for seed in entry.seeds]


def finished_metrics_of(planned):
    """Those that are there, measured with the settings of now, and the failures of trainings with these."""
    return [str(path) for path in EXPERIMENT.outcomes(planned)]


def table_metrics(wildcards):
    """The metrics that a table is made of."""
    return metrics_of(of_table(wildcards))


def finished_metrics(wildcards):
    """Those that are finished."""
    return finished_metrics_of(of_table(wildcards))


def finished_digest(wildcards):
    """Their contents, as one short text."""
    return digest(finished_metrics(wildcards))


def all_metrics(wildcards):
    """The metrics that all tables are made of."""
    return metrics_of(EXPERIMENT.in_tables)


def all_finished_metrics(wildcards):
    """Those that are finished."""
    return finished_metrics_of(EXPERIMENT.in_tables)


def all_finished_digest(wildcards):
    """Their contents, as one short text."""
    return digest(all_finished_metrics(wildcards))


# ---- what is built


def below_results(paths):
    """Files below the results."""
    return [f"<results>/{path}" for path in paths]


def data_statistics():
    """The statistics of prepared data sets that tables have."""
    return metrics_of([entry for entry in EXPERIMENT.in_tables if entry not in RUNS])


def whole_archive():
    """The archive of all that was found, if there are runs to tell of."""
    return ["<results>/ro-crate.zip"] if in_tables(RUNS) else []
