"""BLEU-1 of reconstructions (Sec. 4.3; Papineni et al. 2001), in four readings.

The paper specifies neither how sentences are decoded nor whether <eos> counts; see `READINGS`.
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
"""The metrics of the readings, and the definition of each."""


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

    Arguments do not contain <eos>. Every sentence ends with <eos>, and so does a reconstruction, unless it
    was cut off at `max_length` words. A perfect reconstruction of T words scores 1, T / (T + 1) and 1. The
    demo computes the second reading, because it replaces <eos> in the sentence by padding before it counts.

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
    """Number of common tokens, each counted with the smaller of its two frequencies."""
    return (Counter(sentence) & Counter(reconstruction)).total()


def _score(matches: int, length: int, reference: int) -> float:
    """Clipped unigram precision times brevity penalty, from numbers of tokens.

    NLTK's `sentence_bleu` gives the same value, but importing it takes longer than importing torch.
    """
    return matches / length * min(1.0, math.exp(1 - reference / length)) if matches else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
