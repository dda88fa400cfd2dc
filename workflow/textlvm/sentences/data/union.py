"""The union of prepared data sets, such as the paper's Everything: all their sentences, all their words.

The vocabulary is the union of the vocabularies, and a word that is <unk> in a data set stays <unk>. Thus the
test sentences of a data set are the same events under both vocabularies, and the perplexities of a model
trained on the union are comparable with those of models trained on one data set.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textlvm.sentences.data.dataset import SPLITS
from textlvm.sentences.data.prepared import SentenceSet, load
from textlvm.sentences.data.vocabulary import Codes, read_vocabulary, union
from textlvm.sentences.data.writing import SplitContent, write_sentence_set

__all__ = ["unite"]

BLOCK = 1 << 20  # tokens

Members = dict[str, dict[str, tuple[int, int]]]


def unite(
    folders: Mapping[str, Path], out: Path, description: Mapping[str, Any], distinct: int = 1
) -> dict[str, Any]:
    """Write the union of the data sets in `folders`, in order; returns the content of `statistics.json`.

    Its entry `members` gives the range of sentences of each data set: `{"ptb": {"train": [0, 42068], …}, …}`.
    For `distinct` see `write_sentence_set`.
    """
    vocabularies = {name: read_vocabulary(folder) for name, folder in folders.items()}
    vocabulary = union(vocabularies.values())
    recodings = {name: member.recoding(vocabulary) for name, member in vocabularies.items()}
    members: Members = {name: {} for name in folders}
    parts = {}
    for split in SPLITS:
        sentences = {name: load(folder, split) for name, folder in folders.items()}
        start = 0
        for name, member in sentences.items():
            members[name][split] = (start, start + len(member))
            start += len(member)
        lengths = np.concatenate([member.lengths for member in sentences.values()])
        parts[split] = SplitContent(lengths, _recoded(sentences, recodings))
    return write_sentence_set(out, vocabulary, parts, {**description, "members": members}, distinct)


def _recoded(sentences: Mapping[str, SentenceSet], recodings: Mapping[str, Codes]) -> Iterator[Codes]:
    for name, member in sentences.items():
        for start in range(0, len(member.tokens), BLOCK):
            yield recodings[name][member.tokens[start : start + BLOCK]]
