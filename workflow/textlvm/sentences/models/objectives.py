"""The training and validation losses of runs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from textlvm.distributions import DiagonalNormal, standard_normal_log_prob
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.batches import SentenceBatch, TrainingBatches, evaluation_batches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.questions import CodedQuestion
from textlvm.sentences.data.vocabulary import Codes
from textlvm.sentences.models.answer_batches import pack_questions
from textlvm.sentences.models.answer_selection import AnswerSelector
from textlvm.sentences.models.autoencoder import SentenceModel
from textlvm.sentences.models.implicit import ImplicitModel
from textlvm.sentences.models.implicit import densities as implicit_densities
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.models.losses import free_bits, kl_weight, mim, negative_elbo, reconstruction
from textlvm.sentences.spec import TrainingSpec
from textlvm.training import device as devices
from textlvm.training import precision
from textlvm.training.objective import VALIDATION, Objective

__all__ = [
    "Densities",
    "RunObjective",
    "answers",
    "autoencoder",
    "densities",
    "implicit",
    "language_model",
    "loss",
]

VALIDATION_BATCH = 128
"""Sentences, or questions with their answers, per batch of the validation."""


@dataclass(frozen=True)
class RunObjective:
    """The objective of a run, the number of steps per epoch, and the sentences of a step."""

    objective: Objective
    epoch: int
    """Number of steps per epoch."""
    inputs: Callable[[int], list[Codes]]
    """The sentences, or questions, of the batch of step 1, 2, ..."""


@dataclass(frozen=True)
class Densities:
    """Log densities at one code per sentence, in nats, (B,) each: the arguments of the losses."""

    log_likelihood: Tensor
    log_posterior: Tensor
    log_anchor: Tensor
    kl: Tensor
    """KL(q(z|x) || N(0, I)), in closed form with or without free bits, or estimated by `log_posterior` -
    `log_anchor`."""


def densities(
    model: SentenceModel, batch: SentenceBatch, objective: str, kl: str = "closed", free: float = 0.0
) -> Densities:
    """Encode, draw a code for each sentence (for ae: take the mean), and decode.

    `kl` is closed | sampled; `free` is the target rate of `losses.free_bits`, only used with closed. The KL
    term of hr-vae is averaged over the encoder's steps (Li et al. 2019b); its code is that of the last step.
    """
    steps = model.encode_steps(batch) if objective == "hr-vae" else None
    posterior = model.encode(batch) if steps is None else steps[batch.packing.last]
    if objective == "ae":
        z, log_posterior = posterior.loc, posterior.log_prob(posterior.loc)
    else:
        z, log_posterior = posterior.rsample_with_log_prob()
    words, end = model.log_likelihood(batch, z)
    log_anchor = standard_normal_log_prob(z)
    if kl == "closed":
        divergence = _closed_kl(posterior if steps is None else steps, free)
        if steps is not None:
            divergence = batch.packing.means(divergence)
    else:
        divergence = log_posterior - log_anchor
    return Densities(words + end, log_posterior, log_anchor, divergence)


def _closed_kl(posterior: DiagonalNormal, free: float) -> Tensor:
    return free_bits(posterior.kl_by_dimension(), free) if free else posterior.kl_to_standard_normal()


def loss(objective: str, at: Densities, weight: float = 1.0) -> Tensor:
    """The loss of smim, svae, hr-vae or ae, in nats per sentence; `weight` is that of the KL term."""
    if objective == "ae":
        return reconstruction(at.log_likelihood)
    if objective in ("svae", "hr-vae"):
        return negative_elbo(at.log_likelihood, at.kl, weight)
    return mim(at.log_likelihood, at.log_posterior, at.log_anchor)


def autoencoder(
    model: SentenceModel,
    objective: str,
    spec: TrainingSpec,
    train: SentenceSet,
    valid: SentenceSet,
    seed: int,
) -> RunObjective:
    """smim, svae, hr-vae or ae; the validation loss has KL weight 1 and the same noise in every validation.

    The first `pretrain` epochs train an autoencoder. After them, the decoder is reinitialized and the weight
    of the KL term begins to grow (Li et al. 2019). Raises `UserError` for a sampled KL term with free bits or
    with hr-vae, which both need the closed form.
    """
    if objective == "svae" and spec.free_bits and spec.kl != "closed":
        raise UserError("training.free_bits needs the KL term of each dimension: set training.kl to closed")
    if objective == "hr-vae" and spec.kl != "closed":
        raise UserError("model.family hr-vae has a KL term in closed form: set training.kl to closed")
    batches = TrainingBatches(train, spec.batch, spec.order, spec.max_length, seed)
    device, autocast = _context(model, spec)
    pretraining = spec.pretrain * batches.per_epoch

    def training_loss(step: int) -> Tensor:
        batch = batches(step, spec.encoder_unk, spec.decoder_unk).to(device)
        if step <= pretraining:
            with autocast():
                return loss("ae", densities(model, batch, "ae"))
        if pretraining and step == pretraining + 1:
            model.reset_decoder()
        weight = kl_weight(step - pretraining, spec.kl_schedule, spec.kl_offset, spec.kl_slope)
        with autocast():
            return loss(objective, densities(model, batch, objective, spec.kl, spec.free_bits), weight)

    def measure() -> dict[str, float]:
        totals = np.zeros(3)
        for _, batch in evaluation_batches(valid, VALIDATION_BATCH):
            with autocast():
                at = densities(model, batch.to(device), objective, spec.kl)
            terms = torch.stack([loss(objective, at), reconstruction(at.log_likelihood), at.kl.mean()])
            totals += len(batch) * terms.double().cpu().numpy()
        mean, error, kl = totals / len(valid)
        result = {VALIDATION: float(mean), "validation_reconstruction": float(error)}
        return result if objective == "ae" else result | {"validation_kl": float(kl)}

    trained = Objective(training_loss, _validation(model, measure, seed), pretraining=pretraining)
    return RunObjective(trained, batches.per_epoch, batches.sentences_of)


def implicit(
    model: ImplicitModel, spec: TrainingSpec, train: SentenceSet, valid: SentenceSet, seed: int
) -> RunObjective:
    """ivae: reconstruction and the estimated KL divergence of the aggregated posterior from N(0, I).

    This is the negative ELBO minus the mutual information of sentences and codes. Each step updates the dual
    networks, which maximize their bounds on the KL divergence, and the model, with the dual networks of the
    previous step. The value of the loss is that of the model.
    """
    batches = TrainingBatches(train, spec.batch, spec.order, spec.max_length, seed)
    device, autocast = _context(model, spec)

    def training_loss(step: int) -> Tensor:
        batch = batches(step, spec.encoder_unk, spec.decoder_unk).to(device)
        weight = kl_weight(step, spec.kl_schedule, spec.kl_offset, spec.kl_slope)
        with autocast():
            at = implicit_densities(model, batch)
        duals = at.kl + at.aggregated_kl
        # The last term is zero; its gradient makes the dual networks maximize their bounds.
        return reconstruction(at.log_likelihood) + weight * at.model_kl + (duals.detach() - duals)

    def measure() -> dict[str, float]:
        totals = np.zeros(3)
        for _, batch in evaluation_batches(valid, VALIDATION_BATCH):
            with autocast():
                at = implicit_densities(model, batch.to(device))
            terms = torch.stack([reconstruction(at.log_likelihood), at.aggregated_kl, at.kl])
            totals += len(batch) * terms.double().cpu().numpy()
        error, aggregated, kl = totals / len(valid)
        return {
            VALIDATION: float(error + aggregated),
            "validation_reconstruction": float(error),
            "validation_kl": float(kl),
        }

    trained = Objective(training_loss, _validation(model, measure, seed))
    return RunObjective(trained, batches.per_epoch, batches.sentences_of)


def language_model(
    model: LanguageModel, spec: TrainingSpec, train: SentenceSet, valid: SentenceSet, seed: int
) -> RunObjective:
    """lm: the exact negative log-likelihood, including <eos>."""
    batches = TrainingBatches(train, spec.batch, spec.order, spec.max_length, seed)
    device, autocast = _context(model, spec)

    def training_loss(step: int) -> Tensor:
        batch = batches(step, decoder_unk=spec.decoder_unk).to(device)
        with autocast():
            return reconstruction(sum(model.log_likelihood(batch)))

    def measure() -> dict[str, float]:
        total = 0.0
        for _, batch in evaluation_batches(valid, VALIDATION_BATCH):
            with autocast():
                words, end = model.log_likelihood(batch.to(device))
            total += float((words + end).double().sum())
        return {VALIDATION: -total / len(valid)}

    trained = Objective(training_loss, _validation(model, measure, seed))
    return RunObjective(trained, batches.per_epoch, batches.sentences_of)


def answers(
    model: AnswerSelector,
    spec: TrainingSpec,
    train: tuple[CodedQuestion, ...],
    valid: tuple[CodedQuestion, ...],
    seed: int,
) -> RunObjective:
    """answers: the loss of the model; the validation also computes P@1."""
    device, autocast = _context(model, spec)
    epoch = -(-len(train) // spec.batch)

    def chosen(step: int) -> list[CodedQuestion]:
        turn, index = divmod(step - 1, epoch)
        order = np.random.default_rng([seed, turn]).permutation(len(train))
        return [train[i] for i in order[index * spec.batch : (index + 1) * spec.batch]]

    def training_loss(step: int) -> Tensor:
        batch = pack_questions(chosen(step), spec.max_length).to(device)
        with autocast():
            return model.loss(model(batch), batch.best)

    def measure() -> dict[str, float]:
        total, right = 0.0, 0
        for start in range(0, len(valid), VALIDATION_BATCH):
            part = valid[start : start + VALIDATION_BATCH]
            batch = pack_questions(part, None).to(device)
            with autocast():
                scores = model(batch)
            total += len(part) * float(model.loss(scores, batch.best))
            right += int((scores.argmax(1) == batch.best).sum())
        return {VALIDATION: total / len(valid), "validation_p_at_1": right / len(valid)}

    trained = Objective(training_loss, _validation(model, measure, seed))
    return RunObjective(trained, epoch, lambda step: [asked.question for asked in chosen(step)])


def _context(model: nn.Module, spec: TrainingSpec) -> tuple[torch.device, Callable[[], torch.autocast]]:
    device = next(model.parameters()).device
    dtype = precision.choose(spec.precision, device)
    return device, lambda: precision.autocast(device, dtype)


def _validation(
    model: nn.Module, measure: Callable[[], dict[str, float]], seed: int
) -> Callable[[], dict[str, float]]:
    """Validate without dropout and with the same noise every time; the noise of training is not affected."""

    @torch.no_grad()
    def validate() -> dict[str, float]:
        with devices.fork_rng(next(model.parameters()).device):
            torch.manual_seed(seed)
            model.eval()
            result = measure()
            model.train()
        return result

    return validate
