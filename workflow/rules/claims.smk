# Results over all tables: which readings of the printed columns fit, and which claims of the papers hold.


rule readings:
    """Compute how well each reading of a column fits the printed numbers."""
    input:
        papers=paper_files("paper.yaml", "published.csv"),
        metrics=all_metrics,
    output:
        csv="<results>/readings.csv",
        md="<results>/readings.md",
    log:
        "<results>/logs/readings.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        papers=PAPER_FOLDERS,
        plan=whole_plan,
        metrics=lambda wildcards, input: input.metrics,
        code=fingerprint("textlvm.reporting.readings"),
    shell:
        """
        python -m textlvm.reporting.readings \
            --papers {params.papers:q} \
            --plan /dev/stdin \
            --metrics {params.metrics:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --log {log:q} \
            <<<{params.plan:q}
        """


use rule readings as partial_readings with:
    input:
        papers=paper_files("paper.yaml", "published.csv"),
    output:
        csv="<results>/partial/readings.csv",
        md="<results>/partial/readings.md",
    log:
        "<results>/logs/partial/readings.log",
    params:
        metrics=all_finished_metrics,
        digest=lambda wildcards: digest(all_finished_metrics(wildcards)),


rule claims:
    """Test each claim on the reproduced numbers and on the printed numbers."""
    input:
        papers=paper_files("paper.yaml", "published.csv", "claims.yaml"),
        tables=expand("<results>/table{table}.csv", table=EXPERIMENT.planned_tables()),
        figures=claimed_figures,
    output:
        csv="<results>/claims.csv",
        md="<results>/claims.md",
        html=report(
            "<results>/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"result": "Claims", "data": "all papers"},
        ),
    log:
        "<results>/logs/claims.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        figures=lambda wildcards, input: input.figures,
        papers=PAPER_FOLDERS,
        plan=whole_plan,
        code=with_figure_metrics("textlvm.reporting.claims"),
    shell:
        """
        python -m textlvm.reporting.claims \
            --papers {params.papers:q} \
            --plan /dev/stdin \
            --tables {input.tables:q} \
            --figures {params.figures:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --log {log:q} \
            <<<{params.plan:q}
        """


use rule claims as partial_claims with:
    input:
        papers=paper_files("paper.yaml", "published.csv", "claims.yaml"),
        tables=expand("<results>/partial/table{table}.csv", table=EXPERIMENT.tables),
    output:
        csv="<results>/partial/claims.csv",
        md="<results>/partial/claims.md",
        html="<results>/partial/claims.html",
    log:
        "<results>/logs/partial/claims.log",
    params:
        figures=finished_figures,
        digest=lambda wildcards: digest(finished_figures(wildcards)),
