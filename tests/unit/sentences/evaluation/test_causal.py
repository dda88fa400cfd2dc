"""The likelihood of a text under a model with another tokenizer, compared with closed forms and a loop."""

import math

import numpy as np
import pytest
import torch

from textlvm.sentences.data.vocabulary import SPECIALS, Vocabulary
from textlvm.sentences.evaluation import causal

VOCABULARY = Vocabulary((*SPECIALS, "a", "of", "the"), (0, 0, 0, 2, 3, 4, 5))
CPU = torch.device("cpu")


class Letters:
    """A model with letters as tokens and the given logits."""

    start, end = 0, 1
    size = 128

    def __init__(self, context, logits):
        self.context, self.logits = context, logits
        self.longest = 0

    def encode(self, text):
        return [ord(letter) for letter in text]

    def __call__(self, codes):
        self.longest = max(self.longest, codes.shape[1])
        return self.logits(codes)


def uniform(codes):
    return torch.zeros(*codes.shape, Letters.size)


def dependent_on_last_three(codes):
    """Logits that depend only on the last three tokens, which become more probable."""
    one_hot = torch.nn.functional.one_hot(codes, Letters.size).float()
    seen = one_hot.cumsum(1)
    old = torch.cat([torch.zeros_like(seen[:, :3]), seen[:, :-3]], 1)[:, : seen.shape[1]]
    return seen - old


def dependent_on_all(codes):
    """Logits that depend on all previous tokens."""
    index = torch.arange(Letters.size)
    return torch.sin(codes.cumsum(1)[:, :, None] * (1 + index))


@pytest.fixture
def test(sentence_set):
    return sentence_set([[4, 5, 6], [6, 3], [5, 4, 4, 6, 5]])


@pytest.mark.parametrize(("context", "stride"), [(1000, 512), (7, 7), (7, 3), (5, 1), (1, 1)])
def test_uniform_logits_give_minus_log_vocabulary_size_per_token(context, stride):
    """The windows have no effect."""
    found = causal.log_probs(uniform, torch.arange(20), context, stride)
    assert found == pytest.approx(np.full(19, -math.log(Letters.size)))


def test_perplexity_is_per_word_with_letters_as_tokens(test):
    model = Letters(16, uniform)
    found = causal.metrics(model, test, VOCABULARY, 8, CPU)
    # "a of the", "the <unk>", "of a a the of"; as one text, each is followed by the end of its line.
    letters, words = 8 + 9 + 13, 10
    nats = math.log(Letters.size)
    assert found["ppl"] == pytest.approx(Letters.size ** ((letters + 3) / (words + 3)))
    assert found["nll"] == pytest.approx((letters + 3) * nats / 3)
    assert found["ppl_by_sentence"] == pytest.approx(found["ppl"])
    assert found["nll_without_eos"] == pytest.approx(letters * nats / 3)
    assert found["ppl_per_word"] == pytest.approx(Letters.size ** (letters / words))
    assert found["ppl_without_eos"] == pytest.approx(Letters.size ** (letters / (words + 3)))
    assert model.longest == 16


def test_perplexity_of_uniform_logits_is_vocabulary_size_with_words_as_tokens(test):
    class Words(Letters):
        def encode(self, text):
            return [hash(word) % 128 for word in text.replace("\n", " <eos> ").split()]

    found = causal.metrics(Words(16, uniform), test, VOCABULARY, 8, CPU)
    for name in ("ppl", "ppl_by_sentence", "ppl_per_word"):
        assert found[name] == pytest.approx(Letters.size)


def direct_log_probs(logits, codes, first):
    """log p of every token t, given the tokens from `first(t)` on."""
    result = []
    for t in range(1, len(codes)):
        last = logits(codes[None, first(t) : t])[0, -1].double()
        result.append(float(last.log_softmax(0)[codes[t]]))
    return result


def test_windows_have_no_effect_if_their_overlap_covers_the_context_in_use():
    codes = torch.randint(Letters.size, (40,), generator=torch.Generator().manual_seed(1))
    whole = direct_log_probs(dependent_on_last_three, codes, lambda t: 0)
    assert causal.log_probs(dependent_on_last_three, codes, 100, 50) == pytest.approx(whole)
    assert causal.log_probs(dependent_on_last_three, codes, 9, 6) == pytest.approx(whole)


@pytest.mark.parametrize(("context", "stride"), [(8, 8), (8, 3), (6, 5)])
def test_token_is_scored_in_the_first_window_that_predicts_it(context, stride):
    codes = torch.randint(Letters.size, (31,), generator=torch.Generator().manual_seed(2))

    def first(t):
        """Start of the first window that contains token t - 1."""
        return stride * math.ceil(max(0, t - context) / stride)

    assert causal.log_probs(dependent_on_all, codes, context, stride) == pytest.approx(
        direct_log_probs(dependent_on_all, codes, first)
    )


def test_sentences_are_scored_independently(test):
    found = causal.metrics(Letters(64, dependent_on_all), test, VOCABULARY, 64, CPU)
    texts = ["a of the", "the <unk>", "of a a the of"]
    scores = [
        direct_log_probs(dependent_on_all, torch.tensor([0, *map(ord, text), 1]), lambda t: 0)
        for text in texts
    ]
    assert found["nll_by_sentence"] == pytest.approx(-sum(map(sum, scores)) / 3)
    assert found["nll_without_eos"] == pytest.approx(-sum(sum(score[:-1]) for score in scores) / 3)
