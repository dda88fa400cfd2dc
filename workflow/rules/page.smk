# The page: all results of an experiment in one file.


rule page:
    """Create one page with tables, figures, texts, claims and runs; it works offline."""
    input:
        papers=paper_files("paper.yaml"),
        tables=expand("<results>/table{table}.csv", table=EXPERIMENT.planned_tables()),
        claims="<results>/claims.csv",
        readings="<results>/readings.csv",
        files=whole_page_files,
        assets=page_assets(),
    output:
        "<results>/index.html",
    log:
        "<results>/logs/page.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        plan=lambda wildcards: as_json(whole_page()),
        papers=PAPER_FOLDERS,
        code=with_figure_metrics("textlvm.reporting.page"),
    shell:
        """
        python -m textlvm.reporting.page \
            --papers {params.papers:q} \
            --plan /dev/stdin \
            --tables {input.tables:q} \
            --claims {input.claims:q} \
            --readings {input.readings:q} \
            --out {output:q} \
            --log {log:q} \
            <<<{params.plan:q}
        """


use rule page as partial_page with:
    input:
        papers=paper_files("paper.yaml"),
        tables=expand("<results>/partial/table{table}.csv", table=EXPERIMENT.tables),
        claims="<results>/partial/claims.csv",
        readings="<results>/partial/readings.csv",
        assets=page_assets(),
    output:
        "<results>/partial/index.html",
    log:
        "<results>/logs/partial/page.log",
    params:
        plan=lambda wildcards: as_json(finished_page()),
        digest=lambda wildcards: digest(
            RESULTS / file for file in contents.files(EXPERIMENT, finished_page())
        ),
