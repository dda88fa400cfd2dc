"""The hidden Markov model: compared with sums over all hidden paths, and fitted to words of a known model."""

import itertools
import math
from dataclasses import replace
from string import ascii_lowercase

import numpy as np
import pytest
import torch
import yaml
from specs import BASE, batch_of
from test_metrics import SETTINGS, no_seed
from test_train import TRAINING, options
from torch import nn
from torch.func import functional_call

from textlvm.corpora.splits import WordSplit
from textlvm.spec import parse
from textlvm.training.checkpoint import load_weights
from textlvm.words import train
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.engine import log_likelihood
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letters import ALPHABET_SIZE, END, encode, pack
from textlvm.words.metrics import exact_metrics
from textlvm.words.model import build
from textlvm.words.samples import generate
from textlvm.words.spec import ModelSpec
from textlvm.words.train import WordSampler, objective
from unit.overlay import PAPER

WORDS = ["tea", "", "a", "of", "the"]


def model_of(states=3, scale=1.0, seed=2):
    torch.manual_seed(seed)
    model = HiddenMarkov(states).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    return model


def enumerated(model, word):
    """log P(w) by summing the probability of path and word over all hidden paths."""
    initial, transition, emission = (
        torch.log_softmax(logits, -1) for logits in (model.initial, model.transition, model.emission)
    )
    codes = [int(code) for code in encode([word]).codes[0, : len(word) + 1]]
    terms = []
    for path in itertools.product(range(len(initial)), repeat=len(codes)):
        moves = [initial[path[0]], *(transition[i, j] for i, j in itertools.pairwise(path))]
        terms.append(sum(moves) + sum(emission[h, code] for h, code in zip(path, codes, strict=True)))
    return torch.logsumexp(torch.stack(terms), 0)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_forward_algorithm_equals_enumeration(scale):
    model = model_of(scale=scale)
    expected = torch.stack([enumerated(model, word) for word in WORDS])
    found = torch.from_numpy(exact_log_probs(model, encode(WORDS), batch=3))
    torch.testing.assert_close(found, expected.detach())
    assert found.max() - found.min() > 1


def test_single_precision_is_accurate_for_extreme_probabilities():
    model = model_of(states=6, scale=30.0)
    words = encode(["jazz", "quiz", "syzygy", "a"])
    found = exact_log_probs(model.float(), words)
    np.testing.assert_allclose(found, exact_log_probs(model.double(), words), rtol=1e-4)
    assert found.min() < -150


@torch.no_grad()
def test_probabilities_sum_to_one():
    model = model_of(states=4)
    short = ["", *ascii_lowercase, *("".join(pair) for pair in itertools.product(ascii_lowercase, repeat=2))]
    mass = float(np.exp(exact_log_probs(model, encode(short))).sum())
    # The tail: the first three states all emit letters.
    continues = 1 - torch.softmax(model.emission, -1)[:, END]
    step = torch.softmax(model.transition, -1) * continues
    tail = float((torch.softmax(model.initial, -1) * continues @ step @ step).sum())
    assert 0.3 < tail < 0.99
    assert math.isclose(mass + tail, 1, rel_tol=1e-12)


