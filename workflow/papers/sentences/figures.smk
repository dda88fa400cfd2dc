# Figures and tables of texts of the sentences paper.


rule sentences_figure3:
    """Plot scores of sentences with their own code and with another's, for the best sMIM and the best sVAE."""
    input:
        figure_files(3),
    output:
        png="<results>/sentences/figure3.png",
        svg=figure_report("<results>/sentences/figure3.svg", "sentences", "Figure 3", figure_title(3)),
    log:
        "<results>/logs/sentences/figure3.log",
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences", 3),
        drawn=lambda wildcards, input: ["pairs", "--histograms", *input],
        labels=figure_labels(3),
        title=figure_title(3),
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures {params.drawn:q} \
            --labels {params.labels:q} \
            --title {params.title:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


# Sentence lengths of every data set.
use rule sentences_figure3 as sentences_figure4 with:
    input:
        [file for name in length_datasets() for file in data_files(name)],
    output:
        png="<results>/sentences/figure4.png",
        svg=figure_report("<results>/sentences/figure4.svg", "sentences", "Figure 4", figure_title(4)),
    log:
        "<results>/logs/sentences/figure4.log",
    params:
        caption=figure_caption("sentences", 4),
        drawn=["lengths", "--data", *map(data_folder, length_datasets())],
        labels=figure_labels(4),
        title="Sentence lengths",
        code=fingerprint("textlvm.sentences.figures"),


# NLL by MELBO as a function of the number of test sentences, for the best sMIM of each data set.
use rule sentences_figure3 as sentences_figure5 with:
    input:
        histograms=figure_files(5),
        references=figure_files(5, "metrics.json"),
    output:
        png="<results>/sentences/figure5.png",
        svg=figure_report("<results>/sentences/figure5.svg", "sentences", "Figure 5", figure_title(5)),
    log:
        "<results>/logs/sentences/figure5.log",
    params:
        caption=figure_caption("sentences", 5),
        drawn=lambda wildcards, input: [
            *("samples", "--histograms", *input.histograms, "--references", *input.references),
            *("--reference-labels", *reference_labels()),
        ],
        labels=figure_labels(5),
        title="MELBO and the size of the test set",
        code=fingerprint("textlvm.sentences.figures"),


# Figures 6 to 8: MELBO values of sMIM and ELBO values of sVAE by latent size.
use rule sentences_figure3 as sentences_bounds with:
    input:
        figure_files(),
    output:
        png="<results>/sentences/figure{figure}.png",
        svg=figure_report(
            "<results>/sentences/figure{figure}.svg", "sentences", "Figure {figure}", figure_title()
        ),
    log:
        "<results>/logs/sentences/figure{figure}.log",
    wildcard_constraints:
        figure=any_of(map(str, sentences.BOUND_FIGURES)),
    params:
        caption=figure_caption("sentences"),
        drawn=lambda wildcards, input: ["bounds", "--histograms", *input],
        labels=figure_labels(),
        title=figure_title(),
        code=fingerprint("textlvm.sentences.figures"),


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
