import math

import pytest
import torch
from quadrature import model_with

from textlvm.words.entropy import entropy_gap, letter_entropy


def test_letter_entropy_of_known_distributions():
    uniform = torch.full((27,), 1 / 27, dtype=torch.float64).log()
    assert float(letter_entropy(uniform)) == pytest.approx(math.log(27))
    certain = torch.log_softmax(torch.tensor([0.0, 900.0, 0.0], dtype=torch.float64), -1)
    assert float(letter_entropy(certain)) == 0


@pytest.mark.parametrize("draws", [1, 20])
def test_gap_is_nonnegative_and_zero_with_one_draw(draws):
    gap = entropy_gap(model_with(), trajectories=50, length=6, draws=draws)
    assert gap.gap.min() > -1e-9
    assert bool((gap.gap.abs() < 1e-9).all()) is (draws == 1)


def test_gap_is_zero_if_letters_ignore_the_state():
    model = model_with()
    with torch.no_grad():
        model.emission.weight.zero_()
    gap = entropy_gap(model, 20, 4, 10)
    expected = letter_entropy(torch.log_softmax(model.emission.bias, -1))
    torch.testing.assert_close(gap.expected, expected.expand(4, 20))
    torch.testing.assert_close(gap.gap, torch.zeros(4, 20, dtype=torch.float64), atol=1e-9, rtol=0)


def test_first_step_equals_quadrature():
    """At t = 1 the state is h_0, and for d = 1 both entropies are integrals over one normal variable."""
    model = model_with(seed=3, scale=0.4, dim=1, delta=0.3)
    xi = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    weight = torch.exp(-0.5 * xi**2) / math.sqrt(2 * math.pi) * (xi[1] - xi[0])
    with torch.no_grad():
        h = model.generative(model.initial_state(1))(xi.view(1, -1, 1))
        log_probs = model.letter_log_probs(h[0])
    expected = float(weight @ letter_entropy(log_probs))
    marginal = float(letter_entropy((weight @ log_probs.exp()).log()))
    gap = entropy_gap(model, 400, 1, 2000)
    assert float(gap.expected.mean()) == pytest.approx(expected, abs=0.01)
    assert float(gap.marginal.mean()) == pytest.approx(marginal, abs=0.01)


def test_ended_words_stay_ended():
    gap = entropy_gap(model_with(), 200, 12, 5)
    assert gap.alive[0].all()
    assert not (gap.alive[1:] & ~gap.alive[:-1]).any()
    ones = torch.ones_like(gap.marginal)
    assert gap.average(ones) == 1
