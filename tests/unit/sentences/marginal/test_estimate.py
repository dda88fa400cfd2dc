"""The estimates of a tiny model, and the information in its codes."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from sentence_specs import LIKELIHOOD
from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal.__main__ import _split, _summarize, estimate
from textlvm.sentences.marginal.codes import describe
from textlvm.sentences.marginal.spec import MarginalSpec
from textlvm.sentences.models.autoencoder import SentenceModel

SPEC = MarginalSpec(**LIKELIHOOD)


@pytest.fixture
def found(model_spec, sentence_set, random_sentences):
    rng = np.random.default_rng(0)
    train, valid, test = (
        sentence_set(random_sentences(rng.integers(1, 9, size=n), seed=n)) for n in (64, 20, 12)
    )

    def of(objective, **changes):
        torch.manual_seed(0)
        model = SentenceModel(model_spec(objective=objective), 20).eval()
        spec = dataclasses.replace(SPEC, **changes)
        return estimate(
            model,
            train,
            valid,
            test,
            spec,
            objective == "ae",
            2**63 - 1,
            lambda z: [str(len(row)) for row in z],
        )

    return of


@pytest.mark.parametrize("objective", ["smim", "ae"])
def test_estimate_has_every_prior_and_every_number(objective, found):
    result = found(objective)
    assert list(result["importance"]) == ["normal", "gaussian", "mixture", "flow", "aggregated"]
    for by_number in result["importance"].values():
        nll = [values["nll"] for values in by_number.values()]
        assert list(by_number) == ["1", "4", "16"]
        assert nll == sorted(nll, reverse=True)
        assert all(values["nll"] < values["nll_eos"] for values in by_number.values())
        assert all(values["ppl"] < values["ppl_per_word"] for values in by_number.values())
        assert [number for number, values in by_number.items() if "nll_error" in values] == ["16"]
    # All training codes, and an eighth of them, which is fewer than 8 neighbours.
    assert {number: list(by_number) for number, by_number in result["neighbours"].items()} == {
        "60": ["1", "8"],
        "7": ["1"],
    }
    assert result["neighbours"]["60"]["8"]["nll"] < result["neighbours"]["60"]["1"]["nll"]
    assert result["neighbours"]["60"]["8"]["nll_error"] > 0
    assert result["prior_samples"] == dict.fromkeys(result["importance"], ["5"] * 3)
    for chosen in result["chosen"].values():
        assert chosen["noise"] in ((0.5,) if objective == "ae" else (0.0, 0.5))
    assert bool(result["codes"]) == (objective != "ae")


def test_part_with_all_sentences_gives_the_exact_mean(found):
    """The bound by neighbours is not random, so both means are equal."""
    whole = found("smim", common=100)["neighbours"]
    part = found("smim", part=12)["neighbours"]
    assert whole["60"]["8"] == pytest.approx(part["60"]["8"])
    assert "nll_error" not in part["60"]["8"]


@pytest.mark.parametrize("numbers", [(1, 4, 16), (16, 1, 4)])
def test_split_of_numbers_at_common(numbers):
    assert _split(numbers, 10) == ((1, 4), (16,))
    assert _split(numbers, 20) == ((1, 4, 16), ())
    assert _split(numbers[1:], 0)[0] == (min(numbers[1:]),)


def test_estimate_is_deterministic(found):
    assert found("smim") == found("smim")


def test_mutual_information_of_separate_posteriors_is_log_n():
    loc = torch.eye(8, dtype=torch.float64) * 10
    separate = describe(DiagonalNormal(loc, torch.full_like(loc, math.log(0.1))))
    assert separate["mutual_information"] == pytest.approx(math.log(8), abs=1e-6)
    assert separate["active_units"] == 8
    same = describe(DiagonalNormal(torch.zeros(8, 3), torch.zeros(8, 3)))
    assert same.pop("mutual_information") == pytest.approx(0.0, abs=1e-12)
    assert same == {"kl_by_dimension": [0.0] * 3, "active_units": 0}


def test_infinite_perplexity_is_left_out(sentence_set, random_sentences):
    test = sentence_set(random_sentences([1, 1]))
    assert list(_summarize({1: torch.full((2, 2), -1e5)}, {}, test)["1"]) == ["nll", "nll_eos"]
    assert _summarize({1: torch.full((2, 2), -1.0)}, {}, test)["1"]["ppl_per_word"] == pytest.approx(math.e)
