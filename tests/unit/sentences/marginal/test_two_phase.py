"""Means of a bound that a part of the sentences has, against the mean over all."""

import torch

from textlvm.sentences.marginal.two_phase import of_all, with_part

COMMON = 50 * torch.randn(2, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TIGHT = COMMON + 3 + 2 * torch.randn(2, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_the_mean_is_unbiased_and_its_error_is_the_spread_over_parts():
    generator = torch.Generator().manual_seed(2)
    found = []
    for _ in range(2000):
        part = torch.randperm(400, generator=generator)[:40]
        found.append(with_part(COMMON, COMMON[:, part], TIGHT[:, part]))
    values = torch.stack([mean.value for mean in found])
    errors = torch.stack([mean.error for mean in found])
    torch.testing.assert_close(values.mean(0), TIGHT.mean(1), atol=0.03, rtol=0)
    torch.testing.assert_close(errors.square().mean(0).sqrt(), values.std(0), rtol=0.05, atol=0)


def test_all_sentences_leave_no_error():
    whole = with_part(COMMON, COMMON, TIGHT)
    torch.testing.assert_close(whole.value, TIGHT.mean(1))
    assert whole.error.tolist() == [0.0, 0.0]
    assert of_all(TIGHT).error.tolist() == [0.0, 0.0]
