# Files that were removed or damaged by hand, of which Snakemake takes no notice once a table is made from them.

from datetime import datetime
from types import SimpleNamespace

from textlvm.runtime.files import modified, read_object, write_text


def removed_metrics(table):
    """The metrics that this table of a finished experiment was made from, and that are no longer there."""
    product = RESULTS / f"table{table}.csv"
    if not product.exists():
        return []
    made_from = product.read_text(encoding="utf-8", errors="replace")
    paths = [
        str(RESULTS / entry.metrics(seed))
        for entry in of_table(SimpleNamespace(table=table))
        for seed in entry.seeds
    ]
    return [path for path in dict.fromkeys(paths) if path in made_from and not Path(path).exists()]


def missed_path(table):
    """The list of those that had to be measured again for a table: new whenever some are missing."""
    return RESULTS / "logs" / f"table{table}.missed"


def missed_metrics(wildcards):
    """This list, as an input that makes the table anew; its other inputs are then made first."""
    path = missed_path(wildcards.table)
    return str(path) if path.exists() else []


def unknown_trainings():
    """The spec.json of measured runs that are missing or damaged: nothing says any more what was trained."""
    found = [
        RESULTS / run.training_path / f"seed{seed}" / "spec.json"
        for run in RUNS
        for seed in run.seeds
        if (RESULTS / run.metrics(seed)).exists()
    ]
    return [str(path) for path in dict.fromkeys(found) if not read_object(path)]


def look_for_missed():
    """Note what is missing, before Snakemake looks at the files."""
    for table in EXPERIMENT.tables:
        note = missed_path(table)
        if paths := removed_metrics(table):
            head = f"{datetime.now().isoformat()}: removed, and so measured again:"
            write_text(note, "\n".join([head, *paths, ""]))
        elif note.exists() and modified(note) > modified(RESULTS / f"table{table}.csv"):
            # They have been put back.
            note.unlink()
    if lost := unknown_trainings():
        logger.warning(
            f"Missing or damaged: {', '.join(lost)}. Nothing else says how these runs were trained, so `tables` "
            f"says `not run` of them: train them again with --forcerun {shlex.join(lost)}"
        )


# A job of a cluster is part of a run whose Snakemake has looked already.
if not workflow.remote_exec:
    try:
        look_for_missed()
    except OSError as error:
        sys.exit(f"error: {explain(error) or error}")
