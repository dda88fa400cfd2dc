"""The autoencoder of Sec. 4.2, which sMIM, sVAE and AE share, and the builder of all models."""

import torch
from torch import Tensor, nn

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.data.batches import SentenceBatch
from textlvm.sentences.models.answer_selection import AnswerSelector, AttentivePooling
from textlvm.sentences.models.decoder import LatentVariableModel
from textlvm.sentences.models.hyperbolic import HyperQA
from textlvm.sentences.models.implicit import ImplicitModel
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.spec import ModelSpec

__all__ = ["SentenceModel", "build"]

LEAST_LOG_VARIANCE = -10.0
"""Lower limit of log-variances; without a limit, sMIM's posteriors shrink forever."""


class SentenceModel(LatentVariableModel):
    """The autoencoder with a Gaussian posterior q(z|x), computed from the encoder's last state.

    With GRUs, the number of parameters agrees with every row of Tables 2-5.
    """

    def add_posterior(self, spec: ModelSpec) -> None:
        """Add the layers for mean and log-variance."""
        self.mean = nn.Linear(spec.hidden, spec.latent)
        self.log_variance = nn.Linear(spec.hidden, spec.latent)

    def encode(self, batch: SentenceBatch) -> DiagonalNormal:
        """q(z|x) with shape (B, latent), in the order of the batch (Eq. 3)."""
        return self._posterior(self.read(batch)[batch.packing.last])

    def encode_steps(self, batch: SentenceBatch) -> DiagonalNormal:
        """The Gaussians computed from the encoder's state at every step, with shape (N, latent)."""
        return self._posterior(self.read(batch))

    def _posterior(self, states: Tensor) -> DiagonalNormal:
        with torch.autocast(states.device.type, enabled=False):
            log_variance = self.log_variance(states).clamp(min=LEAST_LOG_VARIANCE)
            return DiagonalNormal(self.mean(states), 0.5 * log_variance)


def build(
    spec: ModelSpec, vocabulary_size: int
) -> SentenceModel | ImplicitModel | LanguageModel | AnswerSelector:
    """Build the model of a run, with random weights."""
    if spec.objective == "lm":
        return LanguageModel(spec, vocabulary_size)
    if spec.objective == "answers":
        selector = HyperQA if spec.family == "hyperqa" else AttentivePooling
        return selector(spec, vocabulary_size)
    if spec.objective == "ivae":
        return ImplicitModel(spec, vocabulary_size)
    return SentenceModel(spec, vocabulary_size)
