# Corpora: a file of text or counts, or a share of a folder of such files -> counts of its tokens -> counts of the
# corpus. They are in <resources>, shared by all experiments.


rule corpus_documentation:
    """Write the documentation of the installed Python packages as a corpus; needs no network."""
    output:
        text="<resources>/downloads/documentation/documentation.txt",
        docstrings="<resources>/downloads/documentation/docstrings.jsonl",
    log:
        "<results>/logs/corpora/documentation.log",
    conda:
        "../../envs/textlvm.yaml"
    threads: 2
    params:
        environment=environment(),
        code=fingerprint("textlvm.corpora.documentation"),
    shell:
        """
        python -m textlvm.corpora.documentation \
            --out {output.text:q} \
            --docstrings {output.docstrings:q} \
            --processes {threads} \
            --log {log:q}
        """


rule corpus_standins:
    """Write stand-ins for the sentences paper's corpora from the same documentation."""
    input:
        rules.corpus_documentation.output.docstrings,
    output:
        sentences="<resources>/downloads/documentation-sentences/sentences.txt",
        labelled="<resources>/downloads/documentation-labelled/labelled.txt",
        answers="<resources>/downloads/documentation-answers/answers.txt",
        paragraphs="<resources>/downloads/documentation-paragraphs/paragraphs.txt",
        questions="<resources>/downloads/documentation-questions/questions.txt",
    log:
        "<results>/logs/corpora/standins.log",
    conda:
        "../../envs/textlvm.yaml"
    params:
        code=fingerprint("textlvm.sentences.data.standins"),
    shell:
        """
        python -m textlvm.sentences.data.standins \
            --docstrings {input:q} \
            --out sentences={output.sentences:q} labelled={output.labelled:q} answers={output.answers:q} \
            paragraphs={output.paragraphs:q} questions={output.questions:q} \
            --log {log:q}
        """


rule corpus_download:
    """Download a file of a corpus, or copy the user's file, and verify it."""
    input:
        supplied_file,
    output:
        "<resources>/downloads/{corpus}/{file}",
    log:
        "<results>/logs/corpora/{corpus}/{file}.download.log",
    # Cluster nodes often have no internet access.
    localrule: True
    conda:
        "../../envs/corpora.yaml"
    params:
        registry=experiment.REGISTRY,
        entry=config_entry,
        # No fingerprint of the code: the content of the file does not depend on it.
        content=source_content,
    shell:
        """
        python -m textlvm.corpora.download \
            --registry {params.registry:q} \
            --overrides {params.entry:q} \
            --corpus {wildcards.corpus:q} \
            --file {wildcards.file:q} \
            --out {output:q} \
            --log {log:q}
        """


ruleorder: corpus_documentation > corpus_standins > corpus_download


rule corpus_count:
    """Count the tokens of one file of a corpus; files are counted in parallel."""
    input:
        "<resources>/downloads/{corpus}/{file}",
    output:
        "<resources>/counts/{corpus}/{file}.tsv",
    log:
        "<results>/logs/corpora/{corpus}/{file}.count.log",
    benchmark:
        "<results>/benchmarks/corpora/{corpus}/{file}.count.tsv"
    conda:
        "../../envs/corpora.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        source=lambda wildcards, input: input,
        options=counting_options,
        code=fingerprint("textlvm.corpora.counting"),
    shell:
        """
        python -m textlvm.corpora.counting count \
            --source {params.source:q} \
            {params.options:q} \
            --out {output:q} \
            --log {log:q}
        """


# A share of the files of a folder, read in place; shares are counted in parallel.
use rule corpus_count as corpus_count_share with:
    input:
        share_files,
    output:
        "<resources>/counts/{corpus}/shares/{share}.tsv",
    log:
        "<results>/logs/corpora/{corpus}/shares/{share}.count.log",
    benchmark:
        "<results>/benchmarks/corpora/{corpus}/shares/{share}.count.tsv"
    wildcard_constraints:
        corpus=any_of(folder_corpora()),
        share=r"[0-9]+",
    params:
        source=folder_of,
        options=share_options,


rule corpus_counts:
    """Add up the counts of the files or shares of a corpus."""
    input:
        counts_of_files,
    output:
        "<resources>/counts/{corpus}.tsv",
    log:
        "<results>/logs/corpora/{corpus}.counts.log",
    conda:
        "../../envs/corpora.yaml"
    params:
        code=fingerprint("textlvm.corpora.counting"),
    shell:
        """
        python -m textlvm.corpora.counting merge \
            --counts {input:q} \
            --out {output:q} \
            --log {log:q}
        """
