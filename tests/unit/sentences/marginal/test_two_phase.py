"""Estimated means of a bound that is known for a part of the sentences, compared with the true mean."""

import torch

from textlvm.sentences.marginal.two_phase import mean_of_all, mean_with_part

COMMON = 50 * torch.randn(2, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TIGHT = COMMON + 3 + 2 * torch.randn(2, 400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_mean_is_unbiased_and_standard_error_is_correct():
    generator = torch.Generator().manual_seed(2)
    found = []
    for _ in range(2000):
        part = torch.randperm(400, generator=generator)[:40]
        found.append(mean_with_part(COMMON, COMMON[:, part], TIGHT[:, part]))
    values = torch.stack([mean.value for mean in found])
    errors = torch.stack([mean.error for mean in found])
    torch.testing.assert_close(values.mean(0), TIGHT.mean(1), atol=0.03, rtol=0)
    torch.testing.assert_close(errors.square().mean(0).sqrt(), values.std(0), rtol=0.05, atol=0)


def test_error_is_zero_if_all_sentences_are_scored():
    # The bound in the part has other noise than that of all sentences.
    whole = mean_with_part(COMMON, COMMON + torch.randn_like(COMMON), TIGHT)
    torch.testing.assert_close(whole.value, TIGHT.mean(1), rtol=0, atol=0)
    assert whole.error.tolist() == [0.0, 0.0]
    assert mean_of_all(TIGHT).error.tolist() == [0.0, 0.0]
