# The sentences paper: data set -> train -> evaluate and show, for every run of the configuration, and its figures.


include: "inputs.smk"
include: "figures.smk"


rule sentences_prepare:
    """Tokenize the texts of a data set, draw its splits and choose its vocabulary, for all runs."""
    input:
        dataset_sources,
    output:
        statistics="<results>/sentences/{dataset}/data/statistics.json",
        vocabulary="<results>/sentences/{dataset}/data/vocabulary.tsv",
        sentences=expand("<results>/sentences/{{dataset}}/data/{file}", file=sentences.ARRAYS),
    log:
        "<results>/logs/sentences/{dataset}/prepare.log",
    benchmark:
        "<results>/benchmarks/sentences/{dataset}/prepare.tsv"
    wildcard_constraints:
        dataset=any_of(set(DATA_SETS) - set(of_questions())),
    conda:
        "../../../envs/sentences.yaml"
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        folder=subpath(output.statistics, parent=True),
        settings=dataset_settings,
        sources=source_arguments,
        distinct=distinct_sentences,
        code=fingerprint("textlvm.sentences.data.prepare"),
    shell:
        """
        python -m textlvm.sentences.data.prepare \
            --dataset {wildcards.dataset:q} \
            --settings {params.settings:q} \
            --sources {params.sources:q} \
            --distinct {params.distinct} \
            --out {params.folder:q} \
            --log {log:q}
        """


use rule sentences_prepare as sentences_prepare_questions with:
    output:
        statistics="<results>/sentences/{dataset}/data/statistics.json",
        vocabulary="<results>/sentences/{dataset}/data/vocabulary.tsv",
        questions="<results>/sentences/{dataset}/data/questions.json",
    wildcard_constraints:
        dataset=any_of(of_questions()),


rule sentences_train:
    """Train one run with one seed; after an interruption, resume from the checkpoint in its folder."""
    input:
        training_data,
    output:
        spec="<results>/sentences/{dataset}/{run}/seed{seed}/spec.json",
        weights="<results>/sentences/{dataset}/{run}/seed{seed}/model.safetensors",
        curve="<results>/sentences/{dataset}/{run}/seed{seed}/curve.jsonl",
        cost="<results>/sentences/{dataset}/{run}/seed{seed}/cost.json",
        provenance="<results>/sentences/{dataset}/{run}/seed{seed}/training.json",
    log:
        "<results>/logs/sentences/{dataset}/{run}/seed{seed}/train.log",
    benchmark:
        "<results>/benchmarks/sentences/{dataset}/{run}/seed{seed}/train.tsv"
    conda:
        "../../../envs/sentences.yaml"
    # Two jobs with one thread each are faster than one with two; for a single job, use --set-threads.
    threads: 1
    resources:
        gpu=1,
        mem_mb=per_attempt(16000),
        # The next attempt gets the same time and resumes from the checkpoint.
        runtime=2880,
    params:
        folder=subpath(output.spec, parent=True),
        data=subpath(input[0], parent=True),
        spec=training_spec(SENTENCES_RUN),
        code=fingerprint("textlvm.sentences.train"),
    # exec: a scheduler's SIGTERM must reach Python, not end a shell in between before the state is saved.
    shell:
        """
        exec python -m textlvm.sentences.train \
            --data {params.data:q} \
            --name sentences/{wildcards.dataset:q}/{wildcards.run:q} \
            --seed {wildcards.seed:q} \
            --spec {params.spec:q} \
            --checkpoint {params.folder:q}/checkpoint \
            --out {params.folder:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """


rule sentences_evaluate:
    """Evaluate one trained run on a data set: bounds, reconstructions, codes, or the ranking of answers."""
    input:
        trained_files,
        measured_data,
    output:
        metrics="<results>/sentences/{dataset}/{run}/seed{seed}/metrics.json",
        provenance="<results>/sentences/{dataset}/{run}/seed{seed}/provenance.json",
        histograms="<results>/sentences/{dataset}/{run}/seed{seed}/histograms.json",
    log:
        "<results>/logs/sentences/{dataset}/{run}/seed{seed}/evaluate.log",
    benchmark:
        "<results>/benchmarks/sentences/{dataset}/{run}/seed{seed}/evaluate.tsv"
    conda:
        "../../../envs/sentences.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=per_attempt(16000),
        runtime=per_attempt(480),
    params:
        run=trained_folder,
        data=measured_arguments,
        settings=evaluation_settings(SENTENCES_RUN),
        corpora=measured_sources,
        supplied=supplied_model,
        code=fingerprint("textlvm.sentences.evaluate"),
    shell:
        """
        python -m textlvm.sentences.evaluate \
            --run {params.run:q} \
            {params.data:q} \
            --settings {params.settings:q} \
            --corpora {params.corpora:q} \
            --out {output.metrics:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """


rule sentences_likelihood:
    """Bound the likelihood of one trained run under priors without test sentences."""
    input:
        trained_files,
        measured_data,
    output:
        "<results>/sentences/{dataset}/{run}/seed{seed}/likelihood.json",
    log:
        "<results>/logs/sentences/{dataset}/{run}/seed{seed}/likelihood.log",
    benchmark:
        "<results>/benchmarks/sentences/{dataset}/{run}/seed{seed}/likelihood.tsv"
    wildcard_constraints:
        dataset=any_of(set(DATA_SETS) - set(of_questions())),
    conda:
        "../../../envs/sentences.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=per_attempt(16000),
        runtime=per_attempt(240),
    params:
        run=trained_folder,
        data=measured_arguments,
        settings=likelihood_settings,
        code=fingerprint("textlvm.sentences.marginal"),
    shell:
        """
        python -m textlvm.sentences.marginal \
            --run {params.run:q} \
            {params.data:q} \
            --settings {params.settings:q} \
            --out {output:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """


rule sentences_show:
    """Apply one trained run to the sentences that the configuration names, for Tables 9-21."""
    input:
        trained_files,
        measured_data,
    output:
        "<results>/sentences/{dataset}/{run}/seed{seed}/qualitative.json",
    log:
        "<results>/logs/sentences/{dataset}/{run}/seed{seed}/show.log",
    conda:
        "../../../envs/sentences.yaml"
    threads: 1
    resources:
        gpu=1,
        mem_mb=per_attempt(16000),
        runtime=per_attempt(60),
    params:
        run=trained_folder,
        data=measured_arguments,
        settings=qualitative_settings,
        code=fingerprint("textlvm.sentences.qualitative"),
    shell:
        """
        python -m textlvm.sentences.qualitative \
            --run {params.run:q} \
            {params.data:q} \
            --settings {params.settings:q} \
            --out {output:q} \
            --gpus {resources.gpu:q} \
            --log {log:q}
        """
