# How the files of a corpus are shared out to the jobs that count them, beside common.smk.

from textlvm.corpora import folders


def folder_corpora():
    """The corpora that are folders of the user's own."""
    return [name for name, corpus in CORPORA.items() if corpus.files[0].folder]


def folder_of(wildcards):
    """The folder that a corpus is; None if it has files that are known by name."""
    return CORPORA[wildcards.corpus].files[0].folder


@cache
def shares_of(folder):
    """The shares in which the files of a folder are counted."""
    return folders.shares(folders.listing(folder).sizes)


def share_of(wildcards):
    """The share of a folder that a path belongs to."""
    return shares_of(folder_of(wildcards))[int(wildcards.share) - 1]


def share_files(wildcards):
    """The files of a share of a folder."""
    return [str(folder_of(wildcards) / name) for name in share_of(wildcards).names]


def first_of_share(wildcards):
    """The name that a share of a folder begins with."""
    return share_of(wildcards).first


def end_of_share(wildcards):
    """The name before which a share of a folder ends."""
    return share_of(wildcards).end


def counts_of_files(wildcards):
    """The counts of every file of a corpus, or of every share of a folder."""
    if folder := folder_of(wildcards):
        shares = range(1, len(shares_of(folder)) + 1)
        return expand("<resources>/counts/{corpus}/shares/{share}.tsv", corpus=wildcards.corpus, share=shares)
    files = [file.name for file in CORPORA[wildcards.corpus].files]
    return expand("<resources>/counts/{corpus}/{file}.tsv", corpus=wildcards.corpus, file=files)
