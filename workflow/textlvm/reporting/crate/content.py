"""The content of a crate: the files of an experiment and the provenance of its runs."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path, PurePath
from typing import Any

from textlvm.corpora.registry import Corpus
from textlvm.experiment.paper import Paper
from textlvm.runtime.files import read_input

__all__ = ["Content", "RunRecord", "read_run"]

SOURCES = (
    *("Snakefile", "config.yaml", "Makefile", "README.md", "CITATION.cff", "LICENSE*"),
    *("envs/**/*", "workflow/**/*"),
)
"""The files of the workflow, as patterns in the project's folder."""
HIDDEN = re.compile(r"(^|/)(\.|__pycache__/)")


@dataclass(frozen=True)
class RunRecord:
    """One run with one seed, as its provenance.json describes it."""

    folder: Path
    """Where its metrics.json is."""
    name: str
    """The trained run, e.g. `words/gutenberg/standard/tril`."""
    seed: int
    configuration: Mapping[str, Any]
    corpora: Mapping[str, str | None]
    data: Mapping[str, str | None]
    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]

    @property
    def trained(self) -> str:
        """The folder of the trained model, below the results."""
        return f"{self.name}/seed{self.seed}"

    @property
    def weights(self) -> list[str]:
        """The weights of the trained model, among the data."""
        return [path for path in self.data if path.endswith(f"{self.trained}/model.safetensors")]

    @property
    def training_data(self) -> list[str]:
        """The data that the training read; a run is in the folder of its training data."""
        beside = f"/{PurePath(self.name).parent}/"
        return [path for path in self.data if beside in f"/{path}" and path not in self.weights]


@dataclass(frozen=True, kw_only=True)
class Content:
    """The content of an experiment's crate."""

    papers: Mapping[str, Paper]
    project: Path
    """The folder of the Snakefile."""
    results: Path
    products: Sequence[Path]
    """Tables, figures and the like, below the results."""
    runs: Sequence[RunRecord]
    data: Sequence[Path]
    """The statistics of data sets, in the results."""
    configuration: Mapping[str, Any]
    """The effective configuration."""
    corpora: Mapping[str, Corpus]
    engine: str
    """The version of Snakemake."""

    @property
    def sources(self) -> dict[str, Path]:
        """The files of the workflow and of external papers, by their path in the crate."""
        paths = {path for pattern in SOURCES for path in self.project.glob(pattern)}
        paths |= {path for paper in self.papers.values() for path in paper.folder.glob("**/*")}
        files = {self.source(path): path for path in sorted(paths) if path.is_file()}
        return {name: path for name, path in files.items() if not HIDDEN.search(name)}

    def source(self, path: Path) -> str:
        """The path of a file of the workflow in the crate; those of external papers are in `papers`."""
        path, project = path.resolve(), self.project.resolve()
        for name, paper in self.papers.items():
            folder = paper.folder.resolve()
            if path.is_relative_to(folder) and not folder.is_relative_to(project):
                return PurePath("papers", name, path.relative_to(folder)).as_posix()
        return path.relative_to(project).as_posix()

    @property
    def shareable(self) -> list[Path]:
        """The products that contain no sentences of a corpus."""
        tables = {(name, f"table{number}") for name, paper in self.papers.items() for number in paper.texts}
        texts = {path for path in self.products if (path.parent.name, path.stem) in tables}
        # A page shows all tables of texts.
        pages = {path for path in self.products if texts and path.name == "index.html"}
        return sorted({*self.products} - texts - pages)

    @property
    def ordered(self) -> list[RunRecord]:
        """The runs, sorted by folder."""
        return sorted(self.runs, key=lambda run: run.folder)

    @property
    def digests(self) -> dict[str, dict[str, str | None]]:
        """The digests of the corpora's files or folders, by the names of corpus and file."""
        digests: dict[str, dict[str, str | None]] = defaultdict(dict)
        folders = {
            str(source.folder): (name, source.name)
            for name, corpus in self.corpora.items()
            for source in corpus.files
            if source.folder
        }
        for run in self.ordered:
            for path, digest in run.corpora.items():
                corpus, file = folders.get(path, (PurePath(path).parent.name, PurePath(path).name))
                digests[corpus][file] = digest
        return dict(sorted(digests.items()))

    @property
    def version(self) -> str | None:
        """The commit of the last evaluation; None outside git."""
        git = max(self.runs, key=lambda run: run.evaluation["ended"]).evaluation["git"]
        return f"{git['commit']}{'-dirty' if git['dirty'] else ''}" if git else None

    def place(self, path: str | Path) -> str:
        """The path of a file in the crate: files of the results are in `results`."""
        path = Path(path)
        if path.is_relative_to(self.results):
            path = Path("results", path.relative_to(self.results))
        return path.as_posix()


def read_run(path: Path) -> RunRecord:
    """Read a provenance.json. Raises `UserError` that names the file if it is damaged."""
    keys = [field.name for field in fields(RunRecord) if field.name != "folder"]
    record = read_input(path, *keys)
    return RunRecord(path.parent, **{key: record[key] for key in keys})
