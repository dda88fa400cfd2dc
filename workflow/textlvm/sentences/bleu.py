"""BLEU-1 between sentences and their reconstructions (Sec. 4.3; Papineni et al. 2001)."""

import math
from collections import Counter
from collections.abc import Hashable, Sequence

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
    pairs = zip(sentences, reconstructions, strict=True)
    values = [_bleu1(sentence, reconstruction, int(unmatched_end)) for sentence, reconstruction in pairs]
    return math.fsum(values) / len(values)


def _bleu1(sentence: Sentence, reconstruction: Sentence, ends: int) -> float:
    """Clipped unigram precision times brevity penalty, with so many more tokens that match nothing.

    NLTK's `sentence_bleu` is the same, but to import it takes longer than to import torch.
    """
    matches = (Counter(sentence) & Counter(reconstruction)).total()
    if not matches:
        return 0.0
    length = len(reconstruction) + ends
    return matches / length * min(1.0, math.exp(1 - (len(sentence) + ends) / length))
