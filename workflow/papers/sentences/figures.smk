# Figures and tables of texts of the sentences paper.


rule sentences_figure:
    """Plot a figure from the runs or data sets that it compares."""
    input:
        figure_files(SENTENCES_FIGURE),
    output:
        png="<results>/sentences/figure{figure}.png",
        svg=figure_report(
            "<results>/sentences/figure{figure}.svg", "sentences", "Figure {figure}", figure_title
        ),
    log:
        "<results>/logs/sentences/figure{figure}.log",
    wildcard_constraints:
        figure=any_of(str(figure.number) for figure in EXPERIMENT.figures if figure.paper == "sentences"),
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences"),
        drawn=figure_arguments,
        labels=figure_labels(SENTENCES_FIGURE),
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures {params.drawn:q} \
            --labels {params.labels:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


rule sentences_texts:
    """Create Tables 9 to 22: the texts of several models side by side."""
    input:
        runs=lambda wildcards: below_results(text_table(wildcards).sources),
        paper="workflow/papers/sentences/paper.yaml",
    output:
        md="<results>/sentences/table{table}.md",
        html=report(
            "<results>/sentences/table{table}.html",
            caption="../../report/texts.rst",
            category=PAPERS["sentences"].citation,
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
        "../../../envs/reporting.yaml"
    params:
        labels=lambda wildcards: text_table(wildcards).labels,
        title=text_title,
        folder=subpath(input.paper, parent=True),
        citation=PAPERS["sentences"].citation,
        code=fingerprint("textlvm.sentences.text_tables"),
    shell:
        """
        python -m textlvm.sentences.text_tables \
            --paper {params.folder:q} \
            --table {wildcards.table:q} \
            --runs {input.runs:q} \
            --labels {params.labels:q} \
            --title {params.title:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --json {output.json:q} \
            --log {log:q}
        """
