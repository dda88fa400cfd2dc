# The experiment, and functions that turn wildcards into inputs and parameters, for all rules. User errors are detected
# here, before any job starts.

import json
import re
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from snakemake.utils import update_config
from textlvm.experiment import experiment, products, targets
from textlvm.experiment.configfile import with_types
from textlvm.experiment.folders import check_writable
from textlvm.experiment.serialization import to_json
from textlvm.runtime.errors import FULL, UserError, explain
from textlvm.runtime.fingerprint import fingerprint
from textlvm.runtime import PARENT
from textlvm.runtime.processes import announce

SNAKEMAKE = version("snakemake")


def read_experiment():
    """The experiment that the configuration describes, after a check of the user's input.

    An error ends Snakemake with one sentence; an exception would print a traceback.
    """
    files = ["config.yaml", *map(os.path.relpath, workflow.overwrite_configfiles)]
    update_config(config, with_types(workflow.config_settings.config))
    try:
        found = experiment.load(config, files)
        if workflow.is_main_process:
            check_writable(found.config["pathvars"], found.origin)
        # Snakemake has not parsed its targets yet, so they are taken from the command line.
        for word in sys.argv[1:]:
            targets.check_target(word, found)
    except UserError as error:
        sys.exit(f"error: {error}")
    # In place, because rules read it too.
    config.update(found.config)
    return found


EXPERIMENT = read_experiment()
CORPORA, RUNS, RESULTS = EXPERIMENT.corpora, EXPERIMENT.runs, EXPERIMENT.results

# These variables reach every process that a rule starts, also on cluster nodes and in conda environments, which do
# not inherit the variables of Snakemake. $PPID is Snakemake; every step ends with it.
PACKAGES = Path(workflow.basedir, "workflow")
shell.prefix(f"export PYTHONUTF8=1 PYTHONPATH={shlex.quote(str(PACKAGES))} {PARENT}=$PPID; ")


def announce_process():
    """Announce this instance of Snakemake to other instances until it ends; see envs/bin/snakemake."""
    try:
        announce(Path(".snakemake", "instances"))
    except OSError as error:
        if error.errno in FULL:
            sys.exit(f"error: {explain(error)}")
        sys.exit(
            f"error: cannot write to .snakemake, where Snakemake keeps its records ({error.strerror}): "
            "make it a writable folder, or run this in a copy of the project that you can write to"
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
    """Settings as an argument of a step; equal settings always give the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def per_attempt(amount):
    """A resource that grows by `amount` with every attempt, for jobs that fail for lack of it."""

    def granted(wildcards, attempt):
        return amount * attempt

    return granted


# ---- runs

RUN_AT = {run.path: run for run in RUNS}
# The other runs only supply trained models, and are not evaluated.
TABLE_RUNS = [run for run in RUNS if run.rows]


def run_files(runs, file):
    """A file of every seed of these runs."""
    return [f"<results>/{run.path}/seed{seed}/{file}" for run in runs for seed in run.seeds]


def training_spec(folder):
    """The settings that a training depends on; `folder` is the run's folder in the results, with wildcards."""

    def spec(wildcards):
        run = RUN_AT[folder.format(**dict(wildcards.items()))]
        return as_json({"model": run.model, "training": run.training, "data": run.data})

    return spec


def evaluation_settings(folder):
    """The settings that an evaluation depends on, in addition to those of training."""

    def settings(wildcards):
        return as_json(RUN_AT[folder.format(**dict(wildcards.items()))].evaluation)

    return settings


# ---- tables

# Steps read a plan from their standard input: on Linux, one argument can have 128 KiB, which the plan of many runs
# exceeds.


def of_table(wildcards):
    """The planned runs and data sets in the rows of a table."""
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
    """The existing metrics with the current settings, and the failures of training with these settings."""
    return [str(path) for path in EXPERIMENT.outcomes(planned)]


def table_metrics(wildcards):
    """The metrics files of a table."""
    return metrics_of(of_table(wildcards))


def finished_metrics(wildcards):
    """The existing metrics files of a table with the current settings."""
    return finished_metrics_of(of_table(wildcards))


def all_metrics(wildcards):
    """The metrics files of all tables."""
    return metrics_of(EXPERIMENT.in_tables)


def all_finished_metrics(wildcards):
    """The existing metrics files of all tables with the current settings."""
    return finished_metrics_of(EXPERIMENT.in_tables)


# ---- targets


def below_results(paths):
    """Paths in the results folder."""
    return [f"<results>/{path}" for path in paths]


def data_statistics():
    """The statistics of prepared data sets that tables show."""
    return metrics_of([entry for entry in EXPERIMENT.in_tables if entry not in RUNS])


def whole_archive():
    """The archive of all results, if tables contain any run."""
    return ["<results>/ro-crate.zip"] if TABLE_RUNS else []
