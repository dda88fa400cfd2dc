"""A word's posterior compared with quadrature (d = 1)."""

import math

import pytest
import torch
from quadrature import model_with, quadrature

from textlvm.words.letters import END
from textlvm.words.posterior import LINEAGES, posterior


@pytest.fixture(scope="module")
def model():
    result = model_with(seed=3, scale=0.4, dim=1, delta=0.3)
    with torch.no_grad():
        result.emission.weight.mul_(3)
    return result


@pytest.mark.parametrize("word", ["", "a", "to"])
def test_product_of_letter_probabilities_is_the_word_probability(model, word):
    torch.manual_seed(0)
    found = posterior(model, word, 100_000, 10, 10)
    assert len(found.log_probs) == len(word) + 1
    assert float(found.log_probs.sum()) == pytest.approx(quadrature(model, word), abs=0.03)


def test_noise_moments_equal_quadrature(model):
    xi = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    with torch.no_grad():
        states = model.move(model.initial_state(1), xi.view(1, -1, 1))[0]
        density = torch.exp(-0.5 * xi**2) * model.letter_log_probs(states)[:, END].exp()
    density = density / density.sum()
    mean = float(density @ xi)
    deviation = math.sqrt(float(density @ (xi - mean) ** 2))
    torch.manual_seed(0)
    found = posterior(model, "", 100_000, 10, 10)
    assert abs(mean) > 0.1, "the test needs a word that depends on the noise"
    assert float(found.mean[0]) == pytest.approx(mean, abs=0.02)
    assert float(found.deviation[0]) == pytest.approx(deviation, abs=0.02)
    information = 0.5 * (mean**2 + deviation**2 - 1 - 2 * math.log(deviation))
    assert float(found.information[0]) == pytest.approx(information, abs=0.02)


def test_noise_posterior_depends_on_later_letters(model):
    """p(xi_1 | w) depends on the whole word: E[xi_1 | "a"] is not its value given only the first letter."""
    xi = torch.linspace(-8, 8, 801, dtype=torch.float64)
    with torch.no_grad():
        first = model.move(model.initial_state(1), xi.view(1, -1, 1))[0]
        second = model.move(first, xi.view(1, -1, 1).expand(len(first), -1, -1))
        prior = torch.exp(-0.5 * xi**2)
        prior = prior / prior.sum()
        ends = model.letter_log_probs(second)[..., END].exp() @ prior
        letter = prior * model.letter_log_probs(first)[:, 1].exp()
    of_word = float((letter * ends) @ xi / (letter @ ends))
    of_letter = float(letter @ xi / letter.sum())
    torch.manual_seed(1)
    found = posterior(model, "a", 50_000, 10, 10)
    assert abs(of_word - of_letter) > 0.05, "the test needs a difference"
    assert float(found.mean[0, 0]) == pytest.approx(of_word, abs=0.025)


def test_information_is_zero_if_letters_ignore_the_state():
    model = model_with(dim=3)
    with torch.no_grad():
        model.emission.weight.zero_()
    torch.manual_seed(0)
    found = posterior(model, "word", 20_000, 50, 20)
    assert float(found.information.max()) < 0.01
    assert float(found.gap.abs().max()) < 1e-9
    # With equal weights every particle survives.
    assert found.lineages.tolist() == [20_000] * 5


def test_gap_is_nonnegative(model):
    found = posterior(model, "tot", 1_000, 100, 20)
    assert float(found.gap.min()) > -1e-9
    assert (found.lineages.diff() >= 0).all()


def test_information_from_few_lineages_is_nan(model):
    torch.manual_seed(0)
    found = posterior(model, "tot", 20, 10, 10)
    few = found.lineages < LINEAGES * found.mean.shape[1]
    assert few.any(), "the test needs few lineages"
    assert torch.equal(found.information.isnan(), few)
