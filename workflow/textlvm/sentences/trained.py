"""A trained run: its settings, its model on the current device, and its vocabulary."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

from textlvm.runtime.errors import UserError
from textlvm.runtime.files import read_input
from textlvm.sentences.data.prepared import input_tokenizer, read_vocabulary, statistics
from textlvm.sentences.data.tokenizers import Tokenizer
from textlvm.sentences.data.vocabulary import Vocabulary
from textlvm.sentences.models import pretrained
from textlvm.sentences.models.answer_selection import AnswerSelector
from textlvm.sentences.models.autoencoder import SentenceModel, build
from textlvm.sentences.models.implicit import ImplicitModel
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.models.pretrained import PretrainedLanguageModel
from textlvm.sentences.spec import ModelSpec
from textlvm.spec import parse
from textlvm.training.checkpoint import load_weights

__all__ = ["TrainedRun", "load"]


@dataclass(frozen=True)
class TrainedRun:
    """A trained run."""

    name: str
    """sentences/<dataset>/<run>."""
    seed: int
    spec: ModelSpec
    model: SentenceModel | ImplicitModel | LanguageModel | AnswerSelector | PretrainedLanguageModel
    vocabulary: Vocabulary
    data: Path
    """The prepared data set it was trained on."""

    @cached_property
    def tokenize(self) -> Tokenizer:
        """The function that tokenizes user input like the data set."""
        return input_tokenizer(self.data)

    @property
    def autoencoder(self) -> SentenceModel:
        """The model as an autoencoder. Raises `UserError` for a model without latent codes."""
        if not isinstance(self.model, SentenceModel):
            raise UserError(f"{self.name} has no latent codes; choose a run of smim, svae or ae")
        return self.model

    @property
    def deterministic(self) -> bool:
        """Whether the code of a sentence is the posterior's mean, as for AE."""
        return self.spec.objective == "ae"


def load(run: Path, data: Path, device: torch.device) -> TrainedRun:
    """Load the run in folder `run`, trained on the data set in `data`, in evaluation mode.

    Raises `UserError` if the folder contains no run, or a run that was trained on another data set, and
    `pretrained.MissingModel` if a pretrained model cannot be loaded.
    """
    if not (run / "spec.json").exists():
        raise UserError(f"{run} contains no trained run; train it first")
    settings = read_input(run / "spec.json", "name", "seed", "model")
    given = statistics(data, "dataset", "settings")
    name = str(settings["name"]).split("/")
    if len(name) != 3 or name[0] != "sentences":
        raise UserError(
            f"{run}/spec.json: the name '{settings['name']}' is not of the form sentences/<data set>/<run>; "
            "train the run again with such a --name"
        )
    trained_on = name[1]
    if trained_on != given["dataset"]:
        raise UserError(
            f"{run} was trained on '{trained_on}', {data} is '{given['dataset']}'; "
            "give the data set of the run"
        )
    # Different corpora can be prepared as a data set of the same name, with other vocabularies.
    differing = [
        key for key, value in settings.get("data", {}).items() if given["settings"].get(key) != value
    ]
    if differing:
        raise UserError(
            f"{run} was trained on '{trained_on}' with other settings than {data} has "
            f"({', '.join(differing)}); give the data set of the run"
        )
    vocabulary = read_vocabulary(data)
    spec = parse(ModelSpec, settings["model"])
    if spec.family == "pretrained":
        model = pretrained.load(spec)
    else:
        model = build(spec, len(vocabulary))
        load_weights(run / "model.safetensors", model)
    model = model.to(device).eval()
    return TrainedRun(settings["name"], settings["seed"], spec, model, vocabulary, data)
