"""Two papers on text latent-variable models, regenerated table by table.

A table of contents: what is run stands in config.yaml, how in workflow/rules, in the order the data flow.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Snakemake makes the folder of every file it includes importable; that of this one holds the package textlvm.
include: "workflow/inputs.smk"
include: "workflow/common_corpora.smk"
include: "workflow/common_report.smk"


# Each paper brings the rules that make its metrics, figures and texts.
for paper in EXPERIMENT.papers.values():

    include: str(paper.rules.resolve())


include: "workflow/common_missed.smk"
include: "workflow/common_claims.smk"
include: "workflow/common_page.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/page.smk"


onerror:
    print(
        "error: not everything is done: the same command goes on from here, "
        "and the target `tables` shows what there is and why a training failed",
        file=sys.stderr,
    )


rule all:
    """Every table and figure of the experiment, and everything on one page and in one archive."""
    default_target: True
    input:
        below_results(products.all_products(EXPERIMENT)),
        whole_archive(),
        "<results>/index.html",


rule tables:
    """Every table, from the runs that have been measured so far; the other rows say `not run`."""
    input:
        below_results(products.partial_products(EXPERIMENT)),
        "<results>/partial/index.html",
