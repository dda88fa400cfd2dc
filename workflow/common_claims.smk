# Functions for the inputs and parameters of the rules of the claims.

from functools import cache

from textlvm.reporting import published
from textlvm.reporting.claims import file as claims_file


@cache
def read_claims():
    """The claims of the papers, checked against the tables and the planned rows; read only if needed."""
    try:
        return claims_file.load(PAPERS, published.read(PAPERS), EXPERIMENT.planned)
    except UserError as error:
        sys.exit(f"error: {error}")


def claimed_figures(wildcards):
    """The files of all seeds that claims about figures use."""
    return [
        f"<results>/{file}" for run in RUNS for seed in run.seeds for file in read_claims().files(run, seed)
    ]


def finished_figures(wildcards):
    """The same files, only of seeds that are evaluated with the current settings."""
    return [str(file) for file in read_claims().finished_files(RUNS, RESULTS)]


def with_figure_metrics(step):
    """The fingerprints of a step and of the functions that compute the papers' `figure_metrics`."""
    modules = {metric.module for paper in PAPERS.values() for metric in paper.figure_metrics.values()}
    # A paper's folder may contain modules.
    shipped = sorted(module for module in modules if module.startswith("textlvm."))
    return [fingerprint(module) for module in (step, *shipped)]
