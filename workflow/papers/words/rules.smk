# The words paper: vocabulary -> split -> train -> evaluate, for every run of the configuration, and its figures.


include: "inputs.smk"


rule words_vocabulary:
    """Choose the words on which the models of a corpus are trained and evaluated."""
    input:
        "<resources>/counts/{corpus}.tsv",
    output:
        "<results>/words/{corpus}/vocabulary.tsv",
    log:
        "<results>/logs/words/{corpus}/vocabulary.log",
    conda:
        "../../../envs/corpora.yaml"
    params:
        settings=as_json(config["words"]["vocabulary"]),
        code=fingerprint("textlvm.corpora.vocabulary"),
    shell:
        """
        python -m textlvm.corpora.vocabulary \
            --counts {input:q} \
            --settings {params.settings:q} \
            --out {output:q} \
            --log {log:q}
        """


rule words_split:
    """Split the counts of the vocabulary into training and test counts."""
    input:
        "<results>/words/{corpus}/vocabulary.tsv",
    output:
        "<results>/words/{corpus}/{split}/words.tsv",
    log:
        "<results>/logs/words/{corpus}/{split}/split.log",
    conda:
        "../../../envs/corpora.yaml"
    params:
        split=split_name,
        settings=split_settings,
        code=fingerprint("textlvm.corpora.splits"),
    shell:
        """
        python -m textlvm.corpora.splits \
            --vocabulary {input:q} \
            --split {params.split:q} \
            --settings {params.settings:q} \
            --out {output:q} \
            --log {log:q}
        """


rule words_ngram:
    """Estimate Kneser-Ney character models of the test words, which score generated words."""
    input:
        "<results>/words/{corpus}/{split}/words.tsv",
    output:
        expand(
            "<results>/words/{{corpus}}/{{split}}/char{order}.arpa",
            order=config["words"]["ngram"]["orders"],
        ),
    log:
        "<results>/logs/words/{corpus}/{split}/ngram.log",
    conda:
        "../../../envs/words.yaml"
    params:
        weight=config["words"]["ngram"]["weight"],
        models=lambda wildcards, output: character_models(output),
        code=fingerprint("textlvm.words.ngram"),
    shell:
        """
        python -m textlvm.words.ngram \
            --words {input:q} \
            --weight {params.weight:q} \
            --out {params.models:q} \
            --log {log:q}
        """


rule words_train:
    """Train one run with one seed; after an interruption, resume from the checkpoint in its folder."""
    input:
        "<results>/words/{corpus}/{split}/words.tsv",
    output:
        spec="<results>/words/{corpus}/{split}/{run}/seed{seed}/spec.json",
        weights="<results>/words/{corpus}/{split}/{run}/seed{seed}/model.safetensors",
        curve="<results>/words/{corpus}/{split}/{run}/seed{seed}/curve.jsonl",
        cost="<results>/words/{corpus}/{split}/{run}/seed{seed}/cost.json",
        provenance="<results>/words/{corpus}/{split}/{run}/seed{seed}/training.json",
    log:
        "<results>/logs/words/{corpus}/{split}/{run}/seed{seed}/train.log",
    benchmark:
        "<results>/benchmarks/words/{corpus}/{split}/{run}/seed{seed}/train.tsv"
    conda:
        "../../../envs/words.yaml"
    # More threads make these small matrices slower; on two cores, two jobs of two threads take seven times
    # as long as two of one.
    threads: 1
    resources:
        # The compiled pass on one core is faster than a GPU, which spends most of the time on kernel launches.
        gpu=0,
        mem_mb=per_attempt(4000),
        # The next attempt gets the same time and resumes from the checkpoint.
        runtime=720,
    params:
        folder=subpath(output.spec, parent=True),
        spec=training_spec(WORDS_RUN),
        code=fingerprint("textlvm.words.train"),
    # exec: a scheduler's SIGTERM must reach Python, not end a shell in between before the state is saved.
    shell:
        """
        exec python -m textlvm.words.train \
            --words {input:q} \
            --name words/{wildcards.corpus:q}/{wildcards.split:q}/{wildcards.run:q} \
            --seed {wildcards.seed:q} \
            --spec {params.spec:q} \
            --checkpoint {params.folder:q}/checkpoint \
            --out {params.folder:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """


