# Figures of the words paper, for each corpus.


rule words_figure1:
    """The entropy gap of every state space model along the word."""
    input:
        entropy=gap_entropies,
    output:
        png="<results>/words/{corpus}/figure1.png",
        svg=report(
            "<results>/words/{corpus}/figure1.svg",
            caption="../report/words_figure1.rst",
            category=WORDS_CATEGORY,
            subcategory="Figures",
            labels=labelled("Figure 1", corpus_title),
        ),
        csv="<results>/words/{corpus}/figure1.csv",
    log:
        "<results>/logs/words/{corpus}/figure1.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        labels=gap_labels,
        corpus=corpus_title,
        code=fingerprint("textlvm.reporting.figures"),
    shell:
        """
        python -m textlvm.reporting.figures gap \
            --entropy {input.entropy:q} \
            --labels {params.labels:q} \
            --title "Entropy gap in free mode, "{params.corpus:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --csv {output.csv:q} \
            --log {log:q}
        """


rule words_figure2:
    """Entropies over the training of one run, beside the word entropy of a trained baseline."""
    input:
        curves=training_curves,
        baseline=training_baseline,
    output:
        png="<results>/words/{corpus}/figure2.png",
        svg=report(
            "<results>/words/{corpus}/figure2.svg",
            caption="../report/words_figure2.rst",
            category=WORDS_CATEGORY,
            subcategory="Figures",
            labels=labelled("Figure 2", corpus_title),
        ),
    log:
        "<results>/logs/words/{corpus}/figure2.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        labels=training_labels,
        corpus=corpus_title,
        code=fingerprint("textlvm.reporting.figures"),
    shell:
        """
        python -m textlvm.reporting.figures training \
            --curves {input.curves:q} \
            --labels {params.labels:q} \
            --baseline {input.baseline:q} \
            --title "Entropies over training, "{params.corpus:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """
