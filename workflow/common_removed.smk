# Files that the user removed or damaged. Snakemake does not detect this if a table was already created from them.

from textlvm.runtime.files import read_object


def removed_metrics(wildcards):
    """The metrics files from which this table was created and that no longer exist."""
    try:
        table = Path(RESULTS, f"table{wildcards.table}.csv").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # There is no table yet, or the steps that read it report what is wrong.
        return []
    paths = [str(RESULTS / entry.metrics(seed)) for entry in of_table(wildcards) for seed in entry.seeds]
    return [path for path in dict.fromkeys(paths) if path in table and not Path(path).exists()]


def recreated_metrics(wildcards):
    """The metrics files of a table. If some were removed, the table is forced, so that they are recreated first."""
    if removed_metrics(wildcards):
        # As --forcerun does, except for tables that no target needs.
        workflow.dag.forcefiles.add(str(RESULTS / f"table{wildcards.table}.csv"))
    return table_metrics(wildcards)


def unknown_trainings():
    """The missing or damaged spec.json files of evaluated runs; without them, the settings of training are unknown."""
    found = [
        RESULTS / run.training_path / f"seed{seed}" / "spec.json"
        for run in RUNS
        for seed in run.seeds
        if (RESULTS / run.metrics(seed)).exists()
    ]
    return [str(path) for path in dict.fromkeys(found) if not read_object(path)]


def warn_of_unknown_trainings():
    """Name the missing files, with the option that recreates them."""
    if missing := unknown_trainings():
        logger.warning(
            f"Missing or damaged: {', '.join(missing)}. Without these files the settings of training are unknown, so "
            f"`tables` shows these runs as `not run`: train them again with --forcerun {shlex.join(missing)}"
        )


# In a job on a cluster, the main process has already checked.
if not workflow.remote_exec:
    warn_of_unknown_trainings()
