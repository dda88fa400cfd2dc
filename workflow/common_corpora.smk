# Functions for the inputs and parameters of the rules of the corpora.

import hashlib
import platform
from functools import cache

from textlvm.corpora import folders

PINS = "envs/requirements.txt"


def environment():
    """The source of the documentation corpus: the version of Python and the pinned packages."""
    return f"Python {platform.python_version()}, {hashlib.sha256(Path(PINS).read_bytes()).hexdigest()[:16]}"


def source_file(wildcards):
    """The registry's entry of one file of a corpus."""
    return CORPORA[wildcards.corpus].file(wildcards.file)


def source_content(wildcards):
    """The hashes and size that a file of a corpus must have, and its URLs if it has no hash."""
    source = source_file(wildcards)
    known = {"hashes": source.hashes, "bytes": source.bytes}
    return as_json(known if source.hashes else known | {"urls": source.urls})


def supplied_file(wildcards):
    """The user's copy of a file of a corpus, if the configuration names one."""
    return source_file(wildcards).path or []


def config_entry(wildcards):
    """The entry of one corpus in the `corpora` of the configuration."""
    return as_json({name: entry for name, entry in config["corpora"].items() if name == wildcards.corpus})


def counting_options(wildcards):
    """The options for counting the files of a corpus."""
    corpus = CORPORA[wildcards.corpus]
    cleaning = ["--cleaning", corpus.cleaning] if corpus.cleaning else []
    return ["--kind", corpus.content, "--members", corpus.members, *cleaning]


def downloaded(corpus, files):
    """The paths to which files of a corpus are downloaded."""
    return [str(Path(config["pathvars"]["resources"], "downloads", corpus, file.name)) for file in files]


def folder_corpora():
    """The corpora that are folders of the user."""
    return [name for name, corpus in CORPORA.items() if corpus.files[0].folder]


def folder_of(wildcards):
    """The folder of a corpus; None if the corpus lists its files."""
    return CORPORA[wildcards.corpus].files[0].folder


@cache
def shares_of(folder):
    """The shares in which the files of a folder are counted."""
    return folders.shares(folders.listing(folder).sizes)


def share_of(wildcards):
    """The share of a folder in the wildcards."""
    return shares_of(folder_of(wildcards))[int(wildcards.share) - 1]


def share_files(wildcards):
    """The files of a share of a folder."""
    return [str(folder_of(wildcards) / name) for name in share_of(wildcards).names]


def share_options(wildcards):
    """The options for counting a share of a folder, including the range of its files."""
    share = share_of(wildcards)
    # Joined by "=", because file names may begin with a hyphen.
    return [*counting_options(wildcards), f"--first={share.first}", f"--end={share.end}"]


def counts_of_files(wildcards):
    """The counts of every file of a corpus, or of every share of a folder."""
    if folder := folder_of(wildcards):
        shares = range(1, len(shares_of(folder)) + 1)
        return expand("<resources>/counts/{corpus}/shares/{share}.tsv", corpus=wildcards.corpus, share=shares)
    files = [file.name for file in CORPORA[wildcards.corpus].files]
    return expand("<resources>/counts/{corpus}/{file}.tsv", corpus=wildcards.corpus, file=files)


def corpus_title(wildcards):
    """The title of a corpus in tables and figures."""
    return CORPORA[wildcards.corpus].title
