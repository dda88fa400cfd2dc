"""Models that an entry selects by `model.family`, because its objective does not determine them."""

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from textlvm.experiment.relations.problem import Key, Problem, Section, check_read, dotted

__all__ = ["check_defaults", "check_family", "is_pretrained", "supplied"]

OBJECTIVES = {"hr-vae": "svae", "pretrained": "lm", "ap-cnn": "answers", "hyperqa": "answers"}
"""The objective that a family goes with."""
SELECTOR = {"objective", "family", "hidden", "embedding", "dropout"}
AUTOENCODER = {"objective", "family", "cell", "latent", "hidden", "embedding", "dropout", "encoder_dropout"}
READ = {
    "hr-vae": AUTOENCODER,
    "pretrained": {"objective", "family", "path", "hub"},
    "ap-cnn": SELECTOR,
    "hyperqa": SELECTOR,
}
"""The settings in `model` that a family uses."""


def check_defaults(section: Section) -> None:
    """Check that no default names a family, which goes with one objective: raises `Problem` if one does."""
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
    """Check the model, of key `key`, of a run that names its family; `objective` is the effective one.

    Raises `Problem` for another objective than the family's, for what the family does not read, and for a
    pretrained model that is to be trained, or of which the entry does not say where it is.
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


def is_pretrained(model: Mapping[str, Any]) -> bool:
    """Whether a run's model is one that others have trained."""
    return model.get("family") == "pretrained"


def supplied(model: Mapping[str, Any]) -> str:
    """The requirements of a pretrained model: the version of transformers, and its files with their sizes.

    Empty for all other models. A row that lacked them is evaluated again when this changes.
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
