"""Consistency checks of the configuration's section on the sentences paper."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from textlvm.experiment.paper import PAPERS, Paper, load
from textlvm.experiment.plan import PARTS
from textlvm.experiment.relations import check_label, check_read
from textlvm.runtime.errors import UserError, nearest
from textlvm.runtime.validation import Key, Problem, Section, dotted
from textlvm.sentences.data.dataset import parse
from textlvm.sentences.families import check_defaults, check_family, check_training

__all__ = ["MEASURED", "QUESTIONS", "TABLE_OF_DATASET", "check", "paper", "preparation"]

TABLE_OF_DATASET = {"ptb": 2, "yelp15": 3, "yahoo": 4, "wikitext-103": 5, "yahoocqa": 8}
"""The table of the runs that are evaluated on a data set."""

# The settings in `model` that an objective uses; autoencoders use all.
READ_BY_OBJECTIVE = {
    "lm": {"objective", "cell", "hidden", "embedding", "dropout"},
    "answers": {"objective", "hidden", "embedding", "dropout"},
}
AUTOENCODERS = ("smim", "svae", "ae")
QUESTIONS = "yahoocqa"
"""The data set of questions with ranked answers."""
WITH_BOUNDS = ("smim", "svae")
CODE_METRICS = {
    *("bleu1_eos", "bleu1_greedy", "bleu1_unmatched", "bleu1_words", "reconstruction", "parameters"),
    *("latent_entropy", "normal_entropy", "normal_entropy_estimated"),
}
BOUND_METRICS = {
    *("kld", "matching_samples", "nll", "ppl"),
    *(f"nll_{bound}" for bound in ("elbo", "melbo", "test_prior", "train_prior")),
    *(
        f"ppl_{bound}{of}"
        for bound in ("elbo", "melbo", "test_prior", "train_prior")
        for of in ("", "_per_word")
    ),
    *(f"{metric}_{bound}_eos" for metric in ("nll", "ppl") for bound in ("elbo", "melbo")),
}
MEASURED = {"ae": CODE_METRICS, **dict.fromkeys(WITH_BOUNDS, CODE_METRICS | BOUND_METRICS)}
"""The metrics of the evaluation, by objective."""
SETTING_BY_KIND = {
    "reconstructions": "reconstruct",
    "interpolations": "interpolate",
    "samples": "samples",
    "answers": "questions",
}
"""The setting of `qualitative` with the inputs of each kind of text."""


def check(section: Section) -> None:
    """Raises `Problem` for the first inconsistency."""
    datasets, runs = section["datasets"], section["runs"]
    check_defaults(section)
    for name, entry in datasets.items():
        key: Key = ("sentences", "datasets", name)
        if "corpus" in entry and "union" in entry:
            raise Problem(key, f"{dotted(key)} has both `corpus` and `union`: remove one of them")
        try:
            parse(({"format": "lines"} if "corpus" in entry else {}) | preparation(entry))
        except UserError as error:
            raise Problem(key, f"{dotted(key)}: {error}") from None
        for i, member in enumerate(entry.get("union", ())):
            if "corpus" not in datasets.get(member, {}) or member == QUESTIONS:
                members = [other for other, its in datasets.items() if "corpus" in its and other != QUESTIONS]
                valid = nearest(member, members)
                raise Problem((*key, "union", i), f"{dotted((*key, 'union'))} lists '{member}'; {valid}")
    labels: dict[tuple[Any, ...], str] = {}
    for dataset in runs:
        if dataset not in datasets:
            raise Problem(
                ("sentences", "runs", dataset),
                f"sentences.runs has '{dataset}', which is not a data set; {nearest(dataset, datasets)}",
            )
    for dataset, entries in runs.items():
        for name, entry in entries.items():
            _check_run(("sentences", "runs", dataset, name), entry, section)
            _check_evaluation(("sentences", "runs", dataset, name), entry, section)
            if "row" in entry:
                check_label(("sentences", "runs", dataset, name), (dataset, entry["row"]), labels)
    for name, table in section["collected"].items():
        _check_collected(("sentences", "collected", name), table, section)
    figures = section["figures"]
    _check_sentence_data_set(
        ("sentences", "figures", "pairs", "dataset"), figures["pairs"]["dataset"], section
    )
    for i, name in enumerate(figures["pairs"]["runs"]):
        key = ("sentences", "figures", "pairs", "runs", i)
        _check_shown_run(key, figures["pairs"]["dataset"], name, section, WITH_BOUNDS)
    for dataset, shown in figures["samples"].items():
        key = ("sentences", "figures", "samples", dataset)
        _check_sentence_data_set(key, dataset, section)
        _check_shown_run((*key, "run"), dataset, shown["run"], section, WITH_BOUNDS)
        _check_shown_run((*key, "reference"), dataset, shown["reference"], section, ("lm", *WITH_BOUNDS))
    for dataset, names in figures["bounds"].items():
        for i, name in enumerate(names):
            key = ("sentences", "figures", "bounds", dataset, i)
            _check_shown_run(key, dataset, name, section, WITH_BOUNDS)
    for name, table in section["texts"].items():
        _check_texts(("sentences", "texts", name), table, section)


def preparation(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a data set's entry that `textlvm.sentences.data.dataset` uses."""
    return {key: value for key, value in entry.items() if key not in ("row", "qualitative", *PARTS)}


def _check_run(key: Key, entry: Section, section: Section) -> None:
    """Check that a run is consistent with its data set and with the data set of its training."""
    *_, dataset, name = map(str, key)
    if name == "data":
        raise Problem(
            key, f"{dotted(key)}: 'data' is the folder of the prepared data set: choose another name"
        )
    if "row" in entry and dataset not in TABLE_OF_DATASET:
        raise Problem((*key, "row"), f"{dotted(key)}.row: no table has rows of '{dataset}': remove it")
    if "trained_on" not in entry:
        objective = _objective(dataset, name, section)
        if (objective == "answers") != (dataset == QUESTIONS):
            kind = "for" if objective == "answers" else "not for"
            raise Problem(
                key,
                f"{dotted(key)}: model.objective {objective} is {kind} questions with ranked answers, "
                f"which only {QUESTIONS} has",
            )
        if "family" in entry.get("model", {}):
            check_family((*key, "model"), entry, objective)
        else:
            read: Collection[str] = READ_BY_OBJECTIVE.get(objective, section["model"].keys())
            check_read((*key, "model"), entry, read, f"model.objective {objective}")
        check_training(key, entry, objective)
        return
    for part in ("model", "training", "seeds"):
        if part in entry:
            raise Problem(
                (*key, part), f"{dotted((*key, part))} has no effect in a run with `trained_on`: remove it"
            )
    trained = section["runs"].get(entry["trained_on"], {})
    if name not in trained or "trained_on" in trained[name]:
        valid = [
            other
            for other, runs in section["runs"].items()
            if "trained_on" not in runs.get(name, {"trained_on": 0})
        ]
        place: Key = (*key, "trained_on")
        if not valid:
            raise Problem(
                place,
                f"{dotted(place)} evaluates a run of another data set, but no other data set has a run "
                f"'{name}': use the name of that run, or remove `trained_on` to train it here",
            )
        raise Problem(
            place,
            f"{dotted(place)} is '{entry['trained_on']}', where no run '{name}' is trained; "
            f"{nearest(entry['trained_on'], valid)}",
        )
    _check_trained_on(key, entry["trained_on"], section)


def _check_evaluation(key: Key, entry: Section, section: Section) -> None:
    """Check that entropies are estimated from more codes than neighbours."""
    dataset = str(key[-2])
    settings = {
        (*key, "evaluation"): entry.get("evaluation", {}),
        ("sentences", "datasets", dataset, "evaluation"): section["datasets"][dataset].get("evaluation", {}),
        ("sentences", "evaluation"): section["evaluation"],
    }
    codes, neighbours = (
        next((value[name], place) for place, value in settings.items() if name in value)
        for name in ("entropy_codes", "entropy_neighbours")
    )
    if codes[0] <= neighbours[0]:
        place = min(codes[1], neighbours[1], key=list(settings).index)
        raise Problem(
            place,
            f"{dotted(codes[1])}.entropy_codes is {codes[0]}, but must exceed entropy_neighbours, which is "
            f"{neighbours[0]} for {dotted(key)}",
        )


