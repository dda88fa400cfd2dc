"""Measure one trained run of the words paper.

    python -m textlvm.words.evaluate --words words.tsv --run seed0 --settings '{…}' \\
        --ngram 3=char3.arpa 5=char5.arpa --out seed0/metrics.json

writes into the folder of OUT

    metrics.json     every metric with the interval of its sampling error, see `textlvm.words.metrics`; curves
                     `ce_over_k` and, of a GRU, `ce_free_running_over_k`: K, ce_train, ce_test
    entropy.csv      marginal, expected and gap entropies in nats, by position and trajectory
    samples.txt      the generated words, one per line; … represents a word that did not end
    provenance.json  how it was measured, see textlvm.runtime.provenance

To repeat the evaluation of a run from its weights, without training:

    python -m textlvm.words.evaluate --words words.tsv --run seed0 --trajectories 65536 \\
        --out again/metrics.json

Without --settings, the settings are those in the metrics.json of the run; --trajectories overrides their K.
"""

import argparse
import csv
import io
import logging
from pathlib import Path
from typing import Any

import numpy as np

from textlvm.corpora.splits import read_words
from textlvm.runtime import cli, provenance
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input, write_json, write_text
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.seeds import derive, seed_everything
from textlvm.words import ngram
from textlvm.words.entropy import EntropyGap
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letters import encode
from textlvm.words.metrics import (
    Metrics,
    argmax_metrics,
    exact_metrics,
    oracle_metrics,
    sample_metrics,
    state_space_metrics,
)
from textlvm.words.model import StateSpaceModel
from textlvm.words.scores import require_trajectories
from textlvm.words.spec import EvaluationSpec
from textlvm.words.trained import load_model, read_settings

__all__ = ["arguments", "main"]


def main(options: argparse.Namespace) -> None:
    """Measure the run named on the command line."""
    process = provenance.Process()
    trained = read_settings(options.run)
    paper, corpus, side, run = trained.name.split("/")
    chosen = _settings(options)
    settings = parse(EvaluationSpec, chosen)
    split = read_words(options.words)
    paths = sorted(dict(options.ngram).items())
    scorers = {f"{order}gram": ngram.load(path, order) for order, path in paths}
    for order, _ in paths:
        scorers |= {f"{order}gram_{each}": ngram.scorer(split, order, each) for each in ngram.WEIGHTS}
    lexicon = encode(split.words)
    stream = f"{trained.name}/evaluation"
    device = devices.choose(options.gpus)
    rng = np.random.default_rng(derive(stream, trained.seed))

    def seed(measurement: str) -> None:
        seed_everything(f"{stream}/{measurement}", trained.seed)

    by_argmax: Metrics = {}
    if trained.model.family == "oracle":
        measured = oracle_metrics(split, settings.samples, rng)
    else:
        model = load_model(options.run, trained.model, split, device)
        if isinstance(model, StateSpaceModel):
            measured = state_space_metrics(model, split, lexicon, settings, rng, seed)
        else:
            measured = exact_metrics(model, split, lexicon, settings, rng, seed)
        if isinstance(model, StateSpaceModel | HiddenMarkov):
            seed("samples by argmax")
            by_argmax = argmax_metrics(model, split, settings.samples, scorers)
    metrics = measured.metrics | sample_metrics(measured.words, split, scorers) | by_argmax
    folder = options.out.parent
    lines = ("…" if word is None else word for word in measured.words)
    write_text(folder / "samples.txt", "".join(f"{line}\n" for line in lines))
    write_text(folder / "entropy.csv", _entropy_table(measured.gap))
    result: dict[str, Any] = {
        "paper": paper,
        "corpus": corpus,
        "split": side,
        "run": run,
        "seed": trained.seed,
        "status": "done",
        "metrics": {name: estimate.to_json() for name, estimate in metrics.items()},
        "curve": measured.curves,
        "settings": chosen,
    }
    write_json(options.out, result)
    provenance.write_evaluation(
        folder / "provenance.json", process, options.run, chosen, [options.words], options.corpora
    )
    logging.info("%s seed %d: %s", trained.name, trained.seed, _summary(metrics))


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings on the command line or in the metrics.json of the run, with K of the command line."""
    if options.settings is not None:
        chosen = options.settings
    elif (options.run / "metrics.json").exists():
        chosen = read_input(options.run / "metrics.json", "settings")["settings"]
    else:
        raise UserError(f"{options.run} has no metrics.json with settings: pass --settings")
    if options.trajectories is None:
        return dict(chosen)
    require_trajectories(options.trajectories)
    return {**chosen, "trajectories": options.trajectories}


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


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = cli.parser(__doc__)
    parser.add_argument("--words", type=Path, required=True, help="words with their counts on both sides")
    parser.add_argument("--run", type=Path, required=True, help="folder written by textlvm.words.train")
    parser.add_argument(
        "--settings", type=cli.settings, help="evaluation settings; default: those of the run"
    )
    parser.add_argument("--trajectories", type=int, metavar="K", help="K, overrides the settings")
    parser.add_argument("--ngram", type=ngram.model_path, nargs="*", default=[], metavar="ORDER=PATH")
    provenance.add_argument(parser)
    parser.add_argument("--out", type=Path, required=True, help="metrics.json")
    devices.add_argument(parser)
    return parser


if __name__ == "__main__":
    cli.run(main, arguments())
