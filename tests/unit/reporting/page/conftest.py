"""A small experiment with the files that its rules write, and its page."""

import csv
import io
import json
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from plans import planned
from textlvm.experiment.paper import PAPERS, load_all
from textlvm.experiment.plan import Planned
from textlvm.experiment.serialization import from_json, to_json
from textlvm.reporting import published as printed
from textlvm.reporting.assembly import build
from textlvm.reporting.cells import Cell
from textlvm.reporting.claims.lines import read_csv
from textlvm.reporting.page.claims import from_lines
from textlvm.reporting.page.document import render
from textlvm.reporting.page.plan import read_page_plan
from textlvm.reporting.runs import read_results

ALL = load_all(PAPERS.iterdir())
HOSTILE = '<script>document.title = "taken"</script><img src=x onerror=alert(1)> & "novels"'
"""The title of the words paper's corpus."""
CLAIM = {
    "id": "tril-beats-diag/mine",
    "paper": "words",
    "where": "Section 5.1",
    "claim": "DIAG stagnates <b>",
    "predicate": "ce_test: TRIL < DIAG",
    "outcome": "holds",
    "effect": "-0.5",
    "low": "-0.8",
    "high": "-0.2",
    "unit": "nats/word",
    "seeds": "3",
    "published_outcome": "not printed",
    "corpus": "mine",
    "stand_in": "true",
    "missing": "",
    "rows": "DIAG; TRIL",
    "dataset": "bookscorpus",
    "corpus_title": HOSTILE,
    "comparison": "TRIL − DIAG (ce_test)",
    "published_effect": "",
    "published_comparison": "",
    "note": "",
    "borrowed_from": "",
    "replicate": "seed",
}


@dataclass
class Experiment:
    """The results of some runs in a folder."""

    folder: Path
    plan: dict[str, Any]

    def write(self, path: str, content: Any) -> str:
        """Write a file below the results: bytes, text, or a value as JSON."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    def cells(self) -> list[Cell]:
        """The cells of all tables."""
        plan = read_page_plan(self.plan)
        published, cells = printed.read(ALL), []
        for table in (1, 2):
            entries = [entry for entry in plan.planned if any(row.table == table for row in entry.rows)]
            paths = [self.folder / path for entry in entries for path in plan.outcomes(entry).values()]
            cells += build(table, ALL, published, entries, read_results(paths, entries))
        return cells

    def page(self) -> str:
        """The page."""
        plan, claims = read_page_plan(self.plan), self.folder / "claims.csv"
        lines = read_csv(claims) if claims.exists() else []
        return render(ALL, plan, self.cells(), from_lines(lines, plan, ALL))

    def add(self, entry: Planned) -> Planned:
        """Plan a run without outcomes."""
        self.plan["planned"].append(to_json(entry))
        self.plan["known"][entry.path] = {}
        return entry

    def entry(self, name: str) -> dict[str, Any]:
        """The planned run with this name; changes affect the plan."""
        return next(entry for entry in self.plan["planned"] if entry["name"] == name)

    def copy(self, name: str, **changes: Any) -> None:
        """Plan a changed copy of a run; with the same path, it has the same outcomes."""
        changed = self.entry(name) | changes
        self.plan["planned"].append(changed)
        self.plan["known"].setdefault(from_json(changed).path, {})

    def finish(self, entry: Planned, metrics: dict[str, tuple[float, str]], steps: int = 40) -> None:
        """Write the files of every seed of a run; numbers increase slightly with the seed."""
        for seed in entry.seeds:
            folder = f"{entry.path}/seed{seed}"
            self.write(f"{folder}/spec.json", {"name": entry.path, "seed": seed, "model": {"dim": 8}})
            cost = {"device": "CPU", "parameters": 1234, "steps": steps, "seconds": 3.5, "torch": "2.13.0"}
            self.write(f"{folder}/cost.json", cost)
            curve = [
                {"step": step, "loss": 12 + 5 / step + seed / 10, "learning_rate": 0.1}
                | ({"h_gap": 1 / step, "h_marginal": 2.0, "h_expected": 1.0} if step % 10 == 0 else {})
                for step in range(1, steps + 1)
            ]
            self.write(f"{folder}/curve.jsonl", "".join(json.dumps(line) + "\n" for line in curve))
            outcome = {
                **metadata(entry, seed, "done"),
                "metrics": {
                    name: {"value": value + seed / 100, "low": value - 0.1, "high": value + 0.1, "unit": unit}
                    for name, (value, unit) in metrics.items()
                },
                "settings": {"trajectories": 4096, "samples": 10000},
            }
            self.write(f"{folder}/metrics.json", outcome)
            self.plan["known"][entry.path][str(seed)] = ""


def metadata(entry: Planned, seed: int, status: str) -> dict[str, Any]:
    """The metadata of a run in its metrics files."""
    place = {key: getattr(entry, key) for key in ("paper", "corpus", "dataset", "split")}
    return {**place, "run": entry.name, "seed": seed, "status": status}


def words(row: str, name: str, **changes: Any) -> Planned:
    """A run of Table 1 of the words paper."""
    return planned(row, name=name, corpus="mine", corpus_title=HOSTILE, stand_in=True, **changes)


def ptb(row: str, name: str, **changes: Any) -> Planned:
    """A run or data set of the sentences paper."""
    place = {"paper": "sentences", "corpus": "ptb", "dataset": "ptb", "corpus_title": "Penn Treebank"}
    return planned(row, name=name, **place | changes)


def picture(experiment: Experiment, paper: str, number: int, path: str) -> None:
    """Add a small figure."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 40, 20, 8, 0, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(bytes(21) * 20)), (b"IEND", b"")]
    framed = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    experiment.write(f"{path}.png", b"\x89PNG\r\n\x1a\n" + b"".join(framed))
    mark = '<path d="M0 0L40 20" stroke="red"/>'
    experiment.write(f"{path}.svg", f'<svg xmlns="http://www.w3.org/2000/svg">{mark}</svg>')
    experiment.plan["figures"].append({"paper": paper, "number": number, "title": HOSTILE, "path": path})


