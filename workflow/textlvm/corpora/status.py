"""Show which corpora are there, what they were checked against, and how the others would come.

    python -m textlvm.corpora.status
    python -m textlvm.corpora.status --all
    python -m textlvm.corpora.status --configfile my.yaml

Lists each corpus with the number of its files, their bytes (`>`: at least, as the size of some is unknown)
and the first state in this list that one of them has; with --all, each file, and the licence:

    differs     from what was expected, which is an error
    missing     not there
    present     there, with nothing to check it against
    recorded    the same as the first download, where the registry has no digest
    verified    by the digest in the registry

Digests are computed now, of every file that is there.
"""

import argparse
import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from tabulate import tabulate

from textlvm.corpora import registry
from textlvm.corpora.checks import mismatch, recorded
from textlvm.corpora.download import FOLDER_VARIABLE, MIRROR_VARIABLE, folder_at_hand
from textlvm.corpora.folders import listing
from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.experiment.config import check, merged, origin
from textlvm.experiment.paper import find
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.runtime.output import printing

__all__ = ["state", "way"]

CONFIG = Path("config.yaml")
STATES = ("differs", "missing", "present", "recorded", "verified")
"""The worst first."""
CORPUS = ("corpus", "files", "state", "bytes", "comes")
FILE = ("corpus", "file", "state", "bytes", "comes", "licence")
CORPUS_ALIGNED = ("left", "right", "left", "right")
FILE_ALIGNED = ("left", "left", "left", "right")
COMES = 40
"""Characters of where a corpus comes from at most, so that a line fits in 100."""
LICENCE = 40
"""Characters of a licence at most."""


def state(source: SourceFile, path: Path) -> tuple[str, str]:
    """Whether a file is at `path` and the right one, and how it differs; see the module's docstring."""
    if not path.exists():
        return "missing", ""
    known = [likely for likely in (source, source.at_hand) if likely.hashes]
    first = None if known or source.path else recorded(path)
    if first:
        known = [first]
    if not known:
        return "present", ""
    problems = [mismatch(path, likely) for likely in known]
    if None not in problems:
        return "differs", str(problems[0])
    return "recorded" if first else "verified", ""


def way(corpus: Corpus, source: SourceFile, folder: Path | None, mirror: str | None) -> str:
    """Name the source that `textlvm.corpora.download` would take a file from, or the module that makes it."""
    if corpus.kind == "documentation":
        return f"made by {corpus.maker}"
    if source.folder:
        return f"read in {source.folder}"
    if source.path:
        return f"copy of {source.path}"
    if folder and source.local and (folder / source.local.path).is_file():
        return FOLDER_VARIABLE
    if mirror:
        return MIRROR_VARIABLE
    if source.urls:
        return str(urlsplit(source.urls[0]).hostname)
    return f"by hand: corpora.{corpus.name}.path"


@dataclass(frozen=True)
class _File:
    """What is said of one file of a corpus."""

    corpus: Corpus
    name: str
    state: str
    size: int | None
    comes: str
    problem: str


def _main(options: argparse.Namespace) -> None:
    configs = [CONFIG, *options.configfile]
    given = merged(configs)
    config = check(given, configs, registry.load(options.registry), find(given))
    where = partial(origin, config, files=configs)
    corpora = registry.load(options.registry, config["corpora"], where).values()
    downloads = Path(config["pathvars"]["resources"]) / "downloads"
    files = [file for corpus in corpora for file in _files(corpus, downloads / corpus.name)]
    if options.all:
        rows, header, aligned = [_file_row(file) for file in files], FILE, FILE_ALIGNED
    else:
        by_corpus = groupby(files, lambda file: file.corpus.name)
        rows = [_corpus_row(name, list(own)) for name, own in by_corpus]
        header, aligned = CORPUS, CORPUS_ALIGNED
    with printing():
        print(tabulate(rows, header, colalign=aligned, disable_numparse=True))
    if wrong := [file.problem for file in files if file.problem]:
        raise UserError(f"{'; '.join(wrong)}; remove what differs, and it is brought again")


def _files(corpus: Corpus, downloads: Path) -> Iterator[_File]:
    folder, mirror = folder_at_hand(), os.environ.get(MIRROR_VARIABLE)
    for source in corpus.files:
        path = source.folder or downloads / source.name
        what, problem = state(source, path)
        size = _size(path) if path.exists() else source.bytes
        comes = way(corpus, source, folder, mirror)
        yield _File(corpus, source.name, what, size, comes, problem and f"{path}: {problem}")


def _corpus_row(name: str, files: Sequence[_File]) -> tuple[str, ...]:
    sizes = [file.size for file in files if file.size is not None]
    size = f"{'>' * (len(sizes) < len(files))}{sum(sizes):,}" if sizes else ""
    worst = min((file.state for file in files), key=STATES.index)
    comes = ", ".join(dict.fromkeys(file.comes for file in files))
    comes = comes if len(comes) <= COMES else f"{comes[: COMES - 1]}…"
    return name, str(len(files)), worst, size, comes


def _file_row(file: _File) -> tuple[str, ...]:
    size = "" if file.size is None else f"{file.size:,}"
    licence = textwrap.shorten(file.corpus.licence, LICENCE, placeholder=" …")
    return file.corpus.name, file.name, file.state, size, file.comes, licence


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    return sum(listing(path).sizes.values()) if path.is_dir() else path.stat().st_size


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--registry", type=Path, default=Path("workflow/corpora.yaml"))
    help_text = "laid over config.yaml, in order"
    parser.add_argument("--configfile", type=Path, nargs="+", default=[], metavar="FILE", help=help_text)
    parser.add_argument("--all", action="store_true", help="list every file, with its licence")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
