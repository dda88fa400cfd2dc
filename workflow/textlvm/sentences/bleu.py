"""BLEU-1 between sentences and their reconstructions, by NLTK (Sec. 4.3)."""

import math
from collections.abc import Hashable, Sequence

from nltk.translate.bleu_score import sentence_bleu

__all__ = ["bleu1"]

Sentence = Sequence[Hashable]


def bleu1(sentences: Sequence[Sentence], reconstructions: Sequence[Sentence], unmatched_end: bool) -> float:
    """Mean over sentences of the unigram BLEU with brevity penalty, in [0, 1]; tokens may be codes or words.

    With `unmatched_end` both sides have one more token, which never matches, so that a perfect reconstruction
    of T words scores T / (T + 1). The authors' published evaluation does so: it blanks the sentence's <eos>
    to leave it out of the likelihood, and then compares with a reconstruction that still has its own.

    >>> bleu1([["a", "b", "c"]], [["a", "b", "c"]], unmatched_end=True)
    0.75
    """
    values = []
    for sentence, reconstruction in zip(sentences, reconstructions, strict=True):
        if unmatched_end:
            sentence, reconstruction = [*sentence, _BLANKED], [*reconstruction, _END]
        values.append(sentence_bleu([list(sentence)], list(reconstruction), weights=(1.0,)))
    return math.fsum(values) / len(values)


_BLANKED, _END = object(), object()