class LogProbs(nn.Module):
    """A module whose forward pass is `log_probs`, for `functional_call`."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, batch):
        return self.model.log_probs(batch)


def test_gradients_equal_finite_differences():
    module, batch = LogProbs(model_of()), pack(encode(WORDS), torch.arange(len(WORDS)))
    names, values = zip(*module.named_parameters(), strict=True)

    def log_probs(*parameters):
        return functional_call(module, dict(zip(names, parameters, strict=True)), (batch,))

    assert torch.autograd.gradcheck(log_probs, values)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_gradients_are_finite_in_single_precision(scale):
    model = model_of(states=8, scale=scale).float()
    log_likelihood(model, batch_of(40)).backward()
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_samples_follow_the_probabilities():
    model = model_of(states=3, scale=2.0)
    torch.manual_seed(0)
    words = generate(model, 2_000)
    chosen = sorted({word for word in words if word is not None and len(word) <= 2})[:15]
    expected = np.exp(exact_log_probs(model, encode(chosen)))
    drawn = generate(model, 40_000)
    shares = np.array([drawn.count(word) for word in chosen]) / len(drawn)
    assert len(chosen) > 5
    assert (np.abs(shares - expected) < 5 * np.sqrt(expected / len(drawn)) + 1e-4).all()


def test_argmax_emits_one_letter_per_state():
    model = known_model()
    torch.manual_seed(0)
    letters = model.sample(2_000, 3, argmax=True)
    b, a = 2, 1
    assert (letters[:, :2] == torch.tensor([b, a])).all()
    # States are drawn: half of the words end here.
    share = (letters[:, 2] == END).double().mean()
    assert set(letters[:, 2].tolist()) == {b, END}
    assert abs(float(share) - 0.5) < 5 * 0.5 / math.sqrt(2_000)


def known_model():
    """Words like cv, cvcv, cvcvcv with c of one class of letters and v of another; one state ends them."""
    model = HiddenMarkov(3).double()
    emission = torch.zeros(3, ALPHABET_SIZE, dtype=torch.float64)
    for state, letters in enumerate(("bcd", "aei", "")):
        codes = [ord(letter) - ord("a") + 1 for letter in letters] or [END]
        emission[state, codes] = torch.tensor([0.5, 0.3, 0.2][: len(codes)], dtype=torch.float64)
    transition = torch.tensor([[0.0, 1, 0], [0.5, 0, 0.5], [0, 0, 1]], dtype=torch.float64)
    with torch.no_grad():
        model.initial.copy_(torch.tensor([1.0, 0, 0]).add(1e-9).log())
        model.transition.copy_(transition.add(1e-9).log())
        model.emission.copy_(emission.add(1e-9).log())
    return model


def test_training_reaches_the_likelihood_of_the_true_model():
    truth = known_model()
    torch.manual_seed(0)
    words = [word for word in generate(truth, 20_000) if word is not None]
    distinct = sorted(set(words))
    counts = np.array([words.count(word) for word in distinct])
    split = WordSplit(distinct, counts, counts)
    lexicon, frequency = encode(distinct), counts / counts.sum()
    best = -float(frequency @ exact_log_probs(truth, lexicon))
    model = model_of(states=3, seed=5)
    loss = objective(model, WordSampler(split, 256, torch.device("cpu"))).loss
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for step in range(300):
        optimizer.zero_grad()
        loss(step).backward()
        optimizer.step()
    assert best == pytest.approx(-float(frequency @ exact_log_probs(model, lexicon)), abs=0.05)


def test_run_is_trained_saved_and_evaluated(tmp_path):
    spec = replace(BASE, family="hmm", dim=12)
    given = options(
        tmp_path, replace(TRAINING, steps=300, batch=20, learning_rate=0.2, schedule="cosine"), spec
    )
    train.main(given)
    model = build(spec)
    load_weights(given.out / "model.safetensors", model)
    split = WordSplit(["an", "ant", "tan", "tea"], np.array([4, 3, 2, 1]), np.array([1, 1, 1, 1]))
    measured = exact_metrics(model, split, encode(split.words), SETTINGS, np.random.default_rng(0), no_seed)
    metrics = measured.metrics
    entropy = -sum(p * math.log(p) for p in (0.4, 0.3, 0.2, 0.1))
    assert entropy <= metrics["ce_train"].value < entropy + 0.2
    assert metrics["ce_train"].low is None, "exact values have no interval"
    assert len(measured.words) == SETTINGS.samples
    assert measured.gap is None
    assert "h_gap" not in metrics


def test_configured_hmm_is_as_large_as_trils_generative_model():
    """With one more state it would have more parameters."""
    words = yaml.safe_load(PAPER.read_text(encoding="utf-8"))["words"]
    runs = words["runs"]["standard"]
    tril, hmm = (parse(ModelSpec, words["model"] | runs[name].get("model", {})) for name in ("tril", "hmm"))
    of_inference = ("inference.", "variational.")
    limit = sum(
        parameter.numel()
        for name, parameter in build(tril).named_parameters()
        if not name.startswith(of_inference)
    )
    sizes = [
        sum(parameter.numel() for parameter in build(replace(hmm, dim=states)).parameters())
        for states in (hmm.dim, hmm.dim + 1)
    ]
    assert sizes[0] <= limit < sizes[1]
