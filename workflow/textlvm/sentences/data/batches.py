"""Packed batches of sentences, for training and for evaluation."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.packing import Packing, pack_lengths, transfer
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import EOS, SOS, UNK, Codes

__all__ = ["SentenceBatch", "TrainingBatches", "evaluation_batches", "pack"]

POOL = 50
"""Number of training batches whose sentences are sorted by length together. A larger pool gives more similar
lengths within a batch, a smaller one more random batches."""


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

    def __len__(self) -> int:
        return self.packing.batch

    def words_and_end(self, log_probs: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities (N,) of the targets as sums over words and those of <eos>: (B,) each."""
        end = log_probs[self.packing.last]
        return self.packing.sums(log_probs) - end, end

    def with_unknown(self, encoder: float, decoder: float, rng: np.random.Generator) -> "SentenceBatch":
        """Replace a share of the words that encoder or decoder read by <unk>; targets do not change."""
        return dataclasses.replace(
            self,
            encoder_inputs=_mask(self.encoder_inputs, encoder, rng),
            decoder_inputs=_mask(self.decoder_inputs, decoder, rng),
        )

    def to(self, device: torch.device) -> "SentenceBatch":
        """The batch on another device; copies are asynchronous."""
        return transfer(self, device)


def pack(sentences: Sequence[Codes]) -> SentenceBatch:
    """Pack one or more sentences, given as codes without <sos> and <eos>; sentences may be empty.

    Sentences of equal length keep their order.
    """
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences)) + 1
    packing = pack_lengths(torch.from_numpy(lengths))
    order = packing.order.numpy()
    symbols = np.concatenate([part for i in order for part in ([SOS], sentences[i], [EOS])]).astype(np.int64)
    starts = np.concatenate([[0], (lengths[order] + 1).cumsum()[:-1]])
    reads = starts[packing.sequence.numpy()] + packing.position.numpy()
    inputs, targets = torch.from_numpy(symbols[reads]), torch.from_numpy(symbols[reads + 1])
    return SentenceBatch(packing, inputs, inputs, targets)


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
