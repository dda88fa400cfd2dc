"""Train one run of the words paper.

    python -m textlvm.words.train --words words.tsv --name words/gutenberg/standard/tril --seed 0 \\
        --spec '{"model": {…}, "training": {…}}' --checkpoint checkpoint --out seed0

writes into OUT

    spec.json           effective settings
    model.safetensors   weights
    curve.jsonl         loss (nats per word) and entropies during training
    cost.json           device, parameters, steps, seconds, peak memory (MiB), precision, version of PyTorch
    training.json       how it was trained, see textlvm.runtime.provenance

and, while it runs, CHECKPOINT/{state.safetensors,progress.json}, from which an interrupted training
continues. If it fails, CHECKPOINT/failure.json has the reason.
"""

import argparse
import logging
from collections import deque
from pathlib import Path

import torch
from torch import Tensor

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.runtime import cli
from textlvm.runtime.errors import UserError
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training import optimizers
from textlvm.training.run import Job, parser, train_to_files, write_untrained
from textlvm.training.schedule import Constant, Cosine, Schedule
from textlvm.training.seeds import seed_everything
from textlvm.training.trainer import Objective, Training
from textlvm.words.baseline import GRUBaseline
from textlvm.words.engine import bound, log_likelihood
from textlvm.words.entropy import entropy_gap
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letters import Lexicon, PackedWords, encode, pack
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.spec import UNTRAINED, ModelSpec, TrainingSpec

__all__ = ["WordSampler", "objective", "schedule"]

MONITOR_TRAJECTORIES = 256
MONITOR_DRAWS = 20
"""Free-running trajectories and draws of xi_t behind each point of Figure 2."""


class WordSampler:
    """Batches of words drawn from the training tokens, with replacement; remembers the last ones."""

    def __init__(self, split: WordSplit, batch: int, device: torch.device, remembered: int = 1) -> None:
        self.words = split.words
        self.lexicon: Lexicon = encode(split.words)
        self.cumulative = torch.from_numpy(split.train).double().cumsum(0)
        self.batch, self.device = batch, device
        self._drawn: deque[tuple[int, Tensor]] = deque(maxlen=remembered)

    def __call__(self, step: int = 0) -> PackedWords:
        """The batch of a step, drawn with PyTorch's CPU generator whatever the device."""
        tokens = torch.rand(self.batch, dtype=torch.float64) * self.cumulative[-1]
        index = torch.searchsorted(self.cumulative, tokens, right=True).clamp_(max=len(self.lexicon) - 1)
        self._drawn.append((step, index))
        return pack(self.lexicon, index).to(self.device)

    def drawn(self, step: int) -> list[str]:
        """The words of a step's batch in the order of drawing; empty if it is not remembered."""
        return [self.words[i] for at, index in self._drawn if at == step for i in index.tolist()]


def objective(
    model: StateSpaceModel | HiddenMarkov | GRUBaseline, sampler: WordSampler, estimator: str = "full"
) -> Objective:
    """The loss of a run, in nats per word, and its monitored entropies; for `estimator` see `bound`."""
    if not isinstance(model, StateSpaceModel):

        def negative_log_likelihood(step: int) -> Tensor:
            batch = sampler(step)
            return -log_likelihood(model, batch) / batch.packing.batch

        return Objective(negative_log_likelihood, inputs=sampler.drawn)

    def negative_bound(step: int) -> Tensor:
        batch = sampler(step)
        return -bound(model, batch, estimator) / batch.packing.batch

    def entropies() -> dict[str, float]:
        horizon = sampler.lexicon.codes.shape[1]
        # With a separate random stream: monitoring must not change the training.
        with devices.fork_rng(sampler.device):
            gap = entropy_gap(model, MONITOR_TRAJECTORIES, horizon, MONITOR_DRAWS)
        averages = {"h_gap": gap.gap, "h_marginal": gap.marginal, "h_expected": gap.expected}
        return {name: gap.average(values) for name, values in averages.items()}

    return Objective(negative_bound, entropies, sampler.drawn)


def schedule(spec: TrainingSpec) -> Schedule:
    """The learning rate schedule."""
    if spec.schedule == "constant":
        return Constant(spec.learning_rate)
    return Cosine(spec.learning_rate, spec.steps)


def main(options: argparse.Namespace) -> None:
    """Train the run described on the command line."""
    if options.name.count("/") != 3:
        raise UserError(f"--name must be words/CORPUS/SPLIT/RUN, not '{options.name}'")
    run = dict(zip(("paper", "corpus", "split", "run"), options.name.split("/"), strict=True))
    model_spec = parse(ModelSpec, options.spec.get("model", {}))
    training_spec = parse(TrainingSpec, options.spec.get("training", {}))
    split = read_words(options.words)
    job = Job.begin(options)
    if model_spec.family in UNTRAINED:
        # Counted models have no weights.
        write_untrained(job)
        return
    device = devices.choose(options.gpus)
    seed_everything(options.name, options.seed)
    model = build(model_spec).to(device)
    logging.info("%s seed %d on %s", options.name, options.seed, devices.describe(device))
    sampler = WordSampler(split, training_spec.batch, device, training_spec.log_every)
    training = Training(
        model,
        objective(model, sampler, training_spec.estimator),
        optimizers.Adam(model.parameters(), fused=True),
        schedule(training_spec),
        training_spec,
    )
    train_to_files(training, job, run, job.identity("textlvm.words.train", [options.words]))


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--words", type=Path, required=True, help="words with their counts on both sides")
    cli.run(main, arguments)
