# Provenance: all results of an experiment and how they were computed, in one archive.


rule crate:
    """Pack the workflow, its products, and the metrics and provenance of every run."""
    input:
        products=[*below_results(products.all_products(EXPERIMENT)), "<results>/index.html"],
        metrics=run_files(TABLE_RUNS, "metrics.json"),
        runs=run_files(TABLE_RUNS, "provenance.json"),
        data=data_statistics(),
    output:
        "<results>/ro-crate.zip",
    log:
        "<results>/logs/ro-crate.log",
    localrule: True
    conda:
        "../../envs/reporting.yaml"
    params:
        results=RESULTS,
        registry=experiment.REGISTRY,
        # A function, because Snakemake interprets braces in other parameters as wildcards.
        configuration=lambda wildcards: as_json(config),
        engine=SNAKEMAKE,
        papers=PAPER_FOLDERS,
        code=fingerprint("textlvm.reporting.crate"),
    shell:
        """
        python -m textlvm.reporting.crate \
            --papers {params.papers:q} \
            --results {params.results:q} \
            --products {input.products:q} \
            --runs {input.runs:q} \
            --data {input.data:q} \
            --registry {params.registry:q} \
            --configuration {params.configuration:q} \
            --engine {params.engine:q} \
            --out {output:q} \
            --log {log:q}
        """
