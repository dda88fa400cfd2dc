# Files that were removed or damaged by hand, of which Snakemake takes no notice once a table is made from them.

from textlvm.runtime.files import read_object


def removed_metrics(wildcards):
    """The metrics that this table of a finished experiment was made from, and that are no longer there."""
    try:
        made_from = Path(RESULTS, f"table{wildcards.table}.csv").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # There is none yet, or the steps that read it say what is wrong with it.
        return []
    paths = [str(RESULTS / entry.metrics(seed)) for entry in of_table(wildcards) for seed in entry.seeds]
    return [path for path in dict.fromkeys(paths) if path in made_from and not Path(path).exists()]


def metrics_made_again(wildcards):
    """The metrics of a table; the table is forced if some were removed, so that these are made first."""
    if removed_metrics(wildcards):
        # What --forcerun does, but for a table that no target needs.
        workflow.dag.forcefiles.add(str(RESULTS / f"table{wildcards.table}.csv"))
    return table_metrics(wildcards)


def unknown_trainings():
    """The spec.json of measured runs that are missing or damaged: nothing says any more what was trained."""
    found = [
        RESULTS / run.training_path / f"seed{seed}" / "spec.json"
        for run in RUNS
        for seed in run.seeds
        if (RESULTS / run.metrics(seed)).exists()
    ]
    return [str(path) for path in dict.fromkeys(found) if not read_object(path)]


def warn_of_unknown_trainings():
    """Name what is missing, with the command that makes it anew."""
    if lost := unknown_trainings():
        logger.warning(
            f"Missing or damaged: {', '.join(lost)}. Nothing else says how these runs were trained, so `tables` "
            f"says `not run` of them: train them again with --forcerun {shlex.join(lost)}"
        )


# A job of a cluster is part of a run whose Snakemake has looked already.
if not workflow.remote_exec:
    warn_of_unknown_trainings()
