"""All inputs of the page for an experiment at paper scale, written without running it.

Numbers are the published ones with noise; curves, texts and figures have realistic sizes.
"""

import json
import random
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from textlvm.experiment.declarations import Texts
from textlvm.experiment.paper import PAPERS, load_all
from textlvm.experiment.plan import Planned
from textlvm.reporting import published as printed
from textlvm.reporting.page.plan import read_page_plan

ALL = load_all(PAPERS.iterdir())
EXTRA = {
    "words": ("h_marginal", "h_expected", "h_gap_reference", "distinct", "nats_3gram", "nats_5gram"),
    "sentences": (
        *("reconstruction", "ppl_elbo_per_word", "ppl_melbo_per_word", "nll_test_prior", "ppl_test_prior"),
        *("ppl_test_prior_per_word", "nll_train_prior", "ppl_train_prior", "ppl_train_prior_per_word"),
        *("nll_elbo_eos", "ppl_elbo_eos", "nll_melbo_eos", "ppl_melbo_eos"),
        *("bleu1_eos", "bleu1_unmatched", "bleu1_words", "bleu1_greedy"),
        *("latent_entropy", "normal_entropy", "normal_entropy_estimated"),
    ),
}
"""Metrics that the papers do not print."""
COMPARED = {"bleu1": "bleu1_eos"}
WORDS = (
    *("the", "of", "a", "question", "is", "how", "do", "you", "get", "an", "answer", "that", "was"),
    *("in", "<unk>", "restaurant", "market", "shares"),
)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", 1300, 780)
"""The header of an image of this width and height."""
LIKELIHOOD = {
    "importance": {
        prior: {"1": {"nll": 99.9}} for prior in ("normal", "gaussian", "mixture", "flow", "aggregated")
    },
    "neighbours": {"42068": {"64": {"nll": 99.9}}},
    "codes": {"mutual_information": 8.2, "active_units": 16},
}
"""The part of a likelihood.json that pages show."""
FIGURE = 300_000
"""Bytes of a figure as PNG, the smaller of its two formats; real ones are smaller."""


def write(results: Path, plan: Mapping[str, Any]) -> None:
    """Write the files that the page's `plan` names to the folder `results`."""
    rng = random.Random(0)
    shown = read_page_plan(plan)
    for entry in shown.planned:
        for seed in entry.seeds:
            if entry.training_path:
                _run(results, entry, seed, rng)
            else:
                _write(results / entry.metrics(seed), _outcome(entry, seed, rng))
    for figure in shown.figures:
        _write(results / f"{figure.path}.png", PNG + rng.randbytes(FIGURE))
        _write(results / f"{figure.path}.svg", rng.randbytes(2 * FIGURE))
    for text in shown.texts:
        _write(results / f"{text.path}.json", _texts(ALL[text.paper].texts[text.number], rng))
    for file in shown.further:
        _write(results / file, LIKELIHOOD)


def _run(results: Path, entry: Planned, seed: int, rng: random.Random) -> None:
    """Write the files of one evaluated seed and of its training."""
    folder = results / entry.path / f"seed{seed}"
    process = {
        "git": {"commit": "c" * 40, "dirty": False},
        "machine": {"cpu": "A CPU of some make with 16 cores"},
        "ended": "2026-01-01T12:00:00.000+00:00",
        "peak_memory_mib": 2345,
    }
    _write(folder / "metrics.json", _outcome(entry, seed, rng))
    _write(folder / "provenance.json", {"training": process, "evaluation": process})
    trained = results / entry.training_path / f"seed{seed}"
    settings = dict.fromkeys(("batch", "clip", "decay", "epochs", "learning_rate", "log_every"), 0.123)
    spec = {"name": entry.path, "seed": seed, "model": settings, "training": settings}
    _write(trained / "spec.json", spec)
    cost = {"device": "NVIDIA H100", "parameters": 12345678, "steps": 15000, "seconds": 3600.0}
    _write(trained / "cost.json", cost | {"torch": "2.13.0"})
    curve = _curve(entry.paper, rng) if entry.is_trained else []
    _write(trained / "curve.jsonl", "".join(f"{json.dumps(line)}\n" for line in curve))


def _outcome(entry: Planned, seed: int, rng: random.Random) -> dict[str, Any]:
    """The content of metrics.json, or of a data set's statistics.json."""
    metrics, units = {}, ALL[entry.paper].metrics
    tables = {row.table for row in entry.rows}
    for value in printed.read({entry.paper: ALL[entry.paper]}):
        if value.table in tables and value.row == entry.label:
            # The evaluation reports several readings of BLEU.
            name = COMPARED.get(value.metric, value.metric)
            metrics.setdefault(name, _estimate(value.value, units[value.metric].unit, rng))
    if entry.training_path:
        for name in EXTRA[entry.paper]:
            metrics.setdefault(name, _estimate(20.0, units[name].unit, rng))
    place = {key: getattr(entry, key) for key in ("paper", "corpus", "split", "dataset")}
    settings = dict.fromkeys(("batch", "samples", "repeats", "trajectories"), 128)
    return {
        **place,
        "run": entry.name,
        "seed": seed,
        "status": "done",
        "metrics": metrics,
        "settings": settings,
    }


def _estimate(value: float, unit: str, rng: random.Random) -> dict[str, Any]:
    mean = value if unit in ("sentences", "words") else value * rng.gauss(1, 0.01)
    return {"value": mean, "low": mean * 0.999, "high": mean * 1.001, "unit": unit}


def _curve(paper: str, rng: random.Random) -> Iterable[dict[str, float]]:
    """A training curve: 15,000 steps of words, or thirty epochs of sentences, each validated."""
    steps, every, monitored = (15_000, 50, 500) if paper == "words" else (150_000, 100, 5_000)
    for step in range(every, steps + 1, every):
        line = {"step": step, "loss": 12 + 500 / step + rng.gauss(0, 0.3), "learning_rate": 0.01}
        if step % monitored == 0 and paper == "words":
            line |= {"h_marginal": 2 + rng.random(), "h_expected": 1 + rng.random(), "h_gap": rng.random()}
        elif step % monitored == 0:
            line["validation_loss"] = line["loss"] + 1
        yield line


def _texts(layout: Texts, rng: random.Random) -> dict[str, Any]:
    """A table of texts with the largest numbers and lengths that config.yaml sets."""

    def text() -> str:
        return " ".join(rng.choices(WORDS, k=100))

    given = [(text(), text()) for _ in range(10)]
    entries: dict[str, Any] = {
        "reconstructions": lambda: [
            {"sentence": one, "label": "", "mean": text(), "sample": text(), "perturbed": text()}
            for one, _ in given[:3]
        ],
        "interpolations": lambda: [
            {"start": one, "end": other, "steps": [text() for _ in range(10)]} for one, other in given[:2]
        ],
        "samples": lambda: [text() for _ in range(5)],
        "prior_samples": lambda: [text() for _ in range(5)],
        "answers": lambda: [
            {"question": one, "answers": {length: text() for length in layout.answers}} for one, _ in given
        ],
    }
    columns = {label: entries[layout.kind]() for label in ("sMIM (1024)", "sMIM (1024)†", "AE (1024)")}
    title = f"Table {layout.number}: {layout.title}"
    return {
        "table": layout.number,
        "title": title,
        "kind": layout.kind.removeprefix("prior_"),
        "columns": columns,
    }


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
