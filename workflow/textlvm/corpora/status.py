"""List the files of all corpora: what is there, what it was checked against, and how it would come.

    python -m textlvm.corpora.status
    python -m textlvm.corpora.status --config config.yaml my.yaml

State: `missing`; `verified`, with the digest in the registry; `recorded`, with that of the first download,
where the registry knows none; `present`, with nothing to check it against; `differs`, which is an error.
Digests are computed now, of every file that is there.
"""

import argparse
import os
import textwrap
from functools import partial
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

__all__ = ["state", "way"]

HEADER = ("corpus", "file", "state", "bytes", "comes", "licence")
LICENCE = 40  # characters


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


def _main(options: argparse.Namespace) -> None:
    given = merged(options.config)
    config = check(given, options.config, registry.load(options.registry), find(given))
    resources = Path(config["pathvars"]["resources"])
    folder, mirror = folder_at_hand(), os.environ.get(MIRROR_VARIABLE)
    rows, wrong = [], []
    where = partial(origin, config, files=options.config)
    corpora = registry.load(options.registry, config["corpora"], where)
    for corpus in corpora.values():
        for source in corpus.files:
            path = source.folder or resources / "downloads" / corpus.name / source.name
            what, problem = state(source, path)
            if problem:
                wrong.append(f"{path}: {problem}")
            size = _size(path) if path.exists() else source.bytes
            comes = way(corpus, source, folder, mirror)
            licence = textwrap.shorten(corpus.licence, LICENCE, placeholder=" …")
            rows.append((corpus.name, source.name, what, f"{size:,}" if size else "", comes, licence))
    print(tabulate(rows, HEADER, colalign=("left", "left", "left", "right"), disable_numparse=True))
    if wrong:
        raise UserError(f"{'; '.join(wrong)}; remove what differs, and it is brought again")


def _size(path: Path) -> int:
    """Bytes of a file, or of a folder's files."""
    return sum(listing(path).sizes.values()) if path.is_dir() else path.stat().st_size


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--registry", type=Path, default=Path("workflow/corpora.yaml"))
    parser.add_argument("--config", type=Path, nargs="+", default=[Path("config.yaml")], metavar="FILE")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
