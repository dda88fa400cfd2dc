"""Evaluate one trained run of the sentences paper.

    python -m textlvm.sentences.evaluate --data ptb/data --run ptb/smim-512/seed0 --settings '{…}' \\
        --out ptb/smim-512/seed0/metrics.json

DATA is the prepared data set that the run was trained on. With `--member ptb/data`, a run trained on a union
is evaluated on the test set of one of its data sets; with `--questions yahoocqa/data`, a run ranks answers.
Writes

    OUT                               every metric: mean over repeated evaluations of this model, confidence
                                      interval of the mean, and `repeat_sd`, their standard deviation
    histograms.json (beside OUT)      values by sentence, for Figures 3 and 5-8
    provenance.json (beside OUT)      provenance of the result, see textlvm.runtime.provenance
"""

import argparse
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textlvm.estimate import deviation, of_repeats
from textlvm.runtime import cli, provenance
from textlvm.runtime.files import read_input, write_json
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data import questions
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.evaluation import causal, implicit, measures
from textlvm.sentences.evaluation.measures import EvaluationResult
from textlvm.sentences.evaluation.spec import EvaluationSpec
from textlvm.sentences.models.answer_selection import AnswerSelector
from textlvm.sentences.models.implicit import ImplicitModel
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.models.pretrained import MissingModel, PretrainedLanguageModel
from textlvm.sentences.trained import TrainedRun, load
from textlvm.spec import parse
from textlvm.training import device as devices
from textlvm.training.precision import autocast
from textlvm.training.precision import choose as choose_precision
from textlvm.training.seeds import derive, seed_everything

__all__ = ["UNITS", "to_json"]

PRIORS = ("elbo", "melbo", "test_prior", "train_prior")
NAMES = {
    "nats/sentence": [
        *(f"nll_{prior}" for prior in PRIORS),
        *("nll", "nll_elbo_eos", "nll_melbo_eos", "nll_without_eos", "nll_by_sentence"),
        *("kld", "kld_closed", "reconstruction"),
    ],
    "per word": [
        *(f"ppl_{prior}{divisor}" for prior in PRIORS for divisor in ("", "_per_word")),
        *("ppl", "ppl_elbo_eos", "ppl_melbo_eos", "ppl_without_eos", "ppl_by_sentence", "ppl_per_word"),
    ],
    "score": ["bleu1", "bleu1_eos", "bleu1_unmatched", "bleu1_words", "bleu1_greedy"],
    "nats": ["latent_entropy", "normal_entropy", "normal_entropy_estimated"],
    "share": ["p_at_1", "mrr"],
    "sentences": ["matching_samples"],
    "millions": ["parameters"],
}
"""The metrics by unit."""
UNITS = {name: unit for unit, names in NAMES.items() for name in names}


def to_json(name: str, values: list[float]) -> dict[str, Any]:
    """The entry of a metric in metrics.json, from its values in repeated evaluations.

    The interval is that of the mean, by Student's distribution. Evaluations of one model differ less than
    seeds, so their standard deviation is recorded separately.
    """
    entry = of_repeats(values, UNITS[name]).to_json()
    return entry if len(values) == 1 else entry | {"repeat_sd": deviation(values)}


