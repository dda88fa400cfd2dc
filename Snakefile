"""Two papers on text latent-variable models, regenerated table by table.

A table of contents: what is run stands in config.yaml, how in workflow/rules, in the order the data flow.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


# Snakemake makes the folder of every file it includes importable; that of this one holds the package textlvm.
include: "workflow/common.smk"
include: "workflow/common_sentences.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/words.smk"
include: "workflow/rules/sentences.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/words_figures.smk"
include: "workflow/rules/sentences_figures.smk"


rule all:
    """Every table and figure of the experiment."""
    default_target: True
    input:
        all_products(),


rule tables:
    """Every table, from the runs that have been measured so far; the other rows say `not run`."""
    input:
        partial_tables(),
