# Functions for the inputs of the rules of tables, and for the categories and labels of Snakemake's report.

import hashlib

PAPERS = EXPERIMENT.papers
PAPER_FOLDERS = [str(paper.folder) for paper in PAPERS.values()]


def paper_files(*names):
    """The files with these names in every paper's folder."""
    return [f"{folder}/{name}" for folder in PAPER_FOLDERS for name in names]


def tables_each(each):
    """Wildcard constraints of tables that are created once per `corpus`, or once per `paper`."""
    tables = [
        (name, number)
        for name, paper in PAPERS.items()
        for number, table in paper.tables.items()
        if table.each == each
    ]
    return {
        "paper": any_of(name for name, _ in tables),
        "table": any_of(str(number) for _, number in tables),
    }


def paper_file(wildcards):
    """The paper.yaml of a table's paper."""
    return f"{PAPERS[wildcards.paper].folder}/paper.yaml"


def citation(wildcards):
    """The citation of a table's paper."""
    return PAPERS[wildcards.paper].citation


def figure_caption(paper, number=None):
    """The caption of a paper's figure; without `number`, of the figure in the wildcard `figure`."""

    def caption(wildcards):
        figure = number or int(wildcards.figure)
        return f"Figure {figure} of {PAPERS[paper].citation}: {PAPERS[paper].figures[figure]}."

    return caption


def figure_report(path, paper, name, of):
    """The SVG of a paper's figure as an item of Snakemake's report; for `name` and `of` see `labelled`."""
    return report(
        path,
        caption=str(PACKAGES / "report" / "figure.rst"),
        category=PAPERS[paper].citation,
        subcategory="Figures",
        labels=labelled(name, of),
    )


FIGURE_AT = {figure.path: figure for figure in EXPERIMENT.figures}


def figure_of(path, wildcards):
    """The figure of the plan with this path in the results, which may contain wildcards."""
    return FIGURE_AT[path.format(**dict(wildcards.items()))]


def figure_files(path, name=""):
    """The source files of a figure; with `name`, those of this name."""
    return lambda wildcards: below_results(
        file for file in figure_of(path, wildcards).sources if file.endswith(name)
    )


def figure_labels(path):
    """The labels of a figure's runs or data sets."""
    return lambda wildcards: figure_of(path, wildcards).labels


def digest(files):
    """A digest of the contents of the files that exist.

    What is created from the runs evaluated so far has their files and this digest as parameters instead of inputs, so
    that Snakemake does not run missing jobs.
    """
    contents = (path.read_bytes() for path in map(Path, files) if path.exists())
    return hashlib.sha256(b"".join(contents)).hexdigest()[:16]


def labelled(name, of):
    """The labels of a result: its name, e.g. `Table {table}`, and the value of `of` for its wildcards."""

    def labels(wildcards):
        kind, number = name.format(**dict(wildcards.items())).split(" ")
        # The report sorts names as strings: padding with a figure space puts 9 before 10.
        number = number.rjust(2, "\N{FIGURE SPACE}")
        return {"result": f"{kind} {number}", "data": of(wildcards)}

    return labels


def table_names(wildcards):
    """The data sets of a table's rows."""
    paper = PAPERS[wildcards.paper]
    names = [entry.dataset for entry in of_table(wildcards) if entry.paper == paper.name and entry.dataset]
    return ", ".join(paper.datasets.get(name, name) for name in dict.fromkeys(names))
