# Figures and tables of texts of the sentences paper.


rule sentences_figure3:
    """Sentences with their own code and with another's, for the best sMIM and the best sVAE."""
    input:
        histograms=lambda wildcards: run_files(pair_runs(wildcards), "histograms.json"),
    output:
        png="<results>/sentences/figure3.png",
        svg=report(
            "<results>/sentences/figure3.svg",
            caption="../../report/figure.rst",
            category=PAPERS["sentences"].citation,
            subcategory="Figures",
            labels=labelled("Figure 3", lambda wildcards: figure_title(3)),
        ),
    log:
        "<results>/logs/sentences/figure3.log",
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences", 3),
        labels=lambda wildcards: row_labels(pair_runs(wildcards)),
        title=lambda wildcards: figure_title(3),
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures pairs \
            --histograms {input.histograms:q} \
            --labels {params.labels:q} \
            --title {params.title:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


rule sentences_figure4:
    """Sentence lengths of every data set."""
    input:
        [file for name in length_datasets() for file in data_files(name)],
    output:
        png="<results>/sentences/figure4.png",
        svg=report(
            "<results>/sentences/figure4.svg",
            caption="../../report/figure.rst",
            category=PAPERS["sentences"].citation,
            subcategory="Figures",
            labels=labelled("Figure 4", lambda wildcards: figure_title(4)),
        ),
    log:
        "<results>/logs/sentences/figure4.log",
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences", 4),
        data=[data_folder(name) for name in length_datasets()],
        # A function, since Snakemake reads braces in any other parameter as wildcards.
        labels=lambda wildcards: [dataset_name(name) for name in length_datasets()],
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures lengths \
            --data {params.data:q} \
            --labels {params.labels:q} \
            --title "Sentence lengths" \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


rule sentences_figure5:
    """NLL by MELBO against the number of test sentences, for the best sMIM of each data set."""
    input:
        histograms=first_files(sentences.sample_runs(SENTENCES, RUNS, "run"), "histograms.json"),
        references=first_files(sentences.sample_runs(SENTENCES, RUNS, "reference"), "metrics.json"),
    output:
        png="<results>/sentences/figure5.png",
        svg=report(
            "<results>/sentences/figure5.svg",
            caption="../../report/figure.rst",
            category=PAPERS["sentences"].citation,
            subcategory="Figures",
            labels=labelled("Figure 5", lambda wildcards: figure_title(5)),
        ),
    log:
        "<results>/logs/sentences/figure5.log",
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences", 5),
        labels=sample_labels,
        references=lambda wildcards: [
            run.label for run in sentences.sample_runs(SENTENCES, RUNS, "reference")
        ],
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures samples \
            --histograms {input.histograms:q} \
            --labels {params.labels:q} \
            --references {input.references:q} \
            --reference-labels {params.references:q} \
            --title "MELBO and the size of the test set" \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


rule sentences_bounds:
    """Figures 6 to 8: MELBO values of sMIM and ELBO values of sVAE by latent size."""
    input:
        histograms=lambda wildcards: run_files(bound_runs(wildcards), "histograms.json"),
    output:
        png="<results>/sentences/figure{figure}.png",
        svg=report(
            "<results>/sentences/figure{figure}.svg",
            caption="../../report/figure.rst",
            category=PAPERS["sentences"].citation,
            subcategory="Figures",
            labels=labelled("Figure {figure}", lambda wildcards: figure_title(wildcards.figure)),
        ),
    log:
        "<results>/logs/sentences/figure{figure}.log",
    wildcard_constraints:
        figure=any_of(map(str, sentences.BOUND_FIGURES)),
    localrule: True
    conda:
        "../../../envs/sentences.yaml"
    params:
        caption=figure_caption("sentences"),
        labels=lambda wildcards: row_labels(bound_runs(wildcards)),
        title=lambda wildcards: figure_title(wildcards.figure),
        code=fingerprint("textlvm.sentences.figures"),
    shell:
        """
        python -m textlvm.sentences.figures bounds \
            --histograms {input.histograms:q} \
            --labels {params.labels:q} \
            --title {params.title:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """


rule sentences_texts:
    """Tables 9 to 21: what models make of sentences, beside each other."""
    input:
        runs=text_files,
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
        labels=text_labels,
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
