"""Two papers on text latent-variable models, reproduced table by table.

config.yaml defines what is run; workflow/rules contains the rules, in the order of the data flow.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Snakemake adds the folder of each included file to sys.path; the folder of this one contains the package textlvm.
include: "workflow/inputs.smk"
include: "workflow/common_corpora.smk"
include: "workflow/common_report.smk"


# The rules of each paper, which create its metrics, figures and texts.
for paper in EXPERIMENT.papers.values():

    include: str(paper.rules.resolve())


include: "workflow/common_removed.smk"
include: "workflow/common_claims.smk"
include: "workflow/common_page.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/page.smk"


onstart:
    # By default, Snakemake starts at most 100 jobs a second, for which every finished job adds a timer that wakes the
    # scheduler once a second until the end (reported as https://github.com/snakemake/snakemake/issues/2967): after 94
    # jobs of `make demo`, it took a third of a core. A limit given on the command line or in a profile remains.
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onerror:
    print(
        "error: some jobs failed: run the same command again to continue; "
        "the target `tables` shows the results so far and why a training failed",
        file=sys.stderr,
    )


rule all:
    """Create all tables and figures of the experiment, the page and the archive."""
    default_target: True
    input:
        below_results(products.all_products(EXPERIMENT)),
        whole_archive(),
        "<results>/index.html",


rule tables:
    """Create all tables from the runs evaluated so far; other rows say `not run`."""
    input:
        below_results(products.partial_products(EXPERIMENT)),
        "<results>/partial/index.html",
