"""Measure one trained run of the words paper.

    python -m textlvm.words.evaluate --words words.tsv --run seed0 --settings '{…}' \\
        --ngram 3=char3.arpa 5=char5.arpa --out seed0/metrics.json

writes beside OUT

    metrics.json     every metric with the interval of its sampling error; `ce_over_k`: K, ce_train, ce_test
    entropy.csv      marginal, expected and gap entropies in nats, by position and trajectory
    samples.txt      the generated words, one a line; … stands for one that did not end
    provenance.json  how it was measured, see textlvm.runtime.provenance
"""

import argparse
import csv
import io
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import kenlm
import numpy as np
import torch

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.estimate import Estimate, exact, normal
from textlvm.runtime import cli, provenance
from textlvm.runtime.files import read_input, write_json, write_text
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.checkpoint import load_weights
from textlvm.training.seeds import derive, seed_everything
from textlvm.words import ngram
from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import (
    cross_entropy,
    exact_log_probs,
    frequencies,
    monte_carlo_marginals,
)
from textlvm.words.entropy import EntropyGap, entropy_gap
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.letters import Lexicon, encode
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.samples import distinct_share, generate, share_in
from textlvm.words.spec import LETTER_NGRAMS, EvaluationSpec, ModelSpec

__all__ = ["autoregressive_metrics", "oracle_metrics", "sample_metrics", "state_space_metrics"]

Metrics = dict[str, Estimate]
Seed = Callable[[str], None]
"""Starts a measurement's own stream of random numbers, so that none depends on the size of another."""
NATS = "nats/word"


def oracle_metrics(split: WordSplit, n: int, rng: np.random.Generator) -> tuple[Metrics, list[str | None]]:
    """ORACLE: the training distribution itself, and n words drawn from it.

    On the split `unseen` it excludes the test words, so its cross entropy with them does not exist.
    """
    train = frequencies(split.train)
    with np.errstate(divide="ignore"):
        log_probs = np.log(train)
    drawn = rng.choice(len(split.words), size=n, p=train)
    test = frequencies(split.test)
    occurs = test[test > 0]
    metrics = {
        "ce_train": exact(cross_entropy(train, log_probs), NATS),
        "entropy_test": exact(float(-(occurs @ np.log(occurs))), NATS),
    }
    ce_test = cross_entropy(test, log_probs)
    if math.isfinite(ce_test):
        metrics["ce_test"] = exact(ce_test, NATS)
    return metrics, [split.words[i] for i in drawn]


def autoregressive_metrics(
    model: GRUBaseline | HiddenMarkov | LetterNgram, split: WordSplit, lexicon: Lexicon, n: int, seed: Seed
) -> tuple[Metrics, list[str | None]]:
    """The exact cross entropies of a model whose P(w) is known, its own word entropy, and n generated words.

    The word entropy is that of words which end within `samples.LONGEST` letters.
    """
    log_probs = exact_log_probs(model, lexicon)
    seed("samples")
    words = generate(model, n)
    metrics = {
        "ce_train": exact(cross_entropy(frequencies(split.train), log_probs), NATS),
        "ce_test": exact(cross_entropy(frequencies(split.test), log_probs), NATS),
    }
    finished = [word for word in words if word is not None]
    if len(finished) > 1:
        surprise = -exact_log_probs(model, encode(finished))
        error = surprise.std(ddof=1) / math.sqrt(len(surprise))
        metrics["word_entropy"] = normal(surprise.mean(), error, NATS)
    return metrics, words


def state_space_metrics(
    model: StateSpaceModel,
    split: WordSplit,
    lexicon: Lexicon,
    settings: EvaluationSpec,
    rng: np.random.Generator,
    seed: Seed,
) -> tuple[Metrics, list[str | None], list[list[float]], EntropyGap]:
    """A state space model's metrics, n generated words, CE over K, and entropies by position."""
    train, test = frequencies(split.train), frequencies(split.test)
    seed("trajectories")
    marginals = monte_carlo_marginals(model, lexicon, settings.trajectories, (train, test))
    log_probs = marginals.log_probs()
    metrics = {}
    for name, frequency in (("ce_train", train), ("ce_test", test)):
        error = marginals.standard_error(frequency, settings.bootstrap, rng)
        metrics[name] = normal(cross_entropy(frequency, log_probs), error, NATS)
    over_k = [[used, *values] for used, values in marginals.over_k]
    horizon = lexicon.codes.shape[1]
    seed("entropy")
    gap = entropy_gap(model, settings.entropy_trajectories, horizon, settings.entropy_draws)
    seed("reference entropy")
    reference = entropy_gap(model, settings.entropy_trajectories, horizon, settings.entropy_reference_draws)
    metrics |= {
        "h_gap": _average(gap, gap.gap),
        "h_marginal": _average(gap, gap.marginal),
        "h_expected": _average(gap, gap.expected),
        "h_gap_reference": _average(reference, reference.gap),
    }
    seed("samples")
    return metrics, generate(model, settings.samples), over_k, gap


