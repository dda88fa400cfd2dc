# Claims: what the papers state of their numbers, held against the cells of all tables.


rule claims:
    """Whether each claim of the papers holds here, and by the papers' own numbers."""
    input:
        claims=CLAIMS,
        published=PUBLISHED,
        tables=expand("<results>/table{table}.csv", table=EXPERIMENT.planned_tables()),
        figures=claimed_figures,
    output:
        csv="<results>/claims.csv",
        md="<results>/claims.md",
        html=report(
            "<results>/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"result": "Claims", "data": "both papers"},
        ),
    log:
        "<results>/logs/claims.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        figures=lambda wildcards, input: input.figures,
        code=fingerprint("textlvm.reporting.claims.__main__"),
    shell:
        """
        python -m textlvm.reporting.claims \
            --claims {input.claims:q} \
            --published {input.published:q} \
            --tables {input.tables:q} \
            --figures {params.figures:q} \
            --csv {output.csv:q} \
            --md {output.md:q} \
            --html {output.html:q} \
            --log {log:q}
        """


use rule claims as partial_claims with:
    input:
        claims=CLAIMS,
        published=PUBLISHED,
        tables=expand("<results>/partial/table{table}.csv", table=EXPERIMENT.tables),
    output:
        csv="<results>/partial/claims.csv",
        md="<results>/partial/claims.md",
        html="<results>/partial/claims.html",
    log:
        "<results>/logs/partial/claims.log",
    params:
        # Parameters and not inputs, for which Snakemake would run what is missing. The digest stands for what
        # is in the files.
        figures=finished_figures,
        digest=finished_figures_digest,
