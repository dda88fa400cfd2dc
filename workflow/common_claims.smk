# What the rules of the claims take their inputs and parameters from, beside the other common files.

from functools import cache

from textlvm.reporting import published
from textlvm.reporting.claims import file as claims_file


@cache
def read_claims():
    """The papers' claims, after a check against the tables and the planned rows; only if claims are asked for."""
    try:
        return claims_file.load(PAPERS, published.read(PAPERS), EXPERIMENT.planned)
    except UserError as error:
        sys.exit(f"error: {error}")


def claimed_figures(wildcards):
    """The files behind the claims about figures, of every seed."""
    return [
        f"<results>/{file}" for run in RUNS for seed in run.seeds for file in read_claims().files(run, seed)
    ]


def finished_figures(wildcards):
    """Those of the seeds that are measured with the settings of now."""
    return [str(file) for file in read_claims().finished_files(RUNS, RESULTS)]


def finished_figures_digest(wildcards):
    """What stands in them, as one short text."""
    return digest(finished_figures(wildcards))


def claims_code():
    """What the step is, with the functions that make the numbers of figures."""
    modules = {metric.module for paper in PAPERS.values() for metric in paper.figure_metrics.values()}
    # A paper's folder may have modules of its own.
    shipped = sorted(module for module in modules if module.startswith("textlvm."))
    return [fingerprint(module) for module in ("textlvm.reporting.claims.__main__", *shipped)]