rule words_evaluate:
    """Evaluate one trained run: cross entropies, generated words, entropies in free mode."""
    input:
        spec="<results>/words/{corpus}/{split}/{run}/seed{seed}/spec.json",
        weights="<results>/words/{corpus}/{split}/{run}/seed{seed}/model.safetensors",
        words="<results>/words/{corpus}/{split}/words.tsv",
        ngrams=expand(
            "<results>/words/{{corpus}}/{{split}}/char{order}.arpa",
            order=config["words"]["ngram"]["orders"],
        ),
    output:
        metrics="<results>/words/{corpus}/{split}/{run}/seed{seed}/metrics.json",
        provenance="<results>/words/{corpus}/{split}/{run}/seed{seed}/provenance.json",
        entropy="<results>/words/{corpus}/{split}/{run}/seed{seed}/entropy.csv",
        samples="<results>/words/{corpus}/{split}/{run}/seed{seed}/samples.txt",
    log:
        "<results>/logs/words/{corpus}/{split}/{run}/seed{seed}/evaluate.log",
    benchmark:
        "<results>/benchmarks/words/{corpus}/{split}/{run}/seed{seed}/evaluate.tsv"
    conda:
        "../../../envs/words.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=per_attempt(8000),
        runtime=per_attempt(240),
    params:
        folder=subpath(input.spec, parent=True),
        settings=evaluation_settings(WORDS_RUN),
        ngrams=lambda wildcards, input: character_models(input.ngrams),
        corpora=corpus_files,
        code=fingerprint("textlvm.words.evaluate"),
    shell:
        """
        python -m textlvm.words.evaluate \
            --words {input.words:q} \
            --run {params.folder:q} \
            --settings {params.settings:q} \
            --ngram {params.ngrams:q} \
            --corpora {params.corpora:q} \
            --out {output.metrics:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """


rule words_figure1:
    """Plot the entropy gap of every state space model by position in the word."""
    input:
        entropy=figure_files("words/{corpus}/figure1"),
    output:
        png="<results>/words/{corpus}/figure1.png",
        svg=figure_report("<results>/words/{corpus}/figure1.svg", "words", "Figure 1", corpus_title),
        csv="<results>/words/{corpus}/figure1.csv",
    log:
        "<results>/logs/words/{corpus}/figure1.log",
    localrule: True
    conda:
        "../../../envs/reporting.yaml"
    params:
        caption=figure_caption("words", 1),
        labels=figure_labels("words/{corpus}/figure1"),
        corpus=corpus_title,
        code=fingerprint("textlvm.words.figures"),
    shell:
        """
        python -m textlvm.words.figures gap \
            --entropy {input.entropy:q} \
            --labels {params.labels:q} \
            --title "Entropy gap in free mode, "{params.corpus:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --csv {output.csv:q} \
            --log {log:q}
        """


rule words_figure2:
    """Plot the entropies during the training of one run, and the word entropy of a trained baseline."""
    input:
        curves=figure_files("words/{corpus}/figure2", "curve.jsonl"),
        baseline=figure_files("words/{corpus}/figure2", "metrics.json"),
    output:
        png="<results>/words/{corpus}/figure2.png",
        svg=figure_report("<results>/words/{corpus}/figure2.svg", "words", "Figure 2", corpus_title),
    log:
        "<results>/logs/words/{corpus}/figure2.log",
    localrule: True
    conda:
        "../../../envs/reporting.yaml"
    params:
        caption=figure_caption("words", 2),
        labels=figure_labels("words/{corpus}/figure2"),
        corpus=corpus_title,
        code=fingerprint("textlvm.words.figures"),
    shell:
        """
        python -m textlvm.words.figures training \
            --curves {input.curves:q} \
            --labels {params.labels:q} \
            --baseline {input.baseline:q} \
            --title "Entropies over training, "{params.corpus:q} \
            --png {output.png:q} \
            --svg {output.svg:q} \
            --log {log:q}
        """
