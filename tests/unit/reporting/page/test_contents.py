"""The content of pages; that of an unfinished experiment has only results with the current settings."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from textlvm.experiment.experiment import Experiment
from textlvm.experiment.plan import Product, Row, Run
from textlvm.reporting.page import contents
from textlvm.reporting.page.plan import read_page_plan

SETTINGS = {"model": {"dim": 8}, "training": {"steps": 2}, "data": {}}
RUN = Run(
    **{"paper": "words", "corpus": "mine", "original": "bookscorpus", "name": "tril", "seeds": (0, 1)},
    place=(("mine", ()), ("standard", ())),
    rows=(Row(1, "TRIL"),),
    evaluation={"samples": 5},
    **SETTINGS,
)
HELPER = replace(RUN, name="helper", rows=())
FIGURE = Product("words", 1, "Mine", "words/mine/figure1", ("words/mine/standard/tril/seed0/curve.jsonl",))
TEXT = Product("words", 9, "Mine", "words/mine/table9", ("words/mine/standard/tril/seed1/texts.json",))


class WithProducts(Experiment):
    """An experiment with these figures and texts."""

    figures, texts = (FIGURE,), (TEXT,)


@pytest.fixture
def experiment(tmp_path):
    config = {"pathvars": {"results": str(tmp_path)}}
    papers = {"words": SimpleNamespace(further_files=frozenset({"further.json", "missing.json"}))}
    return WithProducts(config, papers, (), {}, (RUN, HELPER), lambda key: "config.yaml")


@pytest.fixture
def finish(tmp_path):
    """Writes the files of an evaluated seed; keywords override its settings."""

    def write(seed, **changes):
        folder = tmp_path / RUN.path / f"seed{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "spec.json").write_text(json.dumps(SETTINGS | changes))
        (folder / "metrics.json").write_text(json.dumps({"settings": RUN.evaluation}))
        (folder / "checkpoint").mkdir(exist_ok=True)
        for name in ("curve.jsonl", "texts.json"):
            (folder / name).write_text("")
        return folder

    return write


def partial_plan(experiment):
    """The plan of the page of an unfinished experiment."""
    return read_page_plan(json.loads(json.dumps(contents.finished_plan(experiment, ""))))


def partial_files(experiment):
    """The files on the page of an unfinished experiment."""
    return contents.files(experiment, contents.finished_plan(experiment, ""))


def touch(tmp_path, *names, at=None):
    """Write empty files, with the modification time `at`."""
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        if at is not None:
            os.utime(path, (at, at))


def test_complete_page_has_the_runs_of_tables_and_their_files(experiment):
    whole = contents.whole_plan(experiment, "snakemake", [f"{RUN.path}/seed1/further.json"])
    plan = read_page_plan(json.loads(json.dumps(whole)))
    assert [entry.name for entry in plan.planned] == ["tril"]
    assert plan.outcomes(plan.planned[0]) == {seed: RUN.metrics(seed) for seed in RUN.seeds}
    assert (plan.partial, plan.command, plan.results) == (False, "snakemake", str(experiment.results))
    assert (plan.figures, plan.texts) == ((replace(FIGURE, sources=()),), (replace(TEXT, sources=()),))
    folders = [f"{RUN.path}/seed{seed}" for seed in RUN.seeds]
    assert set(contents.files(experiment, whole)) == {
        *(
            f"{folder}/{file}"
            for folder in folders
            for file in ("metrics.json", "provenance.json", "spec.json", "curve.jsonl", "cost.json")
        ),
        *("words/mine/figure1.png", "words/mine/figure1.svg", "words/mine/table9.json"),
        f"{RUN.path}/seed1/further.json",
    }


def test_partial_page_has_no_results_of_unfinished_runs(experiment):
    plan = partial_plan(experiment)
    assert plan.partial
    assert plan.outcomes(plan.planned[0]) == {}
    assert plan.figures == plan.texts == ()
    assert partial_files(experiment) == []


def test_measured_and_failed_seeds_are_shown(experiment, finish, tmp_path):
    finish(0)
    failure = f"{RUN.training_path}/seed1/checkpoint/failure.json"
    touch(tmp_path, failure)
    (tmp_path / failure).write_text(json.dumps(SETTINGS | {"reason": "nan"}))
    plan = partial_plan(experiment)
    assert plan.outcomes(plan.planned[0]) == {0: RUN.metrics(0), 1: failure}
    files = partial_files(experiment)
    assert {RUN.metrics(0), f"{RUN.path}/seed0/curve.jsonl", failure} <= set(files)


def test_partial_page_has_existing_files_with_further_numbers(experiment, finish, tmp_path):
    file = f"{RUN.path}/seed1/further.json"
    touch(tmp_path, file)
    assert partial_plan(experiment).further == ()
    folder = finish(1)
    touch(tmp_path, file)
    assert partial_plan(experiment).further == (file,)
    assert file in partial_files(experiment)
    # The file is that of a previous training.
    touch(tmp_path, file, at=(folder / "spec.json").stat().st_mtime - 1)
    assert partial_plan(experiment).further == ()


def test_seed_with_other_settings_is_not_shown(experiment, finish):
    finish(0, model={"dim": 16})
    assert partial_plan(experiment).outcomes(RUN) == {}


def test_figure_is_shown_only_if_up_to_date(experiment, finish, tmp_path):
    forms = [f"{FIGURE.path}.{form}" for form in ("png", "svg")]
    folder = finish(0)
    assert not contents.is_up_to_date(experiment, FIGURE, "svg")
    touch(tmp_path, *forms)
    assert contents.is_up_to_date(experiment, FIGURE, "svg")
    assert [figure.number for figure in partial_plan(experiment).figures] == [1]
    assert f"{FIGURE.path}.svg" in partial_files(experiment)
    # The figure is older than its run.
    touch(tmp_path, *forms, at=(folder / "curve.jsonl").stat().st_mtime - 10)
    assert not contents.is_up_to_date(experiment, FIGURE, "svg")
    touch(tmp_path, *forms)
    finish(0, model={"dim": 16})
    touch(tmp_path, *forms)
    assert not contents.is_up_to_date(experiment, FIGURE, "svg")
    (folder / "curve.jsonl").unlink()
    finish(0)
    touch(tmp_path, forms[1])
    (tmp_path / forms[0]).unlink()
    assert partial_plan(experiment).figures == ()


def test_recorded_figure_needs_neither_svg_nor_sources(experiment, finish, tmp_path):
    folder = finish(0)
    (folder / "curve.jsonl").unlink()
    touch(tmp_path, f"{FIGURE.path}.png", at=1)
    shown = [FIGURE.number]
    # With a checkpoint, the run was trained here, and its curve is required.
    assert partial_plan(experiment).figures == ()
    (folder / "checkpoint").rmdir()
    assert [figure.number for figure in partial_plan(experiment).figures] == shown
    touch(tmp_path, f"{RUN.path}/seed0/curve.jsonl")
    assert [figure.number for figure in partial_plan(experiment).figures] == shown
    (folder / "spec.json").write_text(json.dumps(SETTINGS | {"model": {"dim": 16}}))
    assert partial_plan(experiment).figures == ()


def test_table_of_texts_is_shown_if_it_exists(experiment, finish, tmp_path):
    finish(1)
    touch(tmp_path, f"{TEXT.path}.json")
    assert [figure.number for figure in partial_plan(experiment).texts] == [9]
    assert f"{TEXT.path}.json" in partial_files(experiment)
