# The paper's rules: measure every run, and draw the figure.

SHANNON_RUN = "shannon/{corpus}/{run}"


rule shannon_measure:
    """Count the letters of a corpus, or pairs of them, and compute their entropy."""
    input:
        script=PAPERS["shannon"].folder / "letters.py",
        counts="<resources>/counts/{corpus}.tsv",
    output:
        metrics="<results>/shannon/{corpus}/{run}/seed{seed}/metrics.json",
        provenance="<results>/shannon/{corpus}/{run}/seed{seed}/provenance.json",
        spec="<results>/shannon/{corpus}/{run}/seed{seed}/spec.json",
        weights="<results>/shannon/{corpus}/{run}/seed{seed}/model.safetensors",
        curve="<results>/shannon/{corpus}/{run}/seed{seed}/curve.jsonl",
        cost="<results>/shannon/{corpus}/{run}/seed{seed}/cost.json",
    log:
        "<results>/logs/shannon/{corpus}/{run}/seed{seed}/train.log",
    params:
        folder=subpath(output.metrics, parent=True),
        spec=training_spec(SHANNON_RUN),
        settings=evaluation_settings(SHANNON_RUN),
    shell:
        """
        python {input.script:q} measure \
            --counts {input.counts:q} \
            --name shannon/{wildcards.corpus:q}/{wildcards.run:q} \
            --seed {wildcards.seed:q} \
            --spec {params.spec:q} \
            --settings {params.settings:q} \
            --out {params.folder:q} \
            --log {log:q}
        """


rule shannon_figure1:
    """Draw the entropies of a corpus as bars."""
    input:
        script=PAPERS["shannon"].folder / "letters.py",
        metrics=figure_files("shannon/{corpus}/figure1"),
    output:
        png="<results>/shannon/{corpus}/figure1.png",
        svg="<results>/shannon/{corpus}/figure1.svg",
    log:
        "<results>/logs/shannon/{corpus}/figure1.log",
    localrule: True
    params:
        title=corpus_title,
    shell:
        """
        python {input.script:q} figure \
            --metrics {input.metrics:q} \
            --title {params.title:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """
