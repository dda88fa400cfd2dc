"""Consistency checks of the words paper's section."""

from textlvm.experiment.relations import check_label, check_read
from textlvm.runtime.errors import nearest
from textlvm.runtime.validation import Key, Problem, Section, dotted
from textlvm.words.spec import UNTRAINED

__all__ = ["check"]

TABLE_OF_SPLIT = {"standard": 1, "unseen": 2}
"""The table of the runs on each split; rows are identified only by their labels."""
# The settings in `model` that have an effect for families other than state-space.
READ_BY_FAMILY = {"gru": {"family", "dim"}, "hmm": {"family", "dim"}} | {
    family: {"family"} for family in UNTRAINED
}


def check(section: Section) -> None:
    """Raise `Problem` for the first inconsistency."""
    if section["vocabulary"]["min_length"] > section["vocabulary"]["max_length"]:
        raise Problem(("words", "vocabulary", "min_length"), "words.vocabulary.min_length exceeds max_length")
    labels: dict[tuple[str, int, str], str] = {}
    for split, runs in section["runs"].items():
        for name, entry in runs.items():
            key: Key = ("words", "runs", split, name)
            _check_run(key, entry, section)
            check_label(key, (split, entry["table"], entry["row"]), labels)
    standard = section["runs"].get("standard", {})
    for figure, family in (("training_run", "state-space"), ("baseline", "gru")):
        fitting = [
            name
            for name, entry in standard.items()
            if entry.get("model", {}).get("family", section["model"]["family"]) == family
        ]
        name = section["figures"][figure]
        if name not in fitting:
            raise Problem(
                ("words", "figures", figure),
                f"words.figures.{figure} is '{name}', but must be a run of the standard split "
                f"with model.family {family}; {nearest(name, fitting)}",
            )


def _check_run(key: Key, entry: Section, section: Section) -> None:
    split, name = map(str, key[-2:])
    if entry["table"] != TABLE_OF_SPLIT[split]:
        table = {number: other for other, number in TABLE_OF_SPLIT.items()}[entry["table"]]
        raise Problem(
            (*key, "table"),
            f"{dotted(key)}.table is {entry['table']}, the table of runs on the split {table}: "
            f"set it to {TABLE_OF_SPLIT[split]}, or move the run to words.runs.{table}.{name}",
        )
    model = section["model"] | entry.get("model", {})
    family, transition = model["family"], model["transition"]
    model_key = (*key, "model")
    check_read(model_key, entry, READ_BY_FAMILY.get(family, model), f"model.family {family}")
    if family != "state-space" and "estimator" in entry.get("training", {}):
        setting = (*key, "training", "estimator")
        raise Problem(setting, f"{dotted(setting)} has no effect for model.family {family}: remove it")
    if family == "state-space":
        where = model_key if "model" in entry else ("words", "model")
        if bool(model["masks"]) != (transition == "real-nvp"):
            needs = "needs" if transition == "real-nvp" else "takes no"
            raise Problem(where, f"{dotted(key)}: model.transition {transition} {needs} model.masks")
        if model["layers"] > 1 and transition != "tril":
            raise Problem(where, f"{dotted(key)}: model.layers must be 1 for model.transition {transition}")
        if model.get("resampling") and model["samples"] == 1:
            raise Problem(where, f"{dotted(key)}: model.resampling needs model.samples of more than 1")
        if any(mask >= model["dim"] for mask in model["masks"]):
            dim = model["dim"]
            raise Problem(where, f"{dotted(key)}: model.masks must be less than model.dim, which is {dim}")
