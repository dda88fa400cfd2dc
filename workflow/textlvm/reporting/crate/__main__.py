"""One archive of an experiment's results and their provenance: a Provenance Run RO-Crate.

    python -m textlvm.reporting.crate --results results --products results/table1.csv results/claims.csv \\
        --runs results/words/*/*/*/seed*/provenance.json --papers workflow/papers/* \\
        --registry workflow/corpora.yaml --configuration '{…}' --engine 9.27.1 --out results/ro-crate.zip

OUT contains the workflow and its environments, the effective configuration, all products, metrics.json and
provenance.json of every run and seed, and ro-crate-metadata.json. The latter describes these files, every
training and evaluation with its settings, times and costs, and the corpora with their digests and terms.

OUT contains no text of a corpus: tables of texts and pages that show them are left out. The same files give
the same archive, byte for byte.
"""

import argparse
from pathlib import Path

from textlvm.corpora import registry
from textlvm.experiment.paper import add_argument, load_all
from textlvm.reporting.crate.archive import pack
from textlvm.reporting.crate.content import Content, read_run
from textlvm.reporting.crate.description import describe
from textlvm.runtime import cli


def main(options: argparse.Namespace) -> None:
    """Write the archive."""
    content = Content(
        papers=load_all(options.papers),
        project=options.project,
        results=options.results,
        products=options.products,
        runs=[read_run(path) for path in options.runs],
        data=options.data,
        configuration=options.configuration,
        corpora=registry.load(options.registry, options.configuration.get("corpora")),
        engine=options.engine,
    )
    pack(describe(content), options.out)


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    add_argument(arguments)
    arguments.add_argument("--project", type=Path, default=Path(), help="folder of the Snakefile")
    arguments.add_argument("--results", type=Path, required=True, help="folder of all results")
    arguments.add_argument("--products", type=Path, nargs="*", default=[], help="tables, figures and so on")
    arguments.add_argument("--runs", type=Path, nargs="+", required=True, help="provenance.json files")
    arguments.add_argument("--data", type=Path, nargs="*", default=[], help="statistics.json files")
    arguments.add_argument("--registry", type=Path, required=True, help="workflow/corpora.yaml")
    arguments.add_argument("--configuration", type=cli.settings, required=True, help="the effective one")
    arguments.add_argument("--engine", required=True, help="version of Snakemake")
    arguments.add_argument("--out", type=Path, required=True, help="the archive (ZIP)")
    cli.run(main, arguments)