def _check_trained_on(key: Key, trained_on: str, section: Section) -> None:
    """Check that a run can be evaluated on a data set that it was not trained on.

    The likelihood of sentences depends on the vocabulary, and only the vocabulary of a union contains those
    of its data sets. An autoencoder can rank answers with any vocabulary.
    """
    *_, dataset, name = map(str, key)
    place: Key = (*key, "trained_on")
    if dataset == QUESTIONS:
        objective = _objective(dataset, name, section)
        if objective not in AUTOENCODERS:
            raise Problem(
                place,
                f"{dotted(place)} is '{trained_on}', where run '{name}' has model.objective {objective}, "
                f"which cannot rank answers: choose a run with {' or '.join(AUTOENCODERS)}",
            )
        return
    union = section["datasets"][trained_on].get("union")
    if union is None:
        raise Problem(
            place,
            f"{dotted(place)} is '{trained_on}', but a run that is evaluated on {dataset} must be trained "
            "on it or on a union that contains it: name such a union, or remove `trained_on` to train the "
            "run here",
        )
    if dataset not in union:
        place = ("sentences", "datasets", trained_on, "union")
        raise Problem(
            place,
            f"{dotted(place)} does not list '{dataset}', on which {dotted(key)} is evaluated: list it, or "
            "set `trained_on` of that run to another union",
        )


def _check_collected(key: Key, table: Section, section: Section) -> None:
    """Check that the table's metric is computed for the runs in its rows."""
    for label, row in table["rows"].items():
        metric = row.get("metric", table["metric"])
        metric = paper().compared.get(metric, metric)
        place: Key = (*key, "rows", label, "metric") if "metric" in row else (*key, "metric")
        for dataset, name in row["runs"].items():
            of_run: Key = (*key, "rows", label, "runs", dataset)
            _check_sentence_data_set(of_run, dataset, section)
            _check_shown_run(of_run, dataset, name, section, AUTOENCODERS)
            measured = MEASURED[_objective(dataset, name, section)]
            if metric not in measured:
                raise Problem(
                    place,
                    f"{dotted(place)} is '{metric}', which is not computed for '{name}' on {dataset}; "
                    f"{nearest(metric, measured)}",
                )


@cache
def paper() -> Paper:
    """The paper's metadata."""
    return load(PAPERS / "sentences")


def _check_texts(key: Key, shown: Section, section: Section) -> None:
    """Check that a table of texts has suitable runs and inputs."""
    kind, dataset = paper().texts[int(str(key[-1]).removeprefix("table"))].kind, shown["dataset"]
    _check_sentence_data_set((*key, "dataset"), dataset, section)
    objectives = AUTOENCODERS if kind == "reconstructions" else WITH_BOUNDS
    for i, name in enumerate(shown["runs"]):
        _check_shown_run((*key, "runs", i), dataset, name, section, objectives)
    if not any(_objective(dataset, name, section) in WITH_BOUNDS for name in shown["runs"]):
        raise Problem(
            (*key, "runs"),
            f"{dotted(key)}.runs has only autoencoders, which the table does not show: add a run with "
            f"model.objective {' or '.join(WITH_BOUNDS)}",
        )
    if kind not in SETTING_BY_KIND:
        return
    setting, overrides = SETTING_BY_KIND[kind], section["datasets"][dataset].get("qualitative", {})
    if not {**section["qualitative"], **overrides}[setting]:
        place: Key = ("datasets", dataset, "qualitative") if setting in overrides else ("qualitative",)
        place = ("sentences", *place, setting)
        raise Problem(
            place,
            f"{dotted(place)} is empty, but {dotted(key)} shows {kind} on {dataset}: add some",
        )


def _check_sentence_data_set(key: Key, dataset: str, section: Section) -> None:
    """Check that a data set consists of sentences; on questions, models only rank answers."""
    fitting = section["datasets"].keys() - {QUESTIONS}
    if dataset not in fitting:
        raise Problem(
            key, f"{dotted(key)}: '{dataset}' is not a data set of sentences; {nearest(dataset, fitting)}"
        )


def _check_shown_run(key: Key, dataset: str, name: str, section: Section, objectives: Sequence[str]) -> None:
    """Check that a table or figure shows a suitable run on the data set."""
    fitting = [
        run for run in section["runs"].get(dataset, {}) if _objective(dataset, run, section) in objectives
    ]
    if name not in fitting:
        raise Problem(
            key,
            f"{dotted(key)} names '{name}', but must name a run on {dataset} with model.objective "
            f"{' or '.join(objectives)}; {nearest(name, fitting)}",
        )


def _objective(dataset: str, name: str, section: Section) -> str:
    """The effective objective of a run."""
    entry = section["runs"][dataset][name]
    if "trained_on" in entry:
        dataset = entry["trained_on"]
        entry = section["runs"].get(dataset, {}).get(name, {})
    model = section["model"] | section["datasets"].get(dataset, {}).get("model", {}) | entry.get("model", {})
    return str(model["objective"])
