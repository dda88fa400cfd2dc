"""Bring one file of a corpus to its place: supplied by the user, from a folder of corpora, or downloaded.

    python -m textlvm.corpora.download --registry workflow/corpora.yaml --corpus bookscorpus \\
        --file bookcorpus.tar.bz2 --out resources/downloads/bookscorpus/bookcorpus.tar.bz2

A path in config.yaml (`--overrides` takes its `corpora` section) goes before the folder named by the
environment variable TEXTLVM_CORPORA, which goes before the registry's addresses. Size and digest are
checked wherever the registry knows them, before the file appears.

Writes OUT: the file as it came.
"""

import argparse
import hashlib
import logging
import os
import shutil
import sys
from pathlib import Path

import pooch
import requests

from textlvm import cli, files
from textlvm.corpora import registry
from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.errors import UserError

__all__ = ["FOLDER_VARIABLE", "fetch", "mismatch"]

FOLDER_VARIABLE = "TEXTLVM_CORPORA"
TIMEOUT = 60  # seconds without a byte

logger = logging.getLogger(__name__)


def fetch(corpus: Corpus, source: SourceFile, out: Path, folder: Path | None = None) -> None:
    """Bring a file of a corpus to `out`, atomically and checked; `folder` is one laid out like `local` paths.

    Raises `UserError` if there is no source, none delivers, or the file is not the one that was expected.
    """
    if corpus.kind == "documentation":
        maker = "sentences.standins" if corpus.format else "corpora.documentation"
        raise UserError(f"corpus '{corpus.name}' is made, not fetched; run python -m textlvm.{maker}")
    if source.path:
        _copy(corpus, source, source.path, out)
    elif folder and source.local and (folder / source.local.path).is_file():
        alike = source
        if source.local.sha256:
            alike = SourceFile(source.name, hashes={"sha256": source.local.sha256})
        _copy(corpus, alike, folder / source.local.path, out)
    else:
        _download(corpus, source, out)


def mismatch(path: Path, source: SourceFile) -> str | None:
    """How a file differs from what the registry knows of it, as a clause; None if it does not."""
    size = path.stat().st_size
    if source.bytes is not None and size != source.bytes:
        return f"it has {size:,} bytes, not {source.bytes:,}"
    for algorithm, expected in source.hashes.items():
        found = _git_blob(path) if algorithm == "git_blob" else pooch.file_hash(str(path), algorithm)
        if found != expected:
            return f"its {algorithm} is {found}, not {expected}"
    if not source.hashes and _is_web_page(path):
        return "it is a web page"
    return None


class _Failure(Exception):
    """Why an address did not deliver the file."""


def _copy(corpus: Corpus, source: SourceFile, path: Path, out: Path) -> None:
    with files.replacing(out) as temporary:
        try:
            shutil.copyfile(path, temporary)
        except OSError as error:
            raise UserError(
                f"cannot copy {path} of corpus '{corpus.name}' to {out}: {error.strerror}; correct its path"
            ) from error
        if problem := mismatch(temporary, source):
            raise UserError(
                f"{path} is not {source.name} of corpus '{corpus.name}': {problem}; supply the right file, "
                "or add yours under a name of its own to `corpora` in config.yaml"
            )
    logger.info("%s: copied from %s", out, path)


def _download(corpus: Corpus, source: SourceFile, out: Path) -> None:
    by_hand = f"set `corpora: {{{corpus.name}: {{path: FILE}}}}` in config.yaml"
    if not source.urls:
        raise UserError(f"{source.name} of corpus '{corpus.name}' has no address to download from; {by_hand}")
    failures = []
    for url in source.urls:
        try:
            with files.replacing(out) as temporary:
                _get(url, temporary)
                if problem := mismatch(temporary, source):
                    raise _Failure(problem)
        except _Failure as failure:
            failures.append(f"{url} ({failure})")
            logger.warning("%s: %s", url, failure)
        else:
            logger.info("%s: downloaded from %s", out, url)
            return
    raise UserError(
        f"cannot download {source.name} of corpus '{corpus.name}' from {' or '.join(failures)}; "
        f"get the file by hand and {by_hand}"
    )


def _get(url: str, path: Path) -> None:
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
    try:
        downloader(url, str(path), None)
    except requests.HTTPError as error:
        raise _Failure(f"HTTP status {getattr(error.response, 'status_code', 'unknown')}") from error
    except requests.Timeout as error:
        raise _Failure(f"no answer in {TIMEOUT} seconds") from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        raise _Failure("no connection, or it broke off") from error
    except requests.RequestException as error:
        raise _Failure(str(error)) from error


def _git_blob(path: Path) -> str:
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _is_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1 << 10).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _main(options: argparse.Namespace) -> None:
    corpora = registry.load(options.registry, options.overrides)
    corpus = registry.find(corpora, options.corpus)
    folder = os.environ.get(FOLDER_VARIABLE)
    fetch(corpus, corpus.file(options.file), options.out, Path(folder) if folder else None)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--registry", type=Path, required=True, help="workflow/corpora.yaml")
    parser.add_argument("--overrides", type=cli.settings, default={}, help="`corpora` of config.yaml as JSON")
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--file", required=True, help="name of its file")
    parser.add_argument("--out", type=Path, required=True, help="where to put it")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
