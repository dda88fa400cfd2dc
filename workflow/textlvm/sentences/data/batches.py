"""Batches of sentences without padding, packed like PyTorch's `PackedSequence`.

The first `batch_sizes[0]` = B rows of a packed array belong to position 1 of every sentence, the next
`batch_sizes[1]` to position 2 of the sentences that have one, and so on. Sentences are sorted by length, so
each step of a recurrent model uses the first rows of the previous step, and nothing is computed after a
sentence's end.
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import EOS, SOS, UNK, Codes

__all__ = ["Packing", "SentenceBatch", "TrainingBatches", "evaluation_batches", "pack"]

POOL = 50
"""Number of training batches whose sentences are sorted by length together. A larger pool gives more similar
lengths within a batch, a smaller one more random batches."""


@dataclass(frozen=True)
class Packing:
    """The sentence and the position of each of the N rows of a packed array."""

    batch_sizes: tuple[int, ...]
    """Number of sentences at each position, non-increasing."""
    sentence: Tensor
    """(N,) sentence of each row."""
    position: Tensor
    """(N,) position of each row, from 0."""
    reversal: Tensor
    """(N,) row of position T - 1 - t of the same sentence: an involution that reverses sentences."""
    last: Tensor
    """(B,) row of each sentence's last position."""

    @property
    def batch(self) -> int:
        """Number of sentences B."""
        return self.batch_sizes[0]

    def steps(self) -> list[slice]:
        """The rows of each position."""
        ends = itertools.accumulate(self.batch_sizes)
        return [slice(end - size, end) for end, size in zip(ends, self.batch_sizes, strict=True)]

    def spread(self, values: Tensor) -> Tensor:
        """Repeat the values (B, ...) of each sentence in all its rows: (N, ...)."""
        return values.index_select(0, self.sentence)

    def sums(self, values: Tensor) -> Tensor:
        """Sum packed values (N,) over each sentence: (B,)."""
        return values.new_zeros(self.batch).index_add(0, self.sentence, values)

    def means(self, values: Tensor) -> Tensor:
        """Mean of packed values (N,) over each sentence: (B,)."""
        return self.sums(values) / self.sums(torch.ones_like(values))

    def padded(self, values: Tensor) -> Tensor:
        """Packed values (N, d) as (B, T, d), with zeros after a sentence's end."""
        result = values.new_zeros(self.batch, len(self.batch_sizes), values.shape[1])
        return result.index_put((self.sentence, self.position), values)


@dataclass(frozen=True)
class SentenceBatch:
    """B sentences, longest first; a sentence of T words has T + 1 rows."""

    packing: Packing
    encoder_inputs: Tensor
    """(N,) codes of <sos> and the words; the encoder reads them in reverse order."""
    decoder_inputs: Tensor
    """(N,) codes of <sos> and the words; differs from `encoder_inputs` only in words replaced by <unk>."""
    targets: Tensor
    """(N,) codes of the words and <eos>."""
    order: Tensor
    """(B,) index of each sentence in the list that was packed."""

    def __len__(self) -> int:
        return self.packing.batch

    def words_and_end(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities (N,) of the targets as sums over words and those of <eos>: (B,) each."""
        end = log_probs[self.packing.last]
        return self.packing.sums(log_probs) - end, end

    def restore(self, values: Tensor) -> Tensor:
        """Sort values (B, ...) of the batch's sentences into the order of the list that was packed."""
        return torch.empty_like(values).index_copy_(0, self.order, values)

    def with_unknown(self, encoder: float, decoder: float, rng: np.random.Generator) -> "SentenceBatch":
        """Replace a share of the words that encoder or decoder read by <unk>; targets do not change."""
        return dataclasses.replace(
            self,
            encoder_inputs=_mask(self.encoder_inputs, encoder, rng),
            decoder_inputs=_mask(self.decoder_inputs, decoder, rng),
        )

    def to(self, device: torch.device) -> "SentenceBatch":
        """The batch on another device; the copy is asynchronous."""
        if device.type == self.targets.device.type:
            return self

        def move(value: Tensor) -> Tensor:
            return value.pin_memory().to(device, non_blocking=True)

        def moved(value: "Packing | SentenceBatch") -> dict[str, Tensor]:
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return {name: move(tensor) for name, tensor in fields.items() if isinstance(tensor, Tensor)}

        packing = dataclasses.replace(self.packing, **moved(self.packing))
        return dataclasses.replace(self, packing=packing, **moved(self))


def pack(sentences: Sequence[Codes]) -> SentenceBatch:
    """Pack one or more sentences, given as codes without <sos> and <eos>; sentences may be empty.

    Sentences of equal length keep their order.
    """
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences)) + 1
    order = np.argsort(-lengths, kind="stable")
    lengths = lengths[order]
    position, sentence = np.nonzero(lengths > np.arange(lengths[0])[:, None])
    batch_sizes = np.bincount(position)
    offsets = np.concatenate([[0], batch_sizes.cumsum()[:-1]])
    symbols = np.concatenate([part for i in order for part in ([SOS], sentences[i], [EOS])]).astype(np.int64)
    starts = np.concatenate([[0], (lengths + 1).cumsum()[:-1]])
    reads = starts[sentence] + position
    inputs = torch.from_numpy(symbols[reads])
    packing = Packing(
        batch_sizes=tuple(batch_sizes.tolist()),
        sentence=torch.from_numpy(sentence),
        position=torch.from_numpy(position),
        reversal=torch.from_numpy(offsets[lengths[sentence] - 1 - position] + sentence),
        last=torch.from_numpy(offsets[lengths - 1] + np.arange(len(lengths))),
    )
    return SentenceBatch(
        packing, inputs, inputs, torch.from_numpy(symbols[reads + 1]), torch.from_numpy(order)
    )


