# Tables: metrics of all runs beside the published values, tidy and in the papers' shape.


rule table:
    """One table number of both papers, a row per cell; needs every run of the table."""
    input:
        published="workflow/published.csv",
        metrics=table_metrics,
        missed=missed_metrics,
    output:
        "<results>/table{table}.csv",
    log:
        "<results>/logs/table{table}.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        plan=table_plan,
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables tidy \
            --table {wildcards.table:q} \
            --published {input.published:q} \
            --plan {params.plan:q} \
            --metrics {input.metrics:q} \
            --out {output:q} \
            --log {log:q}
        """


rule partial_table:
    """The same from what has been measured so far; the other rows say `not run`. Trains nothing."""
    input:
        published="workflow/published.csv",
    output:
        "<results>/partial/table{table}.csv",
    log:
        "<results>/logs/partial/table{table}.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        plan=table_plan,
        # Parameters and not inputs, for which Snakemake would run what is missing. The digest stands for what
        # is in the files.
        metrics=finished_metrics,
        digest=finished_digest,
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables tidy \
            --table {wildcards.table:q} \
            --published {input.published:q} \
            --plan {params.plan:q} \
            --metrics {params.metrics:q} \
            --out {output:q} \
            --log {log:q}
        """


rule words_table:
    """A table of the words paper on one corpus, in the paper's shape, reproduced beside published."""
    input:
        "<results>/table{table}.csv",
    output:
        csv="<results>/words/{corpus}/table{table}.csv",
        md="<results>/words/{corpus}/table{table}.md",
        html=report(
            "<results>/words/{corpus}/table{table}.html",
            caption="../report/words_table.rst",
            category=WORDS_CATEGORY,
            subcategory="Tables",
            labels=labelled("Table {table}", corpus_title),
        ),
        tex="<results>/words/{corpus}/table{table}.tex",
    log:
        "<results>/logs/words/{corpus}/table{table}.log",
    wildcard_constraints:
        table=any_of(map(str, EXPERIMENT.planned_tables(["words"]))),
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables shape \
            --tidy {input:q} \
            --paper words \
            --table {wildcards.table:q} \
            --corpus {wildcards.corpus:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --tex {output.tex:q} \
            --log {log:q}
        """


use rule words_table as partial_words_table with:
    input:
        "<results>/partial/table{table}.csv",
    output:
        csv="<results>/partial/words/{corpus}/table{table}.csv",
        md="<results>/partial/words/{corpus}/table{table}.md",
        html="<results>/partial/words/{corpus}/table{table}.html",
        tex="<results>/partial/words/{corpus}/table{table}.tex",
    log:
        "<results>/logs/partial/words/{corpus}/table{table}.log",


rule sentences_table:
    """A table of the sentences paper over its data sets, in the paper's shape."""
    input:
        "<results>/table{table}.csv",
    output:
        csv="<results>/sentences/table{table}.csv",
        md="<results>/sentences/table{table}.md",
        html=report(
            "<results>/sentences/table{table}.html",
            caption="../report/sentences_table.rst",
            category=SENTENCES_CATEGORY,
            subcategory="Tables",
            labels=labelled("Table {table}", table_names),
        ),
        tex="<results>/sentences/table{table}.tex",
    log:
        "<results>/logs/sentences/table{table}.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        code=fingerprint("textlvm.reporting.tables"),
    shell:
        """
        python -m textlvm.reporting.tables shape \
            --tidy {input:q} \
            --paper sentences \
            --table {wildcards.table:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --tex {output.tex:q} \
            --log {log:q}
        """


use rule sentences_table as partial_sentences_table with:
    input:
        "<results>/partial/table{table}.csv",
    output:
        csv="<results>/partial/sentences/table{table}.csv",
        md="<results>/partial/sentences/table{table}.md",
        html="<results>/partial/sentences/table{table}.html",
        tex="<results>/partial/sentences/table{table}.tex",
    log:
        "<results>/logs/partial/sentences/table{table}.log",


rule sentences_texts:
    """Tables 9 to 21: what models make of sentences, beside each other."""
    input:
        text_files,
    output:
        md="<results>/sentences/table{table}.md",
        html=report(
            "<results>/sentences/table{table}.html",
            caption="../report/sentences_texts.rst",
            category=SENTENCES_CATEGORY,
            subcategory="Texts",
            labels=labelled("Table {table}", text_title),
        ),
        json="<results>/sentences/table{table}.json",
    log:
        "<results>/logs/sentences/table{table}.log",
    wildcard_constraints:
        table=any_of(str(text.number) for text in EXPERIMENT.texts),
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        labels=text_labels,
        title=text_title,
        code=fingerprint("textlvm.reporting.qualitative"),
    shell:
        """
        python -m textlvm.reporting.qualitative \
            --table {wildcards.table:q} \
            --runs {input:q} \
            --labels {params.labels:q} \
            --title {params.title:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --json {output.json:q} \
            --log {log:q}
        """
