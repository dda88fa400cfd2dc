"""The estimates of a whole tiny model, and what its codes say."""

import math

import numpy as np
import pytest
import torch

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.marginal.__main__ import _described, estimate
from textlvm.sentences.marginal.codes import describe
from textlvm.sentences.marginal.spec import MarginalSpec
from textlvm.sentences.models.autoencoder import SentenceModel

SPEC = MarginalSpec(
    samples=(1, 4, 16),
    widths=(0.0, 0.2),
    validation_sentences=10,
    validation_samples=4,
    train_codes=60,
    components=(1, 2),
    prior_widths=(0.0, 0.3),
    prior_codes=40,
    neighbours=(1, 8),
    batch=16,
    precision="float32",
)


@pytest.fixture
def found(model_spec, sentence_set, random_sentences):
    rng = np.random.default_rng(0)
    train, valid, test = (
        sentence_set(random_sentences(rng.integers(1, 9, size=n), seed=n)) for n in (64, 20, 12)
    )

    def of(objective):
        torch.manual_seed(0)
        model = SentenceModel(model_spec(objective=objective), 20).eval()
        return estimate(model, train, valid, test, SPEC, objective == "ae", seed=2**63 - 1)

    return of


@pytest.mark.parametrize("objective", ["smim", "ae"])
def test_every_prior_and_number_has_its_bounds(objective, found):
    result = found(objective)
    assert list(result["importance"]) == ["normal", "gaussian", "mixture", "aggregated"]
    for by_number in result["importance"].values():
        nll = [values["nll"] for values in by_number.values()]
        assert list(by_number) == ["1", "4", "16"]
        assert nll == sorted(nll, reverse=True)
        assert all(values["nll"] < values["nll_eos"] for values in by_number.values())
        assert all(values["ppl"] < values["ppl_per_word"] for values in by_number.values())
    # Of all training codes, a quarter, a sixteenth; the last are fewer than eight.
    assert [list(by_number) for by_number in result["neighbours"].values()] == [["1", "8"], ["1", "8"], ["1"]]
    assert list(result["neighbours"]) == ["60", "15", "3"]
    for number in ("60", "15"):
        assert result["neighbours"][number]["8"]["nll"] < result["neighbours"][number]["1"]["nll"]
    assert result["chosen"]["proposal_width"] in ((0.2,) if objective == "ae" else (0.0, 0.2))
    assert bool(result["codes"]) == (objective != "ae")


def test_estimates_repeat_themselves(found):
    torch.manual_seed(1)
    first = found("smim")
    assert first == found("smim")


def test_the_mutual_information_of_codes_far_apart_is_log_n():
    loc = torch.eye(8, dtype=torch.float64) * 10
    apart = describe(DiagonalNormal(loc, torch.full_like(loc, math.log(0.1))))
    assert apart["mutual_information"] == pytest.approx(math.log(8), abs=1e-6)
    assert apart["active_units"] == 8
    same = describe(DiagonalNormal(torch.zeros(8, 3), torch.zeros(8, 3)))
    assert same == {"kl_by_dimension": [0.0] * 3, "active_units": 0, "mutual_information": 0.0}


def test_a_perplexity_that_no_number_expresses_is_left_out(sentence_set, random_sentences):
    test = sentence_set(random_sentences([1, 1]))
    assert list(_described(torch.full((2, 2), -1e5), test)) == ["nll", "nll_eos"]
    assert _described(torch.full((2, 2), -1.0), test)["ppl_per_word"] == pytest.approx(math.e)