class TrainingBatches:
    """Training batches; every epoch contains each sentence once, in a new order.

    `order` is random | pools: batches drawn at random from the whole set, as in the authors' demo, or batches
    of sentences of similar length, from pools of `POOL` batches that are sorted by length.

    A batch is a function of `seed` and the step, so a resumed training gets the same batches. Of a sentence
    with more than `max_length` words, that many consecutive words are drawn at random every time.
    """

    def __init__(
        self, sentences: SentenceSet, batch: int, order: str, max_length: int | None, seed: int
    ) -> None:
        self.sentences, self.batch, self.order = sentences, batch, order
        self.max_length, self.seed = max_length, seed
        self.per_epoch = math.ceil(len(sentences) / batch)
        self._epoch, self._batches = -1, []

    def __call__(self, step: int, encoder_unk: float = 0.0, decoder_unk: float = 0.0) -> SentenceBatch:
        """The batch of step 1, 2, ...; for the shares see `SentenceBatch.with_unknown`."""
        # The index counts from 1, because [seed, epoch, 0] would be the same seed as [seed, epoch].
        epoch, index = divmod(step - 1, self.per_epoch)
        rng = np.random.default_rng([self.seed, epoch, 1 + index])
        batch = pack([self._cut(sentence, rng) for sentence in self.sentences_of(step)])
        return batch.with_unknown(encoder_unk, decoder_unk, rng)

    def sentences_of(self, step: int) -> list[Codes]:
        """The sentences of a step's batch, uncut."""
        epoch, index = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._batches = epoch, self._batches_of(epoch)
        return [self.sentences[i] for i in self._batches[index]]

    def _batches_of(self, epoch: int) -> list[NDArray[np.int64]]:
        rng = np.random.default_rng([self.seed, epoch])
        shuffled = rng.permutation(len(self.sentences))
        if self.order == "random":
            return np.split(shuffled, range(self.batch, len(shuffled), self.batch))
        lengths = self.sentences.lengths[shuffled]
        if self.max_length is not None:
            lengths = np.minimum(lengths, self.max_length)
        pool = np.arange(len(shuffled)) // (POOL * self.batch)
        batches = np.split(
            shuffled[np.lexsort((lengths, pool))], range(self.batch, len(shuffled), self.batch)
        )
        return [batches[i] for i in rng.permutation(len(batches))]

    def _cut(self, codes: Codes, rng: np.random.Generator) -> Codes:
        if self.max_length is None or len(codes) <= self.max_length:
            return codes
        start = rng.integers(len(codes) - self.max_length + 1)
        return codes[start : start + self.max_length]


def evaluation_batches(
    sentences: SentenceSet, batch: int
) -> Iterator[tuple[NDArray[np.int64], SentenceBatch]]:
    """All sentences uncut, longest first; yields the indices (B,) of a batch's sentences and the batch."""
    order = np.argsort(-np.asarray(sentences.lengths), kind="stable")
    for index in np.split(order, range(batch, len(order), batch)):
        yield index, pack([sentences[i] for i in index])


def _mask(codes: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    if not share:
        return codes
    chosen = torch.from_numpy(rng.random(len(codes)) < share) & (codes != SOS)
    return codes.masked_fill(chosen, UNK)
