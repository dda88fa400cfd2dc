"""Training steps of the sentences paper at Penn Treebank's size: the project's, and plain padded ones."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import EOS, PAD, SOS
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import LEAST_LOG_VARIANCE, SentenceModel
from textlvm.sentences.spec import ModelSpec, TrainingSpec

__all__ = ["MODEL", "TRAINING", "Stepper", "initial_model", "ours", "plain", "ptb_like"]

MODEL = ModelSpec(
    objective="smim", cell="gru", latent=512, hidden=512, embedding=300, dropout=0.5, encoder_dropout=0.0
)
TRAINING = TrainingSpec(
    optimizer="adam",
    learning_rate=1e-3,
    clip=0.25,
    batch=20,
    order="random",
    epochs=1,
    steps=None,
    monitor_every=None,
    patience=3,
    patience_counts="all",
    decay=0.25,
    min_learning_rate=1e-8,
    kl="closed",
    kl_schedule="logistic",
    kl_offset=0,
    kl_slope=0.0025,
    max_length=100,
    encoder_unk=0.0,
    decoder_unk=0.0,
    precision="auto",
    log_every=100,
    checkpoint_every=1000,
)


def ptb_like(
    n: int = 20_000, vocabulary: int = 9877, mean: float = 21, deviation: float = 10, longest: int = 80
) -> SentenceSet:
    """Random sentences with lengths like Penn Treebank's by default, and words drawn by Zipf's law."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.normal(mean, deviation, size=n), 1, longest).astype(np.int64)
    weights = 1 / np.arange(2, vocabulary - 2)
    tokens = rng.choice(np.arange(4, vocabulary), size=lengths.sum(), p=weights / weights.sum())
    return SentenceSet(tokens.astype(np.int32), np.concatenate([[0], lengths.cumsum()]))


def padded_loss(model: SentenceModel, sentences: list[np.ndarray], width: int | None) -> Tensor:
    """sMIM's loss with PyTorch's layers; sentences are padded to `width`, or if None to the longest one."""
    lengths = torch.tensor([len(s) + 1 for s in sentences])
    size = (len(sentences), width or int(lengths.max()))
    inputs, backwards, targets = (torch.full(size, PAD) for _ in range(3))
    for i, sentence in enumerate(sentences):
        words = torch.from_numpy(sentence.astype(np.int64))
        inputs[i, : lengths[i]] = torch.cat([torch.tensor([SOS]), words])
        backwards[i, : lengths[i]] = inputs[i, : lengths[i]].flip(0)
        targets[i, : lengths[i]] = torch.cat([words, torch.tensor([EOS])])
    inputs, backwards, targets = (
        codes.to(model.mean.weight.device) for codes in (inputs, backwards, targets)
    )

    def run(layer: nn.GRU, embedded: Tensor, initial: Tensor | None) -> tuple[Tensor, Tensor]:
        if width:
            states, _ = layer(embedded.transpose(0, 1), initial)
            return states.transpose(0, 1), states[lengths - 1, torch.arange(len(lengths))]
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        packed, last = layer(packed, initial)
        return pad_packed_sequence(packed, batch_first=True)[0], last[0]

    _, summary = run(model.encoder.layer, model.encoder_dropout(model.embedding(backwards)), None)
    mean, log_variance = model.mean(summary), model.log_variance(summary).clamp(min=LEAST_LOG_VARIANCE)
    q, anchor = torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0, 1)
    z = q.rsample()
    context = z[:, None].expand(-1, size[1], -1)
    joined = torch.cat([model.dropout(model.embedding(inputs)), context], -1)
    states, _ = run(model.decoder.layer, joined, model.initial(z)[None])
    log_probs = torch.log_softmax(model.output(states), -1)
    error = nn.functional.nll_loss(
        log_probs.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="sum"
    )
    return (error - 0.5 * (q.log_prob(z) + anchor.log_prob(z)).sum()) / len(sentences)


def initial_model() -> SentenceModel:
    """A model at Penn Treebank's size, always with the same weights."""
    torch.manual_seed(0)
    return SentenceModel(MODEL, 9877)


class Stepper:
    """Training steps of a model on successive batches."""

    def __init__(
        self, model: nn.Module, loss: Callable[[int], Tensor], fused: bool, clip: float | None = TRAINING.clip
    ) -> None:
        self.model, self.loss, self.clip, self.step = model, loss, clip, 0
        self.parameters = list(model.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, fused=fused, foreach=False)

    def __call__(self) -> None:
        self.step += 1
        loss = self.loss(self.step)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=True)
        # As in the trainer, nothing is read back, which would wait for the GPU.
        self.optimizer.step()


def ours(model: SentenceModel, sentences: SentenceSet, wanted: str) -> Stepper:
    """The project's training steps in the given precision."""
    spec = replace(TRAINING, precision=wanted)
    trained = objectives.autoencoder(model, "smim", spec, sentences, sentences, seed=0)
    return Stepper(model, trained.objective.loss, fused=True)


def plain(model: SentenceModel, sentences: SentenceSet, width: int | None) -> Stepper:
    """The plain padded training steps; batches are drawn from all sentences, regardless of length."""
    order = np.random.default_rng(0).permutation(len(sentences))

    def loss(step: int) -> Tensor:
        first = TRAINING.batch * (step - 1) % (len(order) - TRAINING.batch)
        return padded_loss(model, [sentences[i][:99] for i in order[first : first + TRAINING.batch]], width)

    return Stepper(model, loss, fused=False)
