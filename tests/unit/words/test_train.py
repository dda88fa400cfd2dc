"""The training command and its sampler of batches."""

import argparse
import dataclasses
import json
from collections import Counter

import numpy as np
import pytest
import torch
from specs import BASE, TRAINING

from textlvm.corpora.splits import WordSplit, write_words
from textlvm.runtime.errors import UserError
from textlvm.spec import parse
from textlvm.training.checkpoint import load_weights
from textlvm.words import train
from textlvm.words.engine import bound
from textlvm.words.model import build
from textlvm.words.spec import ModelSpec
from textlvm.words.train import WordSampler

SPLIT = WordSplit(["an", "ant", "tan", "tea"], np.array([4, 3, 2, 1]), np.array([1, 1, 1, 1]))


def options(tmp_path, training=TRAINING, model=BASE):
    write_words(tmp_path / "words.tsv", SPLIT)
    spec = {"model": dataclasses.asdict(model), "training": dataclasses.asdict(training)}
    spec = json.loads(json.dumps(spec))
    out = tmp_path / "run"
    return argparse.Namespace(
        words=tmp_path / "words.tsv",
        name="words/mine/unseen/tril",
        seed=2,
        spec=spec,
        checkpoint=out / "checkpoint",
        out=out,
        gpus=0,
    )


def test_sampler_remembers_the_words_of_recent_batches():
    sampler = WordSampler(SPLIT, 6, torch.device("cpu"), remembered=2)
    batches = {step: sampler(step) for step in (7, 8, 9)}
    assert sampler.drawn(7) == []
    for step in (8, 9):
        drawn = sampler.drawn(step)
        assert set(drawn) <= set(SPLIT.words)
        # Each word has one more symbol, END.
        lengths = batches[step].packing.sequence.bincount().tolist()
        assert Counter(len(word) + 1 for word in drawn) == Counter(lengths)


@pytest.mark.parametrize("estimator", ["full", "path"])
def test_configured_estimator_is_used(tmp_path, monkeypatch, estimator):
    seen = []
    original = train.bound
    monkeypatch.setattr(
        train, "bound", lambda model, batch, given: seen.append(given) or original(model, batch, given)
    )
    train.main(options(tmp_path, dataclasses.replace(TRAINING, steps=3, estimator=estimator)))
    assert seen == [estimator] * 3


@pytest.mark.parametrize("changes", [{"transition": "spline"}, {"samples": 3, "resampling": True}])
def test_extensions_of_the_paper_are_trained_and_loaded(tmp_path, changes):
    given = options(tmp_path, dataclasses.replace(TRAINING, steps=4), dataclasses.replace(BASE, **changes))
    train.main(given)
    spec = parse(ModelSpec, json.loads((given.out / "spec.json").read_text())["model"])
    assert spec == dataclasses.replace(BASE, **changes)
    model = build(spec)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    load_weights(given.out / "model.safetensors", model)
    assert any(not torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.isfinite(bound(model, WordSampler(SPLIT, 9, torch.device("cpu"))()))


def test_resampling_is_off_by_default():
    recorded = dataclasses.asdict(BASE)
    del recorded["resampling"]
    assert parse(ModelSpec, recorded) == BASE
    del recorded["samples"]
    with pytest.raises(UserError, match="ModelSpec: the setting 'samples' is missing"):
        parse(ModelSpec, recorded)


def test_oracle_writes_the_files_of_a_run(tmp_path):
    given = options(tmp_path, model=dataclasses.replace(BASE, family="oracle"))
    train.main(given)
    assert sorted(path.name for path in given.out.iterdir()) == [
        "cost.json",
        "curve.jsonl",
        "model.safetensors",
        "spec.json",
        "training.json",
    ]
