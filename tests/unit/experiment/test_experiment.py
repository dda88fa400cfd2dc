import json
from dataclasses import replace

import pytest

from plans import planned
from textlvm.experiment.experiment import Experiment


@pytest.fixture
def experiment(tmp_path):
    """Return a function that creates an experiment of planned entries, with results in `tmp_path`."""

    def make(*entries):
        config = {"pathvars": {"results": str(tmp_path)}}
        parts = {"papers": {}, "used": (), "corpora": {}, "origin": " ".join}
        return Experiment(config, planned=entries, **parts)

    return make


def write(path, content):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return path


def test_run_without_rows_is_in_no_table(experiment):
    shown = planned("TRIL")
    assert experiment(shown, replace(shown, name="own", rows=())).in_tables == [shown]


def test_failed_training_shared_by_data_sets_is_one_outcome(experiment, tmp_path):
    shared = {"paper": "sentences", "name": "smim", "trained_on": "everything", "seeds": (0, 1)}
    runs = [planned(corpus=name, dataset=name, **shared) for name in ("ptb", "yahoo")]
    failure = write(
        tmp_path / "sentences" / "everything" / "smim" / "seed0" / "checkpoint" / "failure.json",
        {"model": {}, "training": {}, "status": "failed"},
    )
    assert experiment(*runs).outcomes(runs) == [failure]


def test_metrics_are_the_outcome_of_a_finished_seed(experiment, tmp_path):
    run = planned(seeds=(0, 1))
    folder = tmp_path / run.path / "seed1"
    write(folder / "spec.json", {"model": {}, "training": {}})
    (folder / "metrics.json").write_text('{"settings": {"trajectories": null}}')
    assert experiment(run).outcomes([run]) == [folder / "metrics.json"]