def texts(experiment: Experiment) -> None:
    """Add a table of texts of each kind."""
    reconstruction = {"sentence": "the <unk> cat", "label": "3", "mean": "m", "sample": "s", "perturbed": "p"}
    entries = {
        "reconstructions": [reconstruction, {**reconstruction, "label": HOSTILE}],
        "interpolations": [{"start": "a", "end": "b", "steps": ["one", "two <i>"]}],
        "samples": ["a <unk> sample", HOSTILE],
        "answers": [{"question": "why ?", "answers": {"short": "s", "medium": "m", "long": "l"}}],
    }
    for table, (kind, lines) in zip((12, 15, 18, 21), entries.items(), strict=True):
        columns = {"sMIM (512)": lines, "sMIM (1024)†": lines}
        if kind == "reconstructions":
            # Autoencoders have no samples and perturbed reconstructions.
            known = ("sentence", "label", "mean")
            columns["AE (512)"] = [{key: entry[key] for key in known} for entry in lines]
        content = {"table": table, "title": f"Table {table}: {kind}", "kind": kind, "columns": columns}
        path = f"sentences/table{table}"
        experiment.write(f"{path}.json", content)
        experiment.plan["texts"].append({"paper": "sentences", "number": table, "title": "PTB", "path": path})


def claim(experiment: Experiment, *lines: dict[str, str]) -> None:
    """Write the table of claims; each has numbers of the run TRIL."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*CLAIM, "runs"])
    writer.writeheader()
    runs = json.dumps([f"{experiment.folder}/words/mine/standard/tril/seed0/metrics.json", "elsewhere.json"])
    writer.writerows(line | {"runs": runs} for line in lines)
    experiment.write("claims.csv", text.getvalue())


def empty_experiment(results: Path) -> Experiment:
    """An experiment without a run."""
    plan = {
        "results": str(results),
        "partial": False,
        "command": "snakemake --cores all",
        "planned": [],
        "known": {},
        "figures": [],
        "texts": [],
    }
    return Experiment(results, plan)


def small_experiment(results: Path) -> Experiment:
    """Runs of both papers in every state, figures, texts and a claim."""
    experiment = empty_experiment(results)
    data = experiment.add(ptb("PTB", "data", seeds=(0,)))
    statistics = metadata(data, 0, "done") | {"metrics": {"train": {"value": 42068.0, "unit": "sentences"}}}
    experiment.write("sentences/ptb/data/statistics.json", statistics | {"settings": {"draw": 9}})
    experiment.plan["known"][data.path]["0"] = ""
    nats, share = "nats/word", "share"
    tril = experiment.add(words("TRIL", "tril"))
    experiment.finish(
        tril, {"ce_train": (11.9, nats), "ce_test": (12.9, nats), "unique": (0.2, share)}, steps=900
    )
    k2 = experiment.add(words("TRIL, K=2", "tril-k2"))
    experiment.finish(k2, {"ce_train": (11.5, nats), "ce_test": (math.e, nats), "distinct": (-3.2e9, share)})
    failed = experiment.add(words("TRIL, K=5", "tril-k5", seeds=(0,)))
    failure = "words/mine/standard/tril-k5/seed0/checkpoint/failure.json"
    experiment.write(failure, metadata(failed, 0, "failed") | {"reason": "the loss became nan <&>"})
    experiment.plan["known"][failed.path]["0"] = failure
    experiment.add(words("DIAG", "diag"))
    experiment.add(words("MINE <b>", "mine", seeds=(0,)))
    smim = experiment.add(ptb("sMIM (512)", "smim-512", table=2))
    experiment.finish(
        smim, {"ppl_melbo": (19.5, "per word"), "bleu1_eos": (0.83, "score"), "kld": (9.0, "nats/sentence")}
    )
    picture(experiment, "words", 1, "words/mine/figure1")
    picture(experiment, "sentences", 4, "sentences/figure4")
    texts(experiment)
    claim(experiment, CLAIM)
    return experiment


@pytest.fixture
def empty(tmp_path) -> Experiment:
    """An experiment without a run."""
    return empty_experiment(tmp_path / "results")


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    """The small experiment, for one test."""
    return small_experiment(tmp_path / "results")


@pytest.fixture(scope="session")
def page_file(tmp_path_factory) -> Path:
    """The page of the small experiment."""
    folder = tmp_path_factory.mktemp("page")
    path = folder / "index.html"
    path.write_text(small_experiment(folder / "results").page(), encoding="utf-8")
    return path
