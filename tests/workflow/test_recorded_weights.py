"""The recorded weights of the words paper reproduce the recorded numbers without training."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from pages import README, blocks
from textlvm.corpora.counting import count
from textlvm.corpora.splits import SplitSettings, WordSplit, split
from textlvm.corpora.vocabulary import VocabularySettings, vocabulary
from textlvm.runtime.files import read_input
from textlvm.spec import parse
from textlvm.words.cross_entropy import cross_entropy, exact_log_probs, frequencies, monte_carlo_marginals
from textlvm.words.letters import encode
from textlvm.words.model import StateSpaceModel
from textlvm.words.trained import load_model, read_settings

ROOT = Path(__file__).parents[2]
EXACT = ("gru", "hmm")
"""Families whose P(w) is exact."""
RUNS = sorted(path.parent for path in (ROOT / "results/recorded").glob("*/words/**/model.safetensors"))
CPU = torch.device("cpu")


@cache
def counts() -> tuple[list[str], np.ndarray]:
    """The vocabulary of the shipped counts with the settings of config.yaml, and its counts."""
    settings = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["words"]["vocabulary"]
    of_files = count(ROOT / "workflow/counts/gutenberg.txt.gz", "counts")
    chosen = vocabulary(of_files, parse(VocabularySettings, settings))
    return list(chosen), np.array(list(chosen.values()))


def words_of(run: Path) -> WordSplit:
    """The words of a run's split."""
    spec = read_input(run / "spec.json", "name", "data")
    folder = spec["name"].split("/")[2]
    return split(*counts(), folder.partition("-")[0], parse(SplitSettings, spec["data"]["split"]))


def label(run: Path) -> str:
    return "/".join(run.parts[-3:])


def test_weights_are_recorded():
    assert {"tril", "2xtril-k5", "baseline-8d"} <= {run.parent.name for run in RUNS}
    assert sum(file.stat().st_size for file in (folder / "model.safetensors" for folder in RUNS)) < 4e6


def test_python_example_in_readme_samples_and_scores_words(monkeypatch, capsys):
    (lines,) = (text for text in blocks(README, "python") if "textlvm.words" in text)
    monkeypatch.chdir(ROOT)
    torch.manual_seed(0)
    exec(lines, {})
    sampled, log_probs = map(eval, capsys.readouterr().out.splitlines())
    (printed,) = map(eval, re.findall(r"# (\[-.*\])$", lines, flags=re.MULTILINE))
    assert len(sampled) == 5
    assert all(word is None or re.fullmatch("[a-z]*", word) for word in sampled)
    # The 95% interval of the estimate is ± 0.07.
    assert log_probs == pytest.approx(printed, abs=0.2)


@pytest.mark.parametrize("run", RUNS, ids=label)
def test_recorded_weights_belong_to_their_spec(run):
    settings = read_settings(run)
    model = load_model(run, settings.model, words_of(run), CPU)
    cost = read_input(run / "cost.json", "parameters")
    assert sum(parameter.numel() for parameter in model.parameters()) == cost["parameters"]


@pytest.mark.parametrize("run", [run for run in RUNS if read_settings(run).model.family in EXACT], ids=label)
def test_exact_cross_entropies_match_the_records(run):
    words = words_of(run)
    model = load_model(run, read_settings(run).model, words, CPU)
    log_probs = exact_log_probs(model, encode(words.words))
    metrics = read_input(run / "metrics.json", "metrics")["metrics"]
    for name, side in (("ce_train", words.train), ("ce_test", words.test)):
        assert cross_entropy(frequencies(side), log_probs) == pytest.approx(metrics[name]["value"], abs=1e-4)


# Estimates on other draws of the unseen words vary more, since a few words make up most of their test side.
ON_CURVE = [
    run
    for run in RUNS
    if run.parent.name in ("tril", "2xtril-k5") and run.parents[1].name in ("standard", "unseen")
]


@pytest.mark.parametrize("run", ON_CURVE, ids=label)
def test_estimated_cross_entropies_match_the_recorded_curve(run):
    words = words_of(run)
    model = load_model(run, read_settings(run).model, words, CPU)
    assert isinstance(model, StateSpaceModel)
    torch.manual_seed(0)
    frequency = frequencies(words.test)
    marginals = monte_carlo_marginals(model, encode(words.words), 4096, (frequency,))
    curve = read_input(run / "metrics.json", "curve")["curve"]["ce_over_k"]
    (recorded,) = [of_test for k, _, of_test in curve if k == 4096]
    # Two independent estimates of 4,096 trajectories; their standard deviation is about 0.02 nats.
    assert cross_entropy(frequency, marginals.log_probs()) == pytest.approx(recorded, abs=0.1)
