# What the rules of tables take their inputs from, and how Snakemake's report sorts and names the results.

import hashlib

PAPERS = EXPERIMENT.papers
PAPER_FOLDERS = [str(paper.folder) for paper in PAPERS.values()]


def paper_files(*names):
    """These files of every paper's folder."""
    return [f"{folder}/{name}" for folder in PAPER_FOLDERS for name in names]


def tables_each(each):
    """Constraints on the wildcards of a table that is made for each `corpus`, or once for a `paper`."""
    tables = [
        (name, n) for name, own in PAPERS.items() for n, table in own.tables.items() if table.each == each
    ]
    return {
        "paper": any_of(name for name, _ in tables),
        "table": any_of(str(number) for _, number in tables),
    }


def paper_file(wildcards):
    """What the paper of a table is."""
    return f"{PAPERS[wildcards.paper].folder}/paper.yaml"


def citation(wildcards):
    """How the paper of a table is cited."""
    return PAPERS[wildcards.paper].citation


def figure_caption(paper, number=None):
    """The caption of a paper's figure; without `number`, of that in the wildcard `figure`."""

    def caption(wildcards):
        own, figure = PAPERS[paper], number or int(wildcards.figure)
        return f"Figure {figure} of {own.citation}: {own.figures[figure]}."

    return caption


def figure_report(path, paper, name, of):
    """The SVG of a paper's figure, with its place in Snakemake's report; `name` and `of` are those of `labelled`."""
    return report(
        path,
        caption=str(PACKAGES / "report" / "figure.rst"),
        category=PAPERS[paper].citation,
        subcategory="Figures",
        labels=labelled(name, of),
    )


def digest(files):
    """What stands in those of these files that are there, as one short text."""
    contents = (path.read_bytes() for path in map(Path, files) if path.exists())
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]


def labelled(name, of):
    """The labels of a result: its name, e.g. `Table {table}`, and what `of` says of its wildcards."""

    def labels(wildcards):
        kind, number = name.format(**dict(wildcards.items())).split(" ")
        # The report sorts names as texts: a space as wide as a digit puts 9 before 10.
        number = number.rjust(2, "\N{FIGURE SPACE}")
        return {"result": f"{kind} {number}", "data": of(wildcards)}

    return labels


def table_names(wildcards):
    """The data sets that a table has rows of."""
    own = PAPERS[wildcards.paper]
    names = [entry.dataset for entry in of_table(wildcards) if entry.paper == own.name and entry.dataset]
    return ", ".join(own.datasets.get(name, name) for name in dict.fromkeys(names))
