"""The products of an experiment: paths of its tables, figures, texts and claims in the results."""

from collections.abc import Iterable

from textlvm.experiment.experiment import Experiment

__all__ = ["all_products", "paper_tables", "partial_products"]


def paper_tables(experiment: Experiment, forms: Iterable[str]) -> list[str]:
    """The tables in the papers' layout: one per corpus, or one for all data sets of a paper."""
    forms, found = tuple(forms), []
    for paper in experiment.used:
        corpora = sorted({entry.corpus for entry in experiment.planned if entry.paper == paper.name})
        for number in experiment.planned_tables([paper.name]):
            folders = [f"/{corpus}" for corpus in corpora] if paper.tables[number].each == "corpus" else [""]
            found += [f"{paper.name}{folder}/table{number}.{form}" for folder in folders for form in forms]
    return found


def all_products(experiment: Experiment) -> list[str]:
    """Every table and figure, the readings and the claims."""
    return [
        *(f"table{number}.csv" for number in experiment.planned_tables()),
        *(f"readings.{form}" for form in ("csv", "md")),
        *(f"claims.{form}" for form in ("csv", "md", "html")),
        *paper_tables(experiment, ("csv", "md", "html", "tex")),
        *(f"{figure.path}.{form}" for figure in experiment.figures for form in ("png", "svg")),
        *(f"{text.path}.{form}" for text in experiment.texts for form in ("md", "html", "json")),
    ]


def partial_products(experiment: Experiment) -> list[str]:
    """All tables, tidy and formatted, readings and claims, from the runs evaluated so far."""
    return [
        *(f"partial/table{number}.csv" for number in experiment.tables),
        *(f"partial/readings.{form}" for form in ("csv", "md")),
        *(f"partial/claims.{form}" for form in ("csv", "md")),
        *(f"partial/{table}" for table in paper_tables(experiment, ("md",))),
    ]
