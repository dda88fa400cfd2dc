import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.experiment.serialization import from_json
from textlvm.reporting.page.plan import read_page_plan
from textlvm.reporting.page.runs import read_curve, read_runs, thinned
from textlvm.runtime.errors import UserError

PRIORS = ("normal", "gaussian", "mixture", "flow", "aggregated")
VALUES = st.lists(st.floats(-1e6, 1e6), max_size=200)


@pytest.fixture
def section(experiment, papers):
    """Reads the section of the run with a name; keywords change its entry."""

    def read(name, **changes):
        experiment.entry(name).update(changes)
        runs = read_runs(read_page_plan(experiment.plan), papers)
        return next(run for run in runs if run.entry.name == name)

    return read


@given(values=VALUES, points=st.integers(1, 50))
def test_thinned_curve_keeps_its_last_step_and_range(values, points):
    steps = list(range(10, 10 * len(values) + 10, 10))
    short, means = thinned(steps, values, points)
    assert len(short) == len(means) <= points
    assert short[-1:] == steps[-1:]
    assert short == sorted(set(short))
    for mean in means:
        assert min(values) - 1e-3 * abs(min(values)) <= mean <= max(values) + 1e-3 * abs(max(values))


@given(values=st.lists(st.integers(-999, 999), max_size=50))
def test_short_curve_is_unchanged(values):
    assert thinned(list(range(len(values))), values, 50) == (list(range(len(values))), values)


def test_curve_has_quantities_at_their_recorded_steps(tmp_path):
    path = tmp_path / "curve.jsonl"
    lines = [{"step": 1, "loss": 3.0, "learning_rate": 1}, {"step": 2, "loss": 2.0, "validation_loss": 4.0}]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_curve(path, ["loss", "validation_loss"]) == {
        "loss": ([1, 2], [3.0, 2.0]),
        "validation_loss": ([2], [4.0]),
    }
    path.write_text('{"step": 1, "loss": NaN}\n{"step": 2, "loss": 1}\n')
    assert read_curve(path, ["loss"]) == {"loss": ([2], [1.0])}
    path.write_text("")
    assert read_curve(path, ["loss"]) == {}


@pytest.mark.parametrize("text", ["no JSON", '{"loss": 1}', "[1]", '{"step": 1, "loss": "x"}'])
def test_damaged_curve_is_rejected(tmp_path, text):
    path = tmp_path / "curve.jsonl"
    path.write_text(text)
    with pytest.raises(UserError, match=r"curve.jsonl is not a training curve \(.*\); .* training the run"):
        read_curve(path, ["loss"])


def test_section_has_metrics_settings_costs_and_curves(section):
    run = section("tril")
    assert run.state == "done"
    assert run.metrics[0] == ("ce_train", "nats/word", ("11.9", "11.91", "11.92"))
    assert [step for (step, _), _ in run.settings] == ["training", "evaluation"]
    assert "dim: 8" in run.settings[0][1]
    assert "trajectories: 4096" in run.settings[1][1]
    assert run.costs[2]["seconds"] == 3.5
    assert [chart.quantities for chart in run.charts] == [("loss",), ("h_marginal", "h_expected", "h_gap")]
    assert len(run.curves[0]["loss"][0]) == 300
    assert run.curves[0]["loss"][0][-1] == 900


def test_section_has_numbers_from_other_files_of_the_plan(section, experiment):
    entry = experiment.entry("smim-512")
    path = f"{from_json(entry).path}/seed0/likelihood.json"
    content = {
        "importance": {prior: {"1": {"nll": 7.25, "nll_error": 0.1}} for prior in PRIORS},
        "neighbours": {"9": {"1": {"nll": 7.0}}},
        "codes": {"active_units": 3},
    }
    experiment.write(path, content)
    assert "active_units" not in {name for name, *_ in section("smim-512").metrics}
    experiment.plan["further"] = [path]
    found = {name: (unit, values) for name, unit, values in section("smim-512").metrics}
    missing = ["–"] * (len(entry["seeds"]) - 1)
    assert found["active_units"] == ("dimensions", ("3", *missing))
    assert found["nll_flow_prior"][1][0] == "7.25"
    assert found["mutual_information"][1][0] == "–"
    # Only claims use metrics without a heading.
    assert "confused_log_p" not in found


def test_states_of_runs(section, experiment):
    assert section("tril-k5").state == "failed"
    assert section("tril-k5").reasons == ("the loss became nan <&>",)
    assert section("diag").state == "not run"
    del experiment.plan["known"]["words/mine/standard/tril"]["1"]
    assert section("tril").state == "2 of 3 seeds"
    assert section("data").state == "done"


def test_commands_recreate_weights_or_metrics(section, experiment):
    experiment.plan["results"] = "my results"
    folder = experiment.folder.rename(experiment.folder.with_name("my results"))
    experiment.plan["results"] = str(folder)
    at = f"'{folder}'"
    table = f"-- {at}/table1.csv"
    weights = f"{at}/words/mine/standard/tril/seed{{0,1,2}}/model.safetensors"
    assert section("tril").command == f"snakemake --cores all --forcerun {weights} {table}"
    assert section("data").command.endswith(f"--forcerun {at}/sentences/ptb/data/statistics.json {table}")
    without_rows = section("mine", rows=[])
    assert without_rows.command.endswith(f"/mine/seed0/model.safetensors -- {at}/index.html")
    assert without_rows.logs[0] == f"{folder}/logs/words/mine/standard/mine/seed0/train.log"
    # A model that was trained on another data set is only evaluated again.
    experiment.plan["known"]["sentences/ptb/smim-512"] = {}
    elsewhere = section("smim-512", trained_on="everything")
    assert "/sentences/ptb/smim-512/seed{0,1,2}/metrics.json --" in elsewhere.command
    assert elsewhere.logs[0] == f"{folder}/logs/sentences/everything/smim-512/seed0/train.log"


def test_origins_are_read_from_the_provenance_file(section, experiment):
    assert (section("tril").origins, section("tril").record) == ({}, "")
    process = {
        "git": {"commit": "0123456789abcdef", "dirty": True},
        "machine": {"cpu": "a CPU"},
        "ended": "2026-01-02T03:04:05.678+00:00",
        "peak_memory_mib": 1234,
    }
    record = {"training": process, "evaluation": {"git": None, "gpu": {"name": "a GPU"}}}
    experiment.write("words/mine/standard/tril/seed0/provenance.json", record)
    assert section("tril").origins == {
        "training, seed 0": "commit 0123456789ab with local changes, a CPU, ended 2026-01-02 03:04 UTC, "
        "peak memory 1,234 MiB",
        "evaluation, seed 0": "a GPU",
    }
    assert section("tril").record.endswith("/words/mine/standard/tril/seed0/provenance.json")


def test_curve_and_cost_are_optional_but_settings_are_required(section, experiment):
    (experiment.folder / "words/mine/standard/tril/seed1/curve.jsonl").unlink()
    (experiment.folder / "words/mine/standard/tril/seed1/cost.json").unlink()
    run = section("tril")
    assert list(run.curves) == list(run.costs) == [0, 2]
    experiment.write("words/mine/standard/tril/seed0/spec.json", "{")
    with pytest.raises(UserError, match=r"cannot read .*seed0/spec.json \(.*\): .*--force .*spec.json`"):
        section("tril")