def main(options: argparse.Namespace) -> None:
    """Evaluate the run on the command line.

    If the package transformers or the folder of a pretrained model is missing, metrics.json has the status
    `failed` and says what to supply, so that tables show the reason and the workflow continues.
    """
    process = provenance.Process()
    settings = parse(EvaluationSpec, options.settings)
    device = devices.choose(options.gpus)
    try:
        run = load(options.run, options.data, device)
    except MissingModel as missing:
        logging.warning("%s: %s", options.run, missing)
        _write(options, process, {"status": "failed", "reason": str(missing)}, {})
        return
    seed_everything(f"{run.name}/evaluation", run.seed)
    rng = np.random.default_rng(derive(f"{run.name}/evaluation", run.seed))
    with autocast(device, choose_precision(settings.precision, device)):
        if options.questions:
            evaluation = _answers(run, options.questions, settings)
        else:
            test = data.load(options.data, "test", options.member)
            evaluation = _sentences(run, test, data.load(options.data, "train"), settings, rng)
    evaluation.metrics["parameters"] = [sum(p.numel() for p in run.model.parameters()) / 1e6]
    metrics = {name: to_json(name, values) for name, values in _finite(evaluation).items()}
    histograms = {"objective": run.spec.objective, "latent": run.spec.latent, **evaluation.histograms}
    _write(options, process, {"status": "done", "metrics": metrics}, histograms)
    summary = ", ".join(f"{name} {entry['value']:.3f}" for name, entry in metrics.items())
    logging.info("%s seed %d: %s", run.name, run.seed, summary)


def _write(
    options: argparse.Namespace,
    process: provenance.Process,
    outcome: Mapping[str, Any],
    histograms: Mapping[str, Any],
) -> None:
    """Write the three files of an evaluation."""
    target = options.member or options.questions or options.data
    described = data.statistics(target)
    trained = read_input(options.run / "spec.json", "name", "seed")
    result = {
        "paper": "sentences",
        "dataset": described["dataset"],
        "corpus": described["corpus"],
        "split": described["split"],
        "run": trained["name"].split("/")[-1],
        "seed": trained["seed"],
        **outcome,
        "settings": options.settings,
    }
    write_json(options.out.parent / "histograms.json", histograms)
    write_json(options.out, result)
    read = dict.fromkeys([options.data, target])
    path = options.out.with_name("provenance.json")
    provenance.write_evaluation(path, process, options.run, options.settings, read, options.corpora)


def _sentences(
    run: TrainedRun, test: SentenceSet, train: SentenceSet, settings: EvaluationSpec, rng: np.random.Generator
) -> EvaluationResult:
    if isinstance(run.model, PretrainedLanguageModel):
        device = next(run.model.parameters()).device
        found = causal.metrics(run.model, test, run.vocabulary, settings.stride, device)
        return EvaluationResult({name: [value] for name, value in found.items()}, {})
    if isinstance(run.model, LanguageModel):
        return measures.language_model(run.model, test, settings)
    if isinstance(run.model, ImplicitModel):
        return implicit.measure(run.model, test, settings)
    if run.deterministic:
        return measures.autoencoder(run.autoencoder, test, settings, rng)
    return measures.latent_variable_model(run.autoencoder, test, train, settings, rng)


def _answers(run: TrainedRun, folder: Path, settings: EvaluationSpec) -> EvaluationResult:
    asked = questions.load(folder, "test", run.vocabulary)
    if isinstance(run.model, AnswerSelector):
        return measures.answer_selector(run.model, asked, settings)
    return measures.ranked_answers(run.autoencoder, asked, run.vocabulary, settings, run.deterministic)


def _finite(result: EvaluationResult) -> dict[str, list[float]]:
    """The metrics with finite values; a perplexity of e^1000, for example, is dropped."""
    finite = {name: values for name, values in result.metrics.items() if np.isfinite(values).all()}
    for name in result.metrics.keys() - finite.keys():
        logging.warning("%s is too large for a float and is left out", name)
    return finite


if __name__ == "__main__":
    arguments = cli.parser(__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="prepared data set of training")
    arguments.add_argument("--run", type=Path, required=True, help="folder of textlvm.sentences.train")
    arguments.add_argument("--settings", type=cli.settings, required=True, help="evaluation settings")
    provenance.add_argument(arguments)
    target = arguments.add_mutually_exclusive_group()
    target.add_argument("--member", type=Path, help="data set of the union DATA for the evaluation")
    target.add_argument("--questions", type=Path, help="data set of questions whose answers are ranked")
    arguments.add_argument("--out", type=Path, required=True, help="metrics.json")
    devices.add_argument(arguments)
    cli.run(main, arguments)
