# Tables: metrics of all runs and the printed values, as tidy CSV and in the papers' layout. Tables in `partial` are
# created from the runs evaluated so far, without training; other rows say `not run`.


rule table:
    """Create the tidy table with this number for all papers, one line per cell, from all runs of the table."""
    input:
        papers=paper_files("paper.yaml", "published.csv"),
        metrics=recreated_metrics,
    output:
        "<results>/table{table}.csv",
    log:
        "<results>/logs/table{table}.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        papers=PAPER_FOLDERS,
        plan=table_plan,
        metrics=lambda wildcards, input: input.metrics,
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables tidy \
            --table {wildcards.table:q} \
            --papers {params.papers:q} \
            --plan /dev/stdin \
            --metrics {params.metrics:q} \
            --out {output:q} \
            --log {log:q} \
            <<<{params.plan:q}
        """


use rule table as partial_table with:
    input:
        papers=paper_files("paper.yaml", "published.csv"),
    output:
        "<results>/partial/table{table}.csv",
    log:
        "<results>/logs/partial/table{table}.log",
    params:
        metrics=finished_metrics,
        digest=lambda wildcards: digest(finished_metrics(wildcards)),


rule table_of_corpus:
    """Create a table in the paper's layout, with reproduced and printed values, for one corpus or for all data sets."""
    input:
        tidy="<results>/table{table}.csv",
        paper=paper_file,
    output:
        csv="<results>/{paper}/{corpus}/table{table}.csv",
        md="<results>/{paper}/{corpus}/table{table}.md",
        html=report(
            "<results>/{paper}/{corpus}/table{table}.html",
            caption="../report/table.rst",
            category=citation,
            subcategory="Tables",
            labels=labelled("Table {table}", corpus_title),
        ),
        tex="<results>/{paper}/{corpus}/table{table}.tex",
    log:
        "<results>/logs/{paper}/{corpus}/table{table}.log",
    wildcard_constraints:
        **tables_each("corpus"),
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        folder=subpath(input.paper, parent=True),
        # Empty for a table over all data sets.
        corpus=lambda wildcards: ["--corpus", wildcards.corpus] if "corpus" in wildcards.keys() else [],
        citation=citation,
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables shape \
            --tidy {input.tidy:q} \
            --paper {params.folder:q} \
            --table {wildcards.table:q} \
            {params.corpus:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --tex {output.tex:q} \
            --log {log:q}
        """


use rule table_of_corpus as partial_table_of_corpus with:
    input:
        tidy="<results>/partial/table{table}.csv",
        paper=paper_file,
    output:
        csv="<results>/partial/{paper}/{corpus}/table{table}.csv",
        md="<results>/partial/{paper}/{corpus}/table{table}.md",
        html="<results>/partial/{paper}/{corpus}/table{table}.html",
        tex="<results>/partial/{paper}/{corpus}/table{table}.tex",
    log:
        "<results>/logs/partial/{paper}/{corpus}/table{table}.log",


use rule table_of_corpus as table_of_paper with:
    output:
        csv="<results>/{paper}/table{table}.csv",
        md="<results>/{paper}/table{table}.md",
        html=report(
            "<results>/{paper}/table{table}.html",
            caption="../report/table.rst",
            category=citation,
            subcategory="Tables",
            labels=labelled("Table {table}", table_names),
        ),
        tex="<results>/{paper}/table{table}.tex",
    log:
        "<results>/logs/{paper}/table{table}.log",
    wildcard_constraints:
        **tables_each("paper"),


use rule table_of_paper as partial_table_of_paper with:
    input:
        tidy="<results>/partial/table{table}.csv",
        paper=paper_file,
    output:
        csv="<results>/partial/{paper}/table{table}.csv",
        md="<results>/partial/{paper}/table{table}.md",
        html="<results>/partial/{paper}/table{table}.html",
        tex="<results>/partial/{paper}/table{table}.tex",
    log:
        "<results>/logs/partial/{paper}/table{table}.log",
