"""The cost of all runs of config.yaml on this machine: hours of one core, and disk space.

    python benchmarks/bench_cost.py [--configfile more.yaml] [--steps 3] [--estimate]

The hours of a training are its number of steps times the processor time of a step, measured with its model
and batch size. A training of the sentences paper ends after a number of reductions of its learning rate: the
hours are those of the minimum number of epochs, on random text of the data set's size (Table 1 of the paper).
With --estimate, its steps are not measured, which takes minutes, but computed from the operations of their
matrix products and the rate of a large product in single precision. The hours of an evaluation of the words
paper are its number of trajectories times the time of one. Evaluations of the sentences paper, and models
that rank answers, are omitted.
"""

import argparse
import csv
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import torch
from bench_ngram import made_up_words
from bench_training import documentation_words
from measure import cpu_seconds, matrix_peak, show
from sentence_steps import ptb_like

from textlvm.experiment import plan
from textlvm.experiment.experiment import load_files
from textlvm.sentences.models import autoencoder as sentences_model
from textlvm.sentences.models import objectives
from textlvm.sentences.spec import ModelSpec as SentencesModel
from textlvm.sentences.spec import TrainingSpec as SentencesTraining
from textlvm.spec import parse
from textlvm.words.letters import encode
from textlvm.words.marginal import CHUNK, WordSums
from textlvm.words.model import build
from textlvm.words.spec import EvaluationSpec, TrainingSpec
from textlvm.words.spec import ModelSpec as WordsModel
from textlvm.words.train import WordSampler, objective

VOCABULARY = 99_398
"""Words of Gutenberg that are evaluated."""
CPU = torch.device("cpu")


def per_step(model: torch.nn.Module, loss: Callable[[int], torch.Tensor], steps: int) -> float:
    """Seconds per training step, after one warm-up step."""
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    for step in range(steps + 1):
        if step == 1:
            began = cpu_seconds()
        value = loss(step + 1)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return (cpu_seconds() - began) / steps


def words(runs: list[plan.Run], steps: int) -> Iterator[dict[str, Any]]:
    """A line for every run of the words paper."""
    split = documentation_words()
    vocabulary = encode(made_up_words(VOCABULARY))
    sums = WordSums(vocabulary, CPU)

    @cache
    def step(spec: WordsModel, batch: int) -> float:
        model = build(spec)
        return per_step(model, objective(model, WordSampler(split, batch, CPU)).loss, 10 * steps)

    @cache
    def trajectory(spec: WordsModel) -> float:
        model = build(spec)
        began = cpu_seconds()
        for _ in range(steps + 1):
            states = model.trajectories(CHUNK, vocabulary.codes.shape[1])
            sums(model.letter_log_probs(states).transpose(1, 2).contiguous())
        return (cpu_seconds() - began) / CHUNK / (steps + 1)

    for run in runs:
        spec, training = parse(WordsModel, run.model), parse(TrainingSpec, run.training)
        if spec.family == "oracle":
            continue
        evaluation = 0.0
        if spec.family == "state-space":
            evaluation = trajectory(spec) * parse(EvaluationSpec, run.evaluation).trajectories
        seconds = step(spec, training.batch)
        yield line(run, training.steps, seconds, evaluation, build(spec))


def sentences(runs: list[plan.Run], steps: int) -> Iterator[dict[str, Any]]:
    """A line for every training of the sentences paper except of answers; estimated if `steps` is 0."""
    sizes, peak = table_1(), matrix_peak()

    @cache
    def step(dataset: str, batch: int) -> float:
        """Seconds per step of sMIM with 512 codes; other objectives and sizes differ by a few per cent."""
        run = next(run for run in runs if run.dataset == dataset and run.model["objective"] == "smim")
        size, spec = sizes[dataset], parse(SentencesTraining, run.training)
        vocabulary = int(size["vocabulary"])
        text = ptb_like(2000, vocabulary, size["words_mean"], size["words_sd"], spec.max_length or 400)
        if not steps:
            symbols = batch * float(text.lengths.mean() + 1)
            return operations(parse(SentencesModel, run.model), vocabulary, symbols) / peak
        model = sentences_model.build(parse(SentencesModel, run.model), vocabulary)
        trained = objectives.autoencoder(model, "smim", spec, text, text, seed=0)
        return per_step(model, trained.objective.loss, steps)

    for run in runs:
        if run.trained_on or not run.is_trained or run.model["objective"] == "answers":
            continue
        spec, size = parse(SentencesTraining, run.training), sizes[run.dataset]
        falls = math.ceil(math.log(spec.min_learning_rate / spec.learning_rate) / math.log(spec.decay))
        epochs = 1 + falls * spec.patience
        with torch.device("meta"):
            model = sentences_model.build(parse(SentencesModel, run.model), int(size["vocabulary"]))
        of_epoch = math.ceil(size["train"] / spec.batch)
        yield line(run, epochs * of_epoch, step(run.dataset, spec.batch), 0.0, model)


def operations(spec: SentencesModel, vocabulary: int, symbols: float) -> float:
    """Operations of a step's matrix products: value, gradient of inputs, gradient of weights."""
    gates = {"gru": 3, "lstm": 4}[spec.cell]
    both = 2 * gates * spec.hidden * (spec.embedding + spec.hidden)
    return 3 * 2 * symbols * (both + spec.hidden * vocabulary)


def table_1() -> dict[str, dict[str, float]]:
    """The published statistics of every data set of sentences."""
    sizes: dict[str, dict[str, float]] = {}
    with Path("workflow/papers/sentences/published.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["table"] == "1":
                sizes.setdefault(row["dataset"], {})[row["metric"]] = float(row["value"])
    return sizes


def line(run: plan.Run, steps: int, step: float, evaluation: float, model: torch.nn.Module) -> dict[str, Any]:
    seeds = len(run.seeds)
    size = 4 * sum(parameter.numel() for parameter in model.parameters())
    return {
        "paper": run.paper,
        "data": run.dataset or run.split,
        "row": run.label,
        "seeds": seeds,
        "steps": steps,
        "ms a step": 1e3 * step,
        "training h": seeds * steps * step / 3600,
        "evaluation h": seeds * evaluation / 3600,
        "weights GB": seeds * size / 1e9,
    }


def main() -> None:
    """Print and save a line for every run, and totals by paper and data set."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--configfile", type=Path, nargs="*", default=[])
    arguments.add_argument(
        "--steps", type=int, default=3, help="number of timed steps; ten times as many for the words paper"
    )
    arguments.add_argument(
        "--estimate", action="store_true", help="estimate the steps of the sentences paper"
    )
    options = arguments.parse_args()
    torch.set_num_threads(1)
    runs = load_files(["config.yaml", *options.configfile]).runs
    of_paper = {paper: [run for run in runs if run.paper == paper] for paper in ("words", "sentences")}
    lines = [
        *words(of_paper["words"], options.steps),
        *sentences(of_paper["sentences"], 0 if options.estimate else options.steps),
    ]
    show("cost", lines)
    amounts = ("training h", "evaluation h", "weights GB")
    totals: dict[tuple[str, str], dict[str, Any]] = {}
    for found in lines:
        key = found["paper"], found["data"]
        total = totals.setdefault(key, {"paper": key[0], "data": key[1], **dict.fromkeys(amounts, 0.0)})
        for amount in amounts:
            total[amount] += found[amount]
    show("cost_totals", list(totals.values()))


if __name__ == "__main__":
    main()
