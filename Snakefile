"""Two papers on text latent-variable models, regenerated table by table.

A table of contents: what is run stands in config.yaml, how in workflow/rules, in the order the data flow.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Snakemake makes the folder of every file it includes importable; that of this one holds the package textlvm.
include: "workflow/common.smk"
include: "workflow/common_corpora.smk"
include: "workflow/common_missed.smk"
include: "workflow/common_sentences.smk"
include: "workflow/common_report.smk"
include: "workflow/common_claims.smk"
include: "workflow/common_page.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/words.smk"
include: "workflow/rules/sentences.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/words_figures.smk"
include: "workflow/rules/sentences_figures.smk"
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
        all_products(),
        whole_archive(),
        "<results>/index.html",


rule tables:
    """Every table, from the runs that have been measured so far; the other rows say `not run`."""
    input:
        partial_tables(),
        "<results>/partial/index.html",