def sample_metrics(
    words: Sequence[str | None], split: WordSplit, scorers: Mapping[int, kenlm.Model]
) -> Metrics:
    """Set-based metrics against the training vocabulary, and scores under the test words' n-grams.

    The n-grams score finished words alone; a model that finishes fewer than two has no such score.
    """
    vocabulary = {word for word, count in zip(split.words, split.train, strict=True) if count}
    metrics = {
        "unique": distinct_share(words, vocabulary),
        "distinct": distinct_share(words),
        "in_vocabulary": share_in(words, vocabulary),
    }
    finished = [word for word in words if word is not None]
    if len(finished) < 2:
        return metrics
    for order, scorer in scorers.items():
        metrics[f"perplexity_{order}gram"] = ngram.perplexity(scorer, finished)
        metrics[f"nats_{order}gram"] = ngram.nats_per_word(scorer, finished)
    return metrics


def main(options: argparse.Namespace) -> None:
    """Measure the run the command line names."""
    process = provenance.Process()
    spec = read_input(options.run / "spec.json", "name", "seed", "model")
    paper, corpus, side, run = spec["name"].split("/")
    scorers = {order: ngram.load(path, order) for order, path in sorted(dict(options.ngram).items())}
    settings = parse(EvaluationSpec, options.settings)
    model_spec = parse(ModelSpec, spec["model"])
    split = read_words(options.words)
    lexicon = encode(split.words)
    stream = f"{spec['name']}/evaluation"
    device = devices.choose(options.gpus)
    rng = np.random.default_rng(derive(stream, spec["seed"]))

    def seed(measurement: str) -> None:
        seed_everything(f"{stream}/{measurement}", spec["seed"])

    over_k: list[list[float]] = []
    gap = None
    if model_spec.family == "oracle":
        metrics, words = oracle_metrics(split, settings.samples, rng)
    else:
        model = _model(model_spec, split, options.run).to(device)
        if isinstance(model, StateSpaceModel):
            metrics, words, over_k, gap = state_space_metrics(model, split, lexicon, settings, rng, seed)
        else:
            metrics, words = autoregressive_metrics(model, split, lexicon, settings.samples, seed)
    metrics |= sample_metrics(words, split, scorers)
    folder = options.out.parent
    write_text(folder / "samples.txt", "".join(f"{'…' if word is None else word}\n" for word in words))
    write_text(folder / "entropy.csv", _entropy_table(gap))
    result: dict[str, Any] = {
        "paper": paper,
        "corpus": corpus,
        "split": side,
        "run": run,
        "seed": spec["seed"],
        "status": "done",
        "metrics": {name: estimate.to_json() for name, estimate in metrics.items()},
        "curve": {"ce_over_k": over_k},
        "settings": options.settings,
    }
    write_json(options.out, result)
    provenance.write_evaluation(
        folder / "provenance.json", process, options.run, options.settings, [options.words], options.corpora
    )
    logging.info("%s seed %d: %s", spec["name"], spec["seed"], _summary(metrics))


def _model(
    spec: ModelSpec, split: WordSplit, run: Path
) -> StateSpaceModel | HiddenMarkov | GRUBaseline | LetterNgram:
    if spec.family in LETTER_NGRAMS:
        return LetterNgram(split.words, split.train, LETTER_NGRAMS[spec.family])
    model = build(spec)
    load_weights(run / "model.safetensors", model)
    return model


def _average(gap: EntropyGap, values: torch.Tensor) -> Estimate:
    """Mean over reached positions; trajectories are the independent units of its standard error."""
    alive = gap.alive.double()
    mean = gap.average(values)
    residual = ((values.double() - mean) * alive).sum(0) / alive.sum(0).mean()
    return normal(mean, float(residual.std()) / math.sqrt(len(residual)), "nats")


def _entropy_table(gap: EntropyGap | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["position", "trajectory", "h_marginal", "h_expected", "h_gap"])
    if gap is not None:
        for position, trajectory in gap.alive.nonzero().tolist():
            values = (gap.marginal, gap.expected, gap.gap)
            row = [f"{float(value[position, trajectory]):.6f}" for value in values]
            writer.writerow([position + 1, trajectory, *row])
    return text.getvalue()


def _summary(metrics: Metrics) -> str:
    return ", ".join(f"{name} {estimate.value:.3f}" for name, estimate in metrics.items())


def _ngram_path(text: str) -> tuple[int, Path]:
    order, _, path = text.partition("=")
    if not order.isdigit() or not path:
        raise argparse.ArgumentTypeError(f"expected ORDER=PATH, got '{text}'")
    return int(order), cli.path(path)


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--words", type=Path, required=True, help="words with their counts on both sides")
    arguments.add_argument("--run", type=Path, required=True, help="folder written by textlvm.words.train")
    arguments.add_argument("--settings", type=cli.settings, required=True, help="evaluation settings")
    arguments.add_argument("--ngram", type=_ngram_path, nargs="*", default=[], metavar="ORDER=PATH")
    provenance.add_argument(arguments)
    arguments.add_argument("--out", type=Path, required=True, help="metrics.json")
    devices.add_argument(arguments)
    cli.run(main, arguments)
