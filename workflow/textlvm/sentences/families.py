"""Checks of the settings that a run's kind of model uses: `model.family` and `model.objective`."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from textlvm.experiment.relations import check_read
from textlvm.runtime.validation import Key, Problem, Section, dotted

__all__ = ["check_defaults", "check_family", "check_training", "is_pretrained", "supplied"]

OBJECTIVES = {"hr-vae": "svae", "pretrained": "lm", "ap-cnn": "answers", "hyperqa": "answers"}
"""The objective that each family requires."""
SELECTOR = {"objective", "family", "hidden", "embedding", "dropout"}
AUTOENCODER = {"objective", "family", "cell", "latent", "hidden", "embedding", "dropout", "encoder_dropout"}
READ = {
    "hr-vae": AUTOENCODER,
    "pretrained": {"objective", "family", "path", "hub"},
    "ap-cnn": SELECTOR,
    "hyperqa": SELECTOR,
}
"""The settings in `model` that a family uses."""
WITH_CODES = ("smim", "svae", "ae", "ivae")
TRAINED = {
    "kl": ("svae",),
    **dict.fromkeys(("kl_schedule", "kl_offset", "kl_slope"), ("svae", "ivae")),
    "free_bits": ("svae",),
    "pretrain": ("smim", "svae"),
    "dual_rate": ("ivae",),
    "encoder_unk": WITH_CODES,
    "decoder_unk": (*WITH_CODES, "lm"),
}
"""The objectives that use a setting in `training`; all use those that are not listed."""


def check_defaults(section: Section) -> None:
    """Check that no default sets a family, which requires one objective. Raises `Problem` otherwise."""
    keys: list[Key] = [("model",), *(("datasets", name, "model") for name in section["datasets"])]
    for key in keys:
        part = section
        for name in key:
            part = part.get(name, {})
        for setting in ("family", "path", "hub"):
            if setting in part:
                place: Key = ("sentences", *key, setting)
                raise Problem(place, f"{dotted(place)} has no default: set it in the `model` of a run")


def check_family(key: Key, entry: Section, objective: str) -> None:
    """Check the model, at `key`, of a run that sets a family; `objective` is the effective objective.

    Raises `Problem` for an objective that does not fit the family, for settings that the family does not use,
    for a pretrained model with training settings, and for a pretrained model without a location.
    """
    model = entry["model"]
    family = model["family"]
    if objective != OBJECTIVES[family]:
        raise Problem(
            (*key, "objective" if "objective" in model else "family"),
            f"{dotted((*key, 'family'))} is {family}, which goes with model.objective {OBJECTIVES[family]}, "
            f"not {objective}: change either",
        )
    check_read(key, entry, READ[family], f"model.family {family}")
    if not is_pretrained(model):
        return
    if len({"path", "hub"} & model.keys()) != 1:
        raise Problem(
            key,
            f"{dotted(key)} has no pretrained model: set either `path`, a folder, or `hub`, "
            "a name on the Hugging Face Hub",
        )
    if "training" in entry:
        place: Key = (*key[:-1], "training")
        raise Problem(place, f"{dotted(place)} has no effect for model.family pretrained: remove it")


def check_training(key: Key, entry: Section, objective: str) -> None:
    """Raise `Problem` if the run at `key` sets a setting in `training` that its objective does not use."""
    for setting in entry.get("training", {}):
        if objective not in TRAINED.get(setting, (objective,)):
            place = (*key, "training", setting)
            raise Problem(place, f"{dotted(place)} has no effect for model.objective {objective}: remove it")


def is_pretrained(model: Mapping[str, Any]) -> bool:
    """Whether a run's model is pretrained, and thus not trained here."""
    return model.get("family") == "pretrained"


def supplied(model: Mapping[str, Any]) -> str:
    """The version of transformers, and the files of a pretrained model with their sizes.

    Empty for all other models. A run is evaluated again when this text changes, for example because a missing
    model has been supplied.
    """
    if not is_pretrained(model):
        return ""
    try:
        found = [f"transformers {metadata.version('transformers')}"]
    except metadata.PackageNotFoundError:
        found = ["no transformers"]
    if model.get("path"):
        files = sorted(path for path in Path(model["path"]).glob("*") if path.is_file())
        found += [f"{path.name} {path.stat().st_size}" for path in files]
    return ", ".join(found)
