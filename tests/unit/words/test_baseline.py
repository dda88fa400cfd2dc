import itertools
import math
from string import ascii_lowercase

import torch

from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.letters import END, encode, pack


def baseline():
    torch.manual_seed(2)
    return GRUBaseline(8).double()


def log_prob(model, word):
    """log P(w) letter by letter, without packing."""
    codes = encode([word]).codes[0]
    total, state, previous = 0.0, None, torch.tensor([END])
    for letter in codes[: len(word) + 1]:
        output, state = model.gru(model.embedding(previous)[None], state)
        total += float(torch.log_softmax(model.output(output[0, 0]), -1)[letter])
        previous = letter[None]
    return total


def test_packed_likelihood_equals_sequential_likelihood():
    model = baseline()
    words = ["the", "a", "", "language", "of"]
    batch = pack(encode(words), torch.arange(len(words)))
    order = sorted(words, key=lambda w: -len(w))
    expected = torch.tensor([log_prob(model, word) for word in order], dtype=torch.float64)
    torch.testing.assert_close(batch.packing.sums(model.log_probs(batch)), expected)


def test_exact_log_probs_keep_the_order_of_the_lexicon():
    model = baseline()
    words = ["of", "language", "", "the", "a", "zebra"]
    expected = [log_prob(model, word) for word in words]
    actual = exact_log_probs(model, encode(words), batch=4)
    torch.testing.assert_close(torch.from_numpy(actual), torch.tensor(expected, dtype=torch.float64))


def test_probabilities_sum_to_one():
    model = baseline()
    short = ["", *ascii_lowercase, *("".join(pair) for pair in itertools.product(ascii_lowercase, repeat=2))]
    mass = float(torch.from_numpy(exact_log_probs(model, encode(short))).exp().sum())
    # The remainder is the probability of words of more than two letters.
    pairs = pack(encode(short[27:]), torch.arange(26**2))
    steps = model.log_probs(pairs)
    ends = pairs.packing.steps()[2]
    unfinished = (steps[: ends.start].view(2, -1).sum(0).exp() * (1 - steps[ends].exp())).sum()
    assert math.isclose(mass + float(unfinished), 1.0, rel_tol=1e-9)


def test_samples_follow_the_probabilities():
    model = baseline()
    torch.manual_seed(0)
    codes = model.sample(40_000, 1)
    expected = torch.tensor([log_prob(model, "")]).exp()
    share = (codes[:, 0] == END).double().mean()
    assert abs(float(share - expected)) < 5 * math.sqrt(float(expected) / 40_000)
