"""BLEU-1 between sentences and their reconstructions (Sec. 4.3; Papineni et al. 2001), in four readings.

The paper says neither what is decoded nor whether <eos> counts; `READINGS` lists the readings.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

__all__ = ["READINGS", "bleu1", "readings"]

Sentence = Sequence[Hashable]

READINGS = {
    "bleu1_eos": "Words are drawn from p(x|z), z from q(z|x), and <eos> matches like any other token.",
    "bleu1_unmatched": "The same, but <eos> never matches: the authors' demo compares it with padding.",
    "bleu1_words": "The same words without <eos>.",
    "bleu1_greedy": "The most probable words, one after the other, given the mean of q(z|x); without <eos>.",
}
"""The metrics that the evaluation has for the printed BLEU, and what each counts."""


def bleu1(sentences: Sequence[Sentence], reconstructions: Sequence[Sentence]) -> float:
    """Mean over sentences of the unigram BLEU with brevity penalty, in [0, 1]; tokens may be codes or words.

    >>> bleu1([["a", "b", "c"]], [["a", "b", "d"]])
    0.6666666666666666
    """
    pairs = zip(sentences, reconstructions, strict=True)
    return _mean([_score(_matches(*pair), len(pair[1]), len(pair[0])) for pair in pairs])


def readings(
    sentences: Sequence[Sentence], reconstructions: Sequence[Sentence], max_length: int
) -> dict[str, float]:
    """BLEU-1 of sampled reconstructions in the three readings that differ only in <eos>.

    All are given without <eos>. Every sentence has one; a reconstruction of `max_length` words was cut off
    and has none. A perfect reconstruction of T words scores 1, T / (T + 1) and 1. The demo gets the second
    since it overwrites <eos> by padding in the sentence, to leave it out of the likelihood, before it counts.

    >>> readings([["a", "b", "c"]], [["a", "b", "c"]], max_length=100)
    {'bleu1_eos': 1.0, 'bleu1_unmatched': 0.75, 'bleu1_words': 1.0}
    """
    scores: dict[str, list[float]] = {"bleu1_eos": [], "bleu1_unmatched": [], "bleu1_words": []}
    for sentence, reconstruction in zip(sentences, reconstructions, strict=True):
        matches, length, reference = _matches(sentence, reconstruction), len(reconstruction), len(sentence)
        end = int(length < max_length)
        scores["bleu1_eos"].append(_score(matches + end, length + end, reference + 1))
        scores["bleu1_unmatched"].append(_score(matches, length + end, reference + 1))
        scores["bleu1_words"].append(_score(matches, length, reference))
    return {name: _mean(values) for name, values in scores.items()}


def _matches(sentence: Sentence, reconstruction: Sentence) -> int:
    """Tokens in common, each as often as in the side that has fewer of it."""
    return (Counter(sentence) & Counter(reconstruction)).total()


def _score(matches: int, length: int, reference: int) -> float:
    """Clipped unigram precision times brevity penalty, of numbers of tokens.

    NLTK's `sentence_bleu` is the same, but to import it takes longer than to import torch.
    """
    return matches / length * min(1.0, math.exp(1 - reference / length)) if matches else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
