import pytest
import torch

from textlvm.sentences.models.products import rounded
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.training.precision import autocast


def layer(n=23, hidden=6, vocabulary=17, dtype=torch.float64):
    torch.manual_seed(0)
    states = torch.randn(n, hidden, dtype=dtype, requires_grad=True)
    weight = torch.randn(vocabulary, hidden, dtype=dtype, requires_grad=True)
    bias = torch.randn(vocabulary, dtype=dtype, requires_grad=True)
    return (states, weight, bias), torch.randint(vocabulary, (n,))


@pytest.mark.parametrize("chunk", [1, 17 * 7, 17 * 23, 10**6])
def test_chunk_size_does_not_change_values_or_gradients(chunk):
    variables, targets = layer()
    states, weight, bias = variables
    ours = target_log_probs(states, weight, bias, targets, chunk)
    theirs = torch.log_softmax(states @ weight.T + bias, -1)[torch.arange(len(targets)), targets]
    torch.testing.assert_close(ours, theirs)
    factor = torch.randn_like(theirs)
    for mine, expected in zip(
        torch.autograd.grad((ours * factor).sum(), variables),
        torch.autograd.grad((theirs * factor).sum(), variables),
        strict=True,
    ):
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("chunk", [17 * 7, 10**6])
def test_softmax_is_float32_under_bfloat16_autocast(chunk):
    variables, targets = layer(dtype=torch.float32)
    exact = target_log_probs(*variables, targets)
    with autocast(torch.device("cpu"), torch.bfloat16):
        rounded = target_log_probs(*variables, targets, chunk)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(exact, rounded, atol=0.1, rtol=0)
    for mine, expected in zip(
        torch.autograd.grad(rounded.sum(), variables),
        torch.autograd.grad(exact.sum(), variables),
        strict=True,
    ):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine, expected, atol=0.15, rtol=0)


def test_at_most_one_chunk_of_logits_is_saved_for_backward():
    (states, weight, bias), targets = layer()
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        target_log_probs(states, weight, bias, targets, chunk=17 * 7)
        assert max(kept) < len(states) * len(weight)
        target_log_probs(states, weight, bias, targets)
        assert max(kept) == rounded(len(states)) * len(weight)
