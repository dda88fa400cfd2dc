"""The sampler of training batches and the evaluation command."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from specs import BASE
from test_metrics import SETTINGS, SPLIT, close

from textlvm.corpora.splits import write_words
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_json, write_json
from textlvm.training.checkpoint import save_weights
from textlvm.words import evaluate
from textlvm.words.model import build
from textlvm.words.train import WordSampler


def test_sampler_draws_words_by_their_token_counts():
    torch.manual_seed(0)
    sampler = WordSampler(SPLIT, 20_000, torch.device("cpu"))
    batch = sampler()
    lengths = torch.bincount(batch.packing.sums(torch.ones(len(batch.letters))).long(), minlength=6) / 20_000
    # The words have different lengths; "of" never occurs in training.
    assert lengths[3] == 0
    assert close(lengths[[2, 4, 5]].numpy(), np.array([0.5, 0.3, 0.2]), 20_000)


@pytest.fixture
def run(tmp_path):
    """The folder of a trained run, with words.tsv in its parent folder."""
    spec = dataclasses.replace(BASE, samples=2)
    torch.manual_seed(0)
    write_json(
        tmp_path / "run/spec.json",
        {"name": "words/some/standard/tril", "seed": 0, "model": dataclasses.asdict(spec)},
    )
    save_weights(tmp_path / "run/model.safetensors", build(spec))
    write_words(tmp_path / "words.tsv", SPLIT)
    return tmp_path / "run"


def measure(run, *arguments, out="out"):
    folder = run.parent / out
    parsed = evaluate.arguments().parse_args(
        [
            *("--words", str(run.parent / "words.tsv"), "--run", str(run)),
            *("--out", str(folder / "metrics.json"), *arguments),
        ]
    )
    evaluate.main(parsed)
    return read_json(folder / "metrics.json")


def test_evaluation_is_repeatable_from_the_weights(run):
    settings = dataclasses.asdict(SETTINGS) | {"trajectories": 512, "samples": 50}
    first = measure(run, "--settings", json.dumps(settings))
    assert first["settings"] == settings
    write_json(run / "metrics.json", first)
    again = measure(run, out="again")
    assert again == first
    assert (run.parent / "again/samples.txt").read_text() == (run.parent / "out/samples.txt").read_text()
    other = measure(run, "--trajectories", "1024", out="other")
    assert other["settings"] == settings | {"trajectories": 1024}
    assert [row[0] for row in other["curve"]["ce_over_k"]] == [128, 256, 512, 1024]
    # Metrics that do not depend on K are equal.
    assert other["metrics"]["unique"] == first["metrics"]["unique"]


def test_error_messages(run):
    with pytest.raises(UserError, match=r"run has no metrics.json with settings: pass --settings"):
        measure(run)
    write_json(run / "metrics.json", {"settings": dataclasses.asdict(SETTINGS)})
    with pytest.raises(UserError, match="--trajectories must be at least 256, not 100"):
        measure(run, "--trajectories", "100")
    save_weights(run / "model.safetensors", build(BASE))
    with pytest.raises(UserError, match=r"Missing key.*inference.from_proposal.weight"):
        measure(run)
