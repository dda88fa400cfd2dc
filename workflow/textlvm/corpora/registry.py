"""The registry of corpora: workflow/corpora.yaml and the corpora of the configuration."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textlvm.corpora.folders import listing
from textlvm.experiment.canonical import canonical
from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.paths import literal
from textlvm.runtime.validation import check, json_schema
from textlvm.runtime.yaml_file import read_yaml

__all__ = ["QUESTION_FORMATS", "Corpus", "Local", "SourceFile", "find", "load"]

HASHES = ("sha256", "sha1", "git_blob", "md5")
QUESTION_FORMATS = ("triples", "pickle")
"""Formats of questions with ranked answers; all others have sentences."""
OVERRIDES = ("path", "kind", "format", "title", "members")
# Not allowed in paths: Snakemake reads braces as wildcards, and lone surrogates cannot be encoded.
UNUSABLE = re.compile("[{}\x00-\x1f\x7f\ud800-\udfff]")
# Words in names of files of sentences, and the split that each means.
SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}


@dataclass(frozen=True)
class Local:
    """A file in the folder named by the environment variable TEXTLVM_CORPORA."""

    path: str
    """Relative to that folder."""
    sha256: str | None = None
    """Its digest, if it is packed differently from the download; otherwise it must be the same file."""


@dataclass(frozen=True)
class SourceFile:
    """One file of a corpus: where it comes from and how to recognise it."""

    name: str
    """Its name in the downloads of the corpus."""
    urls: tuple[str, ...] = ()
    """Addresses in the order in which they are tried."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Known digests, by algorithm: sha256, sha1, git_blob or md5, in lower-case hexadecimal."""
    bytes: int | None = None
    """Known size."""
    local: Local | None = None
    """Its path in a folder of corpora."""
    path: Path | None = None
    """A file of the user, used instead of a download; or a folder, whose files are counted in place."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """For sentences: patterns of archive members or keys of a pickle, by split."""

    @property
    def folder(self) -> Path | None:
        """Its path, if it is a folder of texts or counts; None if it is a file."""
        return self.path if self.path and self.path.is_dir() else None

    @property
    def expected_local(self) -> "SourceFile":
        """The file expected at its `local` path, which may be packed differently."""
        if self.local and self.local.sha256:
            return replace(self, hashes={"sha256": self.local.sha256}, bytes=None)
        return self


@dataclass(frozen=True)
class Corpus:
    """One entry of the registry."""

    name: str
    """Its name in config.yaml."""
    title: str
    """Its title in tables."""
    kind: str
    """documentation | text | counts | sentences."""
    files: tuple[SourceFile, ...]
    """Each file is counted separately, and the counts are added up."""
    members: str = "*"
    """Shell pattern of the files to read in an archive."""
    cleaning: str | None = None
    """The cleaning in `textlvm.corpora.counting`: gutenberg, or none."""
    format: str | None = None
    """The format of sentences in the files: lines | labelled | wikitext | triples | pickle."""
    licence: str = ""
    """Terms, as far as the source states them."""
    citation: str = ""
    """The publication to cite."""
    paper_corpus: bool = False
    """Whether it is the corpus the paper itself used."""

    @property
    def content(self) -> str:
        """The content of its files, `text` or `counts`."""
        return "counts" if self.kind == "counts" else "text"

    @property
    def maker(self) -> str:
        """The module that generates it, if it is a documentation corpus."""
        return "textlvm.sentences.data.standins" if self.format else "textlvm.corpora.documentation"

    @property
    def splits(self) -> dict[str, tuple[SourceFile, str]]:
        """The file of each split (train, valid, test), and the pattern or key of the split in that file."""
        return {split: (file, place) for file in self.files for split, place in file.splits.items()}

    def file(self, name: str) -> SourceFile:
        """The file of this name. Raises `UserError` if there is none."""
        for source in self.files:
            if source.name == name:
                return source
        valid = nearest(name, [source.name for source in self.files])
        raise UserError(f"corpus '{self.name}' has no file '{name}'; {valid}")


def load(
    path: Path,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    origin: Callable[[tuple[str, ...]], str] = lambda _: "config.yaml",
) -> dict[str, Corpus]:
    """Read the registry and add the `corpora` of a configuration to it.

    An override of a registered corpus sets the `path` of its file, or of the folder with its files. An
    override with a new name adds a corpus: `path` (a file, or a folder, which is read with its subfolders),
    `kind` (text, counts or sentences) and `title`; for sentences also `format`, with files named after their
    split, such as `train.txt`. `members` is a pattern of the files to read in archives. Paths are relative to
    the working directory.

    `origin` returns the file that contains a key of the configuration.

    Raises `UserError` for the first error, with one sentence that names the file and the key.
    """
    entries = read_yaml(path)
    check(entries, "corpora", path)
    for source in (source for entry in entries.values() for source in entry["files"]):
        for given in (source.get("path", ""), source.get("local", {}).get("path", "")):
            literal(given, f"{path}: ")
    for name, override in (overrides or {}).items():
        place = f"{origin(('corpora', name))}: corpora"
        entries[name] = _overridden(f"{place}.{name}", name, entries.get(name), override)
        check({name: entries[name]}, "corpora", place)
    return {name: _corpus(name, entry) for name, entry in canonical(entries, json_schema("corpora")).items()}


def find(corpora: Mapping[str, Corpus], name: str) -> Corpus:
    """The corpus of this name. Raises `UserError` with the nearest names if there is none."""
    if name not in corpora:
        raise UserError(f"unknown corpus '{name}'; {nearest(name, corpora)}")
    return corpora[name]


def _overridden(
    key: str, name: str, entry: dict[str, Any] | None, override: Mapping[str, Any]
) -> dict[str, Any]:
    for unknown in override:
        if unknown not in OVERRIDES:
            raise UserError(f"{key}: unknown key '{unknown}'; {nearest(unknown, OVERRIDES)}")
    if not isinstance(override.get("path"), str):
        raise UserError(f"{key}: `path` is missing; set it to the file or the folder of this corpus")
    path = literal(override["path"], f"{key}: ")
    _check_usable(key, str(path))
    if entry is None:
        return _added(key, name, path, override)
    # Registered sentences define the place of each split.
    valid = ("path",) if "format" in entry else ("path", "members")
    if override.keys() - valid:
        names = " and ".join(f"`{name}`" for name in valid)
        raise UserError(
            f"{key}: only {names} can be set for this registered corpus; give your own corpus a "
            "different name"
        )
    if entry["kind"] == "documentation":
        raise UserError(
            f"{key}: this corpus is generated from the installed packages; give your own "
            "corpus a different name"
        )
    if len(entry["files"]) > 1 and not path.is_dir():
        raise UserError(
            f"{key}: this corpus has {len(entry['files'])} files; set `path` to the folder that contains them"
        )
    files = [
        {**source, "path": str(path / source["name"] if path.is_dir() else path)} for source in entry["files"]
    ]
    return {**entry, "files": files, **_members(override)}


def _check_usable(key: str, path: str) -> None:
    if UNUSABLE.search(path):
        raise UserError(f"{key}: {path!r} has braces or control characters in its name; rename it")


def _added(key: str, name: str, path: Path, override: Mapping[str, Any]) -> dict[str, Any]:
    if override.get("kind") not in ("text", "counts", "sentences"):
        raise UserError(f"{key}: `kind` must be text, counts or sentences")
    if ("format" in override) != (override["kind"] == "sentences"):
        raise UserError(f"{key}: `format` is for sentences, which require it")
    files = [path]
    try:
        if path.is_dir():
            files = [path / name for name in listing(path).sizes]
    except OSError as error:
        place = error.filename or path
        raise UserError(f"{key}: cannot read {place}: {error.strerror}; correct its path") from error
    if not files:
        raise UserError(f"{key}: the folder {path} contains only hidden files or links; correct its path")
    for file in files:
        _check_usable(key, str(file))
    entry = {"title": override.get("title", name), "kind": override["kind"], **_members(override)}
    if "format" not in override:
        return {**entry, "files": [{"name": _plain(path.name), "path": str(path)}]}
    names = {file.relative_to(path).as_posix() if file != path else path.name: file for file in files}
    return {**entry, "format": override["format"], "files": _files_of_splits(key, names, override)}


def _members(override: Mapping[str, Any]) -> dict[str, str]:
    return {"members": override["members"]} if "members" in override else {}


def _files_of_splits(
    key: str, files: Mapping[str, Path], override: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The entries of files of sentences, each with the split in its name."""
    named: dict[str, str] = {}
    for name in files:
        split = _split(key, name)
        if split in named:
            raise UserError(
                f"{key}: {named[split]} and {name} are both called {split}; put them into one file or archive"
            )
        named[split] = name
    members = override.get("members", "*")
    return [
        {"name": _plain(name), "path": str(files[name]), "splits": {split: members}}
        for split, name in named.items()
    ]


def _split(key: str, name: str) -> str:
    """The split in the path of a file of sentences."""
    splits = {SPLIT_NAMES[word] for word in re.split(r"[^a-z]+", name.lower()) if word in SPLIT_NAMES}
    if len(splits) != 1:
        raise UserError(f"{key}: {name} must have train, valid or test in its name")
    return splits.pop()


def _plain(name: str) -> str:
    """A file name that needs no quoting in a command line."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-") or "_"


def _corpus(name: str, entry: Mapping[str, Any]) -> Corpus:
    return Corpus(**{**entry, "name": name, "files": tuple(map(_source_file, entry["files"]))})


def _source_file(entry: Mapping[str, Any]) -> SourceFile:
    return SourceFile(
        name=entry["name"],
        urls=tuple(entry.get("urls", ())),
        hashes={algorithm: entry[algorithm] for algorithm in HASHES if algorithm in entry},
        bytes=entry.get("bytes"),
        local=Local(**entry["local"]) if "local" in entry else None,
        path=Path(entry["path"]) if "path" in entry else None,
        splits={entry["split"]: "*"} if "split" in entry else entry.get("splits", {}),
    )
