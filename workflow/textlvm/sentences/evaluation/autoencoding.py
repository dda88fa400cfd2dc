"""Apply a trained model to whole data sets in batches; results are in the order of the sentences."""

from collections.abc import Collection, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.data.batches import evaluation_batches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import Codes
from textlvm.sentences.models.autoencoder import SentenceModel

__all__ = ["collect", "decode", "encode", "log_likelihood", "sample_indices", "subset"]

Floats = NDArray[np.float64]


def collect(sentences: Sequence[Codes]) -> SentenceSet:
    """A `SentenceSet` of the given sentences."""
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    tokens = np.concatenate([np.empty(0, np.int32), *sentences])
    return SentenceSet(tokens.astype(np.int32), np.concatenate([[0], lengths.cumsum()]))


def sample_indices(n: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """At most `most` of the indices 0, ..., n - 1, without replacement, in order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def subset(sentences: SentenceSet, most: int, rng: np.random.Generator) -> SentenceSet:
    """At most `most` of the sentences, drawn without replacement, in the original order."""
    if len(sentences) <= most:
        return sentences
    return collect([sentences[i] for i in sample_indices(len(sentences), most, rng)])


@torch.no_grad()
def encode(model: SentenceModel, sentences: SentenceSet, batch: int) -> DiagonalNormal:
    """q(z|x) of every sentence, with shape (N, d), on the CPU."""
    loc = log_scale = None
    for index, packed in evaluation_batches(sentences, batch):
        posterior = model.encode(packed.to(_device(model)))
        if loc is None or log_scale is None:
            shape = (len(sentences), posterior.loc.shape[1])
            loc, log_scale = torch.empty(shape), torch.empty(shape)
        loc[index], log_scale[index] = posterior.loc.float().cpu(), posterior.log_scale.float().cpu()
    return DiagonalNormal(loc, log_scale)


@torch.no_grad()
def log_likelihood(
    model: SentenceModel, sentences: SentenceSet, z: Tensor, batch: int
) -> tuple[Floats, Floats]:
    """log p(words|z) and log p(<eos>|words, z), in nats, of sentences with codes z (N, d): (N,) each."""
    words, end = np.empty(len(sentences)), np.empty(len(sentences))
    for index, packed in evaluation_batches(sentences, batch):
        scores = model.log_likelihood(packed.to(_device(model)), z[index].to(_device(model)))
        words[index], end[index] = (score.double().cpu().numpy() for score in scores)
    return words, end


@torch.no_grad()
def decode(
    model: SentenceModel, z: Tensor, batch: int, method: str, max_length: int, forbid: Collection[int] = ()
) -> list[list[int]]:
    """Decode a sentence from every code z (N, d); for the options see `LatentVariableModel.decode`."""
    return [
        sentence
        for part in z.split(batch)
        for sentence in model.decode(part.to(_device(model)), method, tuple(forbid), max_length)
    ]


def _device(model: SentenceModel) -> torch.device:
    return next(model.parameters()).device
