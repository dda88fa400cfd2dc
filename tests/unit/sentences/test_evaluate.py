import argparse
import dataclasses
import json
import math
import statistics

import numpy as np
import pytest
import torch

from sentence_specs import EVALUATION, LIKELIHOOD
from textlvm.experiment.paper import PAPERS, load
from textlvm.reporting.runs import read_result
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json
from textlvm.sentences import evaluate, explore, qualitative
from textlvm.sentences.data.prepare import prepare
from textlvm.sentences.marginal import __main__ as marginal
from textlvm.sentences.models.autoencoder import build
from textlvm.sentences.relations import MEASURED
from textlvm.training.checkpoint import save_weights

SETTINGS = EVALUATION | {"repeats": 3}
QUALITATIVE = {
    **{"seed": 0, "decoding": "sample", "max_length": 6, "samples": 2, "sigma": 0.1},
    **{"reconstruct": [2, "Red red, unheard!"], "perturbation": 10},
    **{"interpolate": [[0, 1], ["red", 3]], "steps": 5},
    **{"questions": [4, "what is red"], "answers": {"short": 2, "long": 4}},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Prepared data sets: two of sentences with labels, their union, and questions."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    words = ["red", "green", "blue", "what", "is", "?", "very"]
    for name in ("one", "two"):
        lines = []
        for _ in range(40):
            text = " ".join(rng.choice(words, rng.integers(2, 7)))
            lines.append(f"{rng.choice(['good', 'bad'])}\t{text} {name}")
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        splits = {split: {"of": "train", "draw": 12} for split in ("train", "valid", "test")}
        settings = {"corpus": name, "format": "labelled", "splits": splits}
        prepare(name, settings, {"train": folder / f"{name}.txt"}, folder / name)
    sources = {name: folder / name for name in ("one", "two")}
    prepare("both", {"union": ["one", "two"]}, sources, folder / "both")
    rows = [
        f"what is {word} #{answer}#{int(right)}"
        for word in ("red", "green", "blue", "very red", "very blue", "very green")
        for answer, right in ((f"{word} is one", True), ("is is", False))
    ]
    (folder / "qa.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    splits = {split: {"of": "train", "draw": 2} for split in ("train", "valid", "test")}
    settings = {"corpus": "qa", "format": "triples", "splits": splits}
    prepare("questions", settings, {"train": folder / "qa.txt"}, folder / "questions")
    return folder


@pytest.fixture
def trained(data, tmp_path, model_spec):
    """A function that writes the folder of a run with random weights."""

    def write(dataset="one", **changes):
        torch.manual_seed(1)
        spec = model_spec(**changes)
        vocabulary = len((data / dataset / "vocabulary.tsv").read_text().splitlines()) - 1
        run = tmp_path / dataset / spec.objective
        run.mkdir(parents=True)
        save_weights(run / "model.safetensors", build(spec, vocabulary))
        name = f"sentences/{dataset}/{spec.objective}-5"
        settings = json.loads((data / dataset / "statistics.json").read_text())["settings"]
        entries = {"name": name, "seed": 7, "data": settings, "model": dataclasses.asdict(spec)}
        write_json(run / "spec.json", entries)
        return run

    return write


def options(data, run, dataset="one", **changes):
    defaults = {"settings": SETTINGS, "member": None, "questions": None, "out": run / "metrics.json"}
    return argparse.Namespace(data=data / dataset, run=run, corpora=[], gpus=1, **defaults | changes)


def measure(*arguments, **changes):
    chosen = options(*arguments, **changes)
    evaluate.main(chosen)
    return json.loads(chosen.out.read_text()), json.loads((chosen.out.parent / "histograms.json").read_text())


@pytest.mark.parametrize("objective", ["smim", "svae", "ae", "lm"])
def test_run_is_evaluated_on_its_test_set(data, trained, objective):
    run = trained(objective=objective)
    result, histograms = measure(data, run)
    read = read_result(run / "metrics.json")
    assert (read.paper, read.corpus, read.split, read.seed) == ("sentences", "one", "standard", 7)
    assert (result["dataset"], result["run"]) == ("one", f"{objective}-5")
    assert read.metrics["parameters"].value > 0.0005
    assert histograms["objective"] == objective
    metrics = result["metrics"]
    if objective in ("smim", "svae"):
        assert {"nll_elbo", "ppl_melbo", "nll_train_prior", "bleu1_eos", "latent_entropy"} <= metrics.keys()
        assert len(histograms["elbo"]) == 12
        difference = metrics["nll_elbo"]["value"] - metrics["nll_melbo"]["value"]
        assert difference == pytest.approx(metrics["kld"]["value"] - math.log(12), abs=1e-9)
        assert metrics["nll_elbo"]["repeat_sd"] > 0
        assert "repeat_sd" not in metrics["kld"]
    assert ("nll" in metrics) == (objective == "lm")
    assert ("pairs" in histograms) == (objective in ("smim", "svae"))


@pytest.mark.parametrize("objective", MEASURED)
def test_measured_lists_exactly_the_computed_metrics(data, trained, objective):
    settings = SETTINGS | {"reference_ppl": 40, "as_quoted": True}
    result, _ = measure(data, trained(objective=objective), settings=settings)
    assert result["metrics"].keys() == MEASURED[objective]


def test_evaluation_is_deterministic(data, trained):
    run = trained()
    assert measure(data, run) == measure(data, run)


def test_run_trained_on_union_is_evaluated_on_a_member(data, trained):
    run = trained("both")
    result, _ = measure(data, run, "both", member=data / "two")
    assert (result["dataset"], result["corpus"], result["run"]) == ("two", "two", "smim-5")
    other, _ = measure(data, run, "both", member=data / "one")
    assert other["metrics"]["nll_elbo"] != result["metrics"]["nll_elbo"]
    with pytest.raises(UserError, match="no part 'questions'"):
        measure(data, run, "both", member=data / "questions")


def test_likelihood_of_run_trained_on_union_is_that_of_a_member(data, trained, tmp_path):
    run = trained("both")
    found = {}
    for member in (None, data / "one", data / "two"):
        out = tmp_path / "likelihood.json"
        marginal.main(options(data, run, "both", member=member, settings=LIKELIHOOD, out=out))
        written = json.loads(out.read_text())
        # The bound by the nearest code is the only one without random numbers.
        found[member] = written["neighbours"]["24"]["1"]["nll"]
        assert (written["run"], written["objective"]) == ("sentences/both/smim-5", "smim")
    # The union's test set consists of those of its members, which have the same size.
    assert found[None] == pytest.approx((found[data / "one"] + found[data / "two"]) / 2)
    assert found[data / "one"] != pytest.approx(found[data / "two"], abs=0.01)


@pytest.mark.parametrize(("dataset", "objective"), [("one", "smim"), ("one", "ae"), ("questions", "answers")])
def test_evaluation_on_questions_ranks_answers(data, trained, dataset, objective):
    run = trained(dataset, objective=objective)
    result, _ = measure(data, run, dataset, questions=data / "questions")
    assert result["dataset"] == "questions"
    metrics = result["metrics"]
    assert set(metrics) == {"p_at_1", "mrr", "parameters"}
    assert 0 <= metrics["p_at_1"]["value"] <= metrics["mrr"]["value"] <= 1
    assert ("repeat_sd" in metrics["mrr"]) == (objective == "smim")


def test_inconsistent_options_are_rejected(data, trained, tmp_path):
    run = trained()
    with pytest.raises(UserError, match=r"trained on 'one', .*'two'; give the data set of the run"):
        measure(data, run, "two")
    splits = {split: {"of": "train", "draw": 10} for split in ("train", "valid", "test")}
    settings = {"corpus": "two", "format": "labelled", "splits": splits}
    prepare("one", settings, {"train": data / "two.txt"}, tmp_path / "data" / "one")
    with pytest.raises(
        UserError, match=r"with other settings than .*one has \(corpus, splits\); give the data set"
    ):
        measure(tmp_path / "data", run)
    with pytest.raises(UserError, match="contains no trained run"):
        measure(data, tmp_path, out=tmp_path / "metrics.json")
    spec = json.loads((run / "spec.json").read_text())
    write_json(run / "spec.json", spec | {"name": "mine"})
    with pytest.raises(UserError, match="name 'mine' is not of the form sentences/<data set>/<run>; train"):
        measure(data, run)
    write_json(run / "spec.json", spec)
    with pytest.raises(UserError, match="EvaluationSpec: the setting 'repeats' is missing"):
        measure(data, run, settings={})
    with pytest.raises(UserError, match="no latent codes; choose a run of smim"):
        measure(data, trained(objective="lm"), questions=data / "questions")


def test_missing_pretrained_model_gives_status_failed(data, trained, tmp_path, caplog):
    run = trained(objective="lm", family="pretrained", path=str(tmp_path / "nowhere"))
    result, histograms = measure(data, run)
    read = read_result(run / "metrics.json")
    assert (read.failed, read.dataset, read.run, read.seed) == (True, "one", "lm-5", 7)
    assert read.reason.endswith("Snakemake again")
    assert result["settings"] == SETTINGS
    assert histograms == {}
    assert (run / "provenance.json").exists()
    assert read.reason in caplog.text


def test_metric_is_the_mean_of_its_repeats():
    values = [10.0, 12.0, 11.0, 15.0]
    entry = evaluate.to_json("ppl_melbo", values)
    assert entry["value"] == 12
    assert entry["unit"] == "per word"
    assert entry["repeat_sd"] == pytest.approx(statistics.stdev(values))
    # Student's quantile with three degrees of freedom.
    assert entry["high"] - entry["value"] == pytest.approx(3.182 * statistics.stdev(values) / 2, rel=1e-3)
    exact = {"value": 2.0, "low": None, "high": None, "unit": "nats/sentence"}
    assert evaluate.to_json("kld", [2.0]) == exact


def test_infinite_metric_is_left_out(data, trained, monkeypatch, caplog):
    def infinite(*_):
        return evaluate.EvaluationResult({"ppl_elbo": [math.inf, 1.0], "kld": [1.0]}, {})

    monkeypatch.setattr(evaluate.measures, "latent_variable_model", infinite)
    result, _ = measure(data, trained())
    assert result["metrics"].keys() == {"kld", "parameters"}
    assert "ppl_elbo is too large" in caplog.text


def test_qualitative_output_has_the_named_sentences(data, trained):
    run = trained()
    chosen = options(data, run, settings=QUALITATIVE, out=run / "qualitative.json")
    qualitative.main(chosen)
    first = json.loads(chosen.out.read_text())
    qualitative.main(chosen)
    assert json.loads(chosen.out.read_text()) == first
    by_number, typed = first["reconstructions"]
    assert by_number["label"] in ("good", "bad")
    assert by_number["sentence"].endswith("one")
    assert typed["sentence"] == "red red , unheard !"
    assert {"mean", "sample", "perturbed"} <= typed.keys()
    assert [len(entry["steps"]) for entry in first["interpolations"]] == [5, 5]
    assert first["interpolations"][1]["start"] == "red"
    assert len(first["samples"]) == 2
    for entry in first["answers"]:
        assert list(entry["answers"]) == ["short", "long"]
        assert not any("<unk>" in answer for answer in entry["answers"].values())
    assert "?" not in first["answers"][0]["question"][:-1]
    with pytest.raises(UserError, match="no test sentence 12; they are 0 to 11"):
        qualitative.main(options(data, run, settings=QUALITATIVE | {"reconstruct": [12]}))


def test_kinds_of_text_have_independent_random_numbers(data, trained):
    run = trained()
    shown = []
    for changes in ({}, {"reconstruct": [], "questions": []}):
        chosen = options(data, run, settings=QUALITATIVE | changes, out=run / "qualitative.json")
        qualitative.main(chosen)
        shown.append(json.loads(chosen.out.read_text()))
    assert shown[0]["samples"] == shown[1]["samples"]
    assert shown[0]["interpolations"] == shown[1]["interpolations"]
    assert shown[1]["reconstructions"] == shown[1]["answers"] == []


def test_autoencoder_has_only_reconstructions_of_means(data, trained):
    run = trained(objective="ae")
    chosen = options(data, run, settings=QUALITATIVE, out=run / "qualitative.json")
    qualitative.main(chosen)
    result = json.loads(chosen.out.read_text())
    assert not result.keys() & {"samples", "interpolations", "answers"}
    assert all(row.keys() == {"sentence", "label", "mean"} for row in result["reconstructions"])


def explore_output(data, run, capsys, *arguments):
    parsed = explore._arguments().parse_args(
        ["--run", str(run), "--data", str(data / "one"), "--max-length", "6", *arguments]
    )
    explore.main(parsed)
    return capsys.readouterr()


def test_explore_processes_typed_sentences(data, trained, capsys):
    run = trained()
    shown = explore_output(data, run, capsys, "reconstruct", "Red, very green!")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["mean", "sample", "perturbed"]
    assert shown.err == "not in the vocabulary: , !\n"
    assert shown.out == explore_output(data, run, capsys, "reconstruct", "Red, very green!").out
    assert len(explore_output(data, run, capsys, "interpolate", "red", "blue").out.splitlines()) == 10
    assert len(explore_output(data, run, capsys, "sample", "--count", "3").out.splitlines()) == 3
    answers = explore_output(data, run, capsys, "answer", "what is red").out.splitlines()
    assert [line.split()[0] for line in answers] == ["short", "medium", "long"]
    with pytest.raises(UserError, match="no words"):
        explore_output(data, run, capsys, "reconstruct", " ")
    with pytest.raises(UserError, match="no latent codes"):
        explore_output(data, trained(objective="lm"), capsys, "sample")


def test_units_agree_with_paper_yaml():
    declared = load(PAPERS / "sentences").metrics
    assert {name: declared[name].unit for name in evaluate.UNITS} == evaluate.UNITS
    assert set().union(*MEASURED.values()) <= set(evaluate.UNITS)
