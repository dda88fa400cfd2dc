"""Provide one file of a corpus: supplied by the user, from a folder of corpora, or downloaded.

    python -m textlvm.corpora.download --registry workflow/corpora.yaml --corpus bookscorpus \\
        --file bookcorpus.tar.bz2 --out resources/downloads/bookscorpus/bookcorpus.tar.bz2

The sources are tried in this order: a path in config.yaml (`--overrides` takes its `corpora` section), the
folder in the environment variable TEXTLVM_CORPORA, the address in TEXTLVM_MIRROR, and the registry's
addresses. Size and digest are checked before the file appears.

Writes OUT, the unchanged file. A download also writes

    OUT.part, OUT.part.json    the received part of an interrupted download, from which the next one resumes
    OUT.lock.json              the digest of the first download, if the registry has none; later downloads
                               must have the same digest
"""

import argparse
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from textlvm.corpora import registry
from textlvm.corpora.checks import mismatch, read_record, record_path, write_record
from textlvm.corpora.partial import PartialFile, held
from textlvm.corpora.registry import Corpus, SourceFile
from textlvm.corpora.transfer import DEFAULT_PATIENCE, Failure, Patience, transfer
from textlvm.runtime import cli, files
from textlvm.runtime.errors import FULL, UserError
from textlvm.runtime.paths import literal

__all__ = ["FOLDER_VARIABLE", "MIRROR_VARIABLE", "corpora_folder", "fetch"]

FOLDER_VARIABLE = "TEXTLVM_CORPORA"
MIRROR_VARIABLE = "TEXTLVM_MIRROR"

logger = logging.getLogger(__name__)


def fetch(
    corpus: Corpus,
    source: SourceFile,
    out: Path,
    folder: Path | None = None,
    mirror: str | None = None,
    patience: Patience = DEFAULT_PATIENCE,
) -> None:
    """Provide a file of a corpus at `out`, atomically and verified.

    `folder` and the base address `mirror` have files at the registry's `local` paths. Raises `UserError` if
    there is no source, all sources fail, or the file is not the expected one.
    """
    if corpus.kind == "documentation":
        raise UserError(f"corpus '{corpus.name}' is generated, not downloaded; run python -m {corpus.maker}")
    if source.path:
        _copy(corpus, source, source.path, out)
    elif folder and source.local and (folder / source.local.path).is_file():
        _copy(corpus, source.expected_local, folder / source.local.path, out)
    else:
        _download(corpus, source, out, mirror, patience)


def _copy(corpus: Corpus, source: SourceFile, path: Path, out: Path) -> None:
    with files.replacing(out) as temporary:
        try:
            shutil.copyfile(path, temporary)
        except OSError as error:
            if error.errno in FULL:
                # Python names the source also for errors of the destination.
                raise OSError(error.errno, error.strerror, str(out)) from error
            if error.filename not in (path, str(path)):
                raise
            raise UserError(
                f"cannot copy {path} of corpus '{corpus.name}' to {out}: {error.strerror}; correct its path"
            ) from error
        if problem := mismatch(temporary, source):
            raise UserError(
                f"{path} is not {source.name} of corpus '{corpus.name}': {problem}; supply the right file, "
                "or add yours under a different name to `corpora` in config.yaml"
            )
    logger.info("%s: copied from %s", out, path)


def _download(corpus: Corpus, source: SourceFile, out: Path, mirror: str | None, patience: Patience) -> None:
    addresses = list(_addresses(corpus, source, mirror))
    if not addresses:
        raise UserError(
            f"{source.name} of corpus '{corpus.name}' has no address to download from; {_advice(corpus)}"
        )
    failures = []
    try:
        with held(out.with_name(f"{out.name}.part")) as part:
            if _is_complete(out, source):
                logger.info("%s: already present and verified", out)
                part.clear()
                return
            for url, expected in addresses:
                try:
                    _download_from(url, expected, part, out, patience)
                except Failure as failure:
                    failures.append(f"{url} ({failure})")
                    logger.warning("%s: %s", url, failure)
                else:
                    return
    except OSError as error:
        raise UserError(
            f"cannot write {out}: {error.strerror}; mend that, and the download resumes where it stopped"
        ) from error
    raise UserError(
        f"cannot download {source.name} of corpus '{corpus.name}' from {' or '.join(failures)}; "
        f"download the file by hand and {_advice(corpus)}"
    )


def _addresses(corpus: Corpus, source: SourceFile, mirror: str | None) -> Iterator[tuple[str, SourceFile]]:
    """Yield the addresses of a file, each with the file expected there."""
    if mirror:
        if not mirror.startswith(("http://", "https://")):
            raise UserError(f"{MIRROR_VARIABLE} must be an http or https address, not '{mirror}'")
        path = source.local.path if source.local else f"{corpus.name}/{source.name}"
        yield f"{mirror.rstrip('/')}/{quote(path)}", source.expected_local
    yield from ((url, source) for url in source.urls)


def corpora_folder() -> Path | None:
    """Return the folder in `TEXTLVM_CORPORA`, if set. Raises `UserError` if a shell would expand the path."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return literal(folder, f"{FOLDER_VARIABLE}: ") if folder else None


def _is_complete(out: Path, source: SourceFile) -> bool:
    """Whether the file exists and is verified: another process may have written it while this one waited."""
    known = source if source.hashes else read_record(out)
    return known is not None and out.exists() and mismatch(out, known) is None


def _download_from(url: str, expected: SourceFile, part: PartialFile, out: Path, patience: Patience) -> None:
    """Download from one address, verify and rename. Raises `Failure`, and removes a wrong file."""
    first = None if expected.hashes else read_record(out)
    known = first or expected
    download = transfer(url, part, patience, known.bytes)
    problem = mismatch(part.path, known)
    if problem and download.spliced:
        logger.warning("%s: %s; starting again from the beginning", url, problem)
        part.clear()
        download = transfer(url, part, patience, known.bytes)
        problem = mismatch(part.path, known)
    if problem:
        part.clear()
        redirection = "" if download.address == url else f"which leads to {download.address}: "
        if first:
            problem += f", says {record_path(out)} of the first download: remove that if a new one is right"
        raise Failure(f"{redirection}{problem}")
    with files.replacing(out) as temporary:
        if not known.hashes:
            write_record(out, part.path, url)
        part.path.replace(temporary)
    part.discard()
    logger.info("%s: downloaded from %s", out, url)


def _advice(corpus: Corpus) -> str:
    """Explain how to supply the files of a corpus, as a clause."""
    path = "FILE" if len(corpus.files) == 1 else "FOLDER"
    return f"set `corpora: {{{corpus.name}: {{path: {path}}}}}` in config.yaml"


def _main(options: argparse.Namespace) -> None:
    corpora = registry.load(options.registry, options.overrides)
    corpus = registry.find(corpora, options.corpus)
    mirror = os.environ.get(MIRROR_VARIABLE)
    fetch(corpus, corpus.file(options.file), options.out, corpora_folder(), mirror)


def _arguments() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--registry", type=Path, required=True, help="workflow/corpora.yaml")
    parser.add_argument("--overrides", type=cli.settings, default={}, help="`corpora` of config.yaml as JSON")
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--file", required=True, help="name of the file")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    return parser


if __name__ == "__main__":
    cli.run(_main, _arguments())
