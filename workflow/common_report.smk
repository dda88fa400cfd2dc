# How Snakemake's report sorts and names the results that rules mark for it.

WORDS_CATEGORY = "Words (Schmidt & Hofmann 2018)"
SENTENCES_CATEGORY = "Sentences (Livne et al. 2020)"


def labelled(name, of):
    """The labels of a result: its name, e.g. `Table {table}`, and what `of` says of its wildcards."""

    def labels(wildcards):
        kind, number = name.format(**dict(wildcards.items())).split(" ")
        # The report sorts names as texts: a space as wide as a digit puts 9 before 10.
        number = number.rjust(2, "\N{FIGURE SPACE}")
        return {"result": f"{kind} {number}", "data": of(wildcards)}

    return labels


def table_names(wildcards):
    """The data sets that a table of the sentences paper has rows of."""
    names = [own.dataset for own in of_table(wildcards) if own.dataset]
    return ", ".join(map(dataset_name, dict.fromkeys(names)))
