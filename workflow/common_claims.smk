# What the rules of the claims take their inputs and parameters from, beside the other common files.

from textlvm.reporting import published
from textlvm.reporting.claims import file as claims_file

CLAIMS = "workflow/claims.yaml"
PUBLISHED = "workflow/published.csv"


def read_claims():
    """The papers' claims, after a check against the tables and the planned rows."""
    rows = {(entry.paper, row.table, row.label) for entry in EXPERIMENT.planned for row in entry.rows}
    try:
        return claims_file.load(CLAIMS, published.read(PUBLISHED), rows)
    except UserError as error:
        sys.exit(f"error: {error}")


CLAIMED_FIGURES = read_claims().figures


def figure_files(seeds):
    """The files behind the claims about figures, below the results; `seeds` gives those of a run."""
    return [
        f"{run.path}/seed{seed}/{file}"
        for run in RUNS
        for file in sorted(
            {
                figure.file
                for figure in CLAIMED_FIGURES
                if figure.paper == run.paper
                and run.dataset in ("", figure.dataset)
                and any((row.table, row.label) == (figure.table, figure.row) for row in run.rows)
            }
        )
        for seed in seeds(run)
    ]


def claimed_figures(wildcards):
    """These files, of every seed."""
    return [f"<results>/{file}" for file in figure_files(lambda run: run.seeds)]


def finished_figures(wildcards):
    """Those of the seeds that are measured with the settings of now."""
    files = figure_files(lambda run: [seed for seed in run.seeds if run.is_finished(seed, RESULTS)])
    return [str(RESULTS / file) for file in files if (RESULTS / file).exists()]


def finished_figures_digest(wildcards):
    """What stands in them, as one short text."""
    contents = (Path(path).read_bytes() for path in finished_figures(wildcards))
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]
