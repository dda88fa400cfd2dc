"""A trained run of the words paper: its settings, and its model with matching weights."""

from dataclasses import dataclass
from pathlib import Path

import torch

from textlvm.corpora.splits import WordSplit
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input
from textlvm.spec import parse
from textlvm.training.checkpoint import load_weights
from textlvm.words.baseline import GRUBaseline
from textlvm.words.hmm import HiddenMarkov
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.spec import LETTER_NGRAMS, ModelSpec

__all__ = ["Model", "RunSettings", "load_model", "read_settings"]

Model = StateSpaceModel | HiddenMarkov | GRUBaseline | LetterNgram


@dataclass(frozen=True)
class RunSettings:
    """The model settings in a run's spec.json."""

    name: str
    """words/<corpus>/<split>/<run>."""
    seed: int
    model: ModelSpec


def read_settings(run: Path) -> RunSettings:
    """Read `spec.json` in the folder of a run.

    Raises `UserError` if the folder contains no run, or a run of another paper.
    """
    if not (run / "spec.json").exists():
        raise UserError(f"{run} contains no trained run; train it first")
    spec = read_input(run / "spec.json", "name", "seed", "model")
    if str(spec["name"]).split("/")[0] != "words":
        raise UserError(f"{run} holds a run of another paper ({spec['name']}); choose one below words/")
    return RunSettings(spec["name"], spec["seed"], parse(ModelSpec, spec["model"]))


def load_model(run: Path, spec: ModelSpec, split: WordSplit | None, device: torch.device) -> Model:
    """The model in the folder of a run, for use without further training.

    Letter n-grams have no weights: they are counted from the training words of `split`. Raises `UserError`
    if the weights do not match `spec`, for an n-gram without `split`, and for the oracle, which is not a
    model.
    """
    if spec.family == "oracle":
        raise UserError(f"{run} is the oracle, which is not a model; choose another run")
    if spec.family in LETTER_NGRAMS:
        if split is None:
            raise UserError(
                f"{run} is a {spec.family}, which has no weights: give the words.tsv of its split"
            )
        return LetterNgram(split.words, split.train, LETTER_NGRAMS[spec.family]).to(device)
    model = build(spec)
    load_weights(run / "model.safetensors", model)
    return model.to(device).eval()
