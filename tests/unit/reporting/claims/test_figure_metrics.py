import csv
import json
import math
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.estimate import normal
from textlvm.experiment.paper import PAPERS, load_all
from textlvm.reporting.claims import figure_metrics
from textlvm.runtime.errors import UserError
from textlvm.sentences.figure_metrics import SAMPLE

FIGURES = {
    name: metric
    for paper in load_all(PAPERS.iterdir()).values()
    for name, metric in paper.figure_metrics.items()
}


def measure(name, path):
    found = figure_metrics.measure(FIGURES[name], path)
    return None if found is None else found.value


def histograms(tmp_path, **content):
    path = tmp_path / "histograms.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_entropies_at_the_start_and_end_of_training(tmp_path):
    path = tmp_path / "curve.jsonl"
    entropies = [(0.1, 2.0), (0.7, 1.5), (1.2, 1.1)]
    lines = [{"step": 1, "loss": 9.0}]
    lines += [{"step": i, "loss": 9.0, "h_gap": gap, "h_expected": e} for i, (gap, e) in enumerate(entropies)]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in [*lines, {"step": 9, "loss": 8.0}]))
    found = [measure(f"{name}_{when}", path) for name in ("h_gap", "h_expected") for when in ("start", "end")]
    assert found == [0.1, 1.2, 2.0, 1.1]


def test_entropies_require_two_evaluations(tmp_path):
    path = tmp_path / "curve.jsonl"
    path.write_text(json.dumps({"step": 1, "h_gap": 0.1, "h_expected": 2.0}))
    assert measure("h_gap_start", path) is None
    path.write_text("")
    assert measure("h_gap_end", path) is None


def test_gap_at_a_position_is_averaged_over_trajectories_that_reach_it(tmp_path):
    path = tmp_path / "entropy.csv"
    rows = [(1, 0, 1.0), (1, 1, 2.0), (2, 1, 5.0), (8, 0, 3.0), (8, 1, 6.0), (10, 0, 99.0)]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["position", "trajectory", "h_gap"])
        writer.writerows(rows)
    assert measure("h_gap_at_1", path) == 1.5
    assert measure("h_gap_at_8", path) == 4.5
    assert measure("h_gap_sd_at_8", path) == pytest.approx(statistics.stdev([3, 6]))
    # Positions with fewer than two trajectories have no gap.
    assert measure("h_gap_at_2", path) is None
    assert measure("h_gap_at_4", path) is None


@settings(deadline=None)
@given(scores=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1))
def test_confused_is_the_share_of_sentences_in_the_wrong_order(scores, tmp_path_factory):
    same, other = map(list, zip(*scores, strict=True))
    pairs = {"log_p_same": same, "log_p_other": other, "log_q_same": other, "log_q_other": same}
    path = histograms(tmp_path_factory.mktemp("run"), pairs=pairs)
    assert measure("confused_log_p", path) == pytest.approx(statistics.fmean(o >= s for s, o in scores))
    assert measure("confused_log_q", path) == pytest.approx(statistics.fmean(s >= o for s, o in scores))


def test_confused_is_none_without_pairs(tmp_path):
    assert measure("confused_log_p", histograms(tmp_path, objective="ae")) is None


def test_bound_deviation_matches_repeated_sampling(tmp_path):
    """Compared with the paper's procedure: the bounds of many samples of a thousand sentences."""
    generator = random.Random(0)
    n = 1500
    nll = [generator.gauss(60, 15) for _ in range(n)]
    path = histograms(tmp_path, melbo=[-x - math.log(n) for x in nll])
    bounds = [statistics.fmean(generator.sample(nll, SAMPLE)) + math.log(SAMPLE) for _ in range(1500)]
    expected = statistics.stdev(bounds) / statistics.fmean(bounds)
    assert measure("bound_deviation", path) == pytest.approx(expected, rel=0.08)


def test_bound_deviation_is_none_for_small_test_sets(tmp_path):
    assert measure("bound_deviation", histograms(tmp_path, melbo=[-60.0] * SAMPLE)) is None
    assert measure("bound_deviation", histograms(tmp_path)) is None


@pytest.mark.parametrize("metric", FIGURES)
def test_missing_or_invalid_file_is_rejected(metric, tmp_path):
    path = tmp_path / FIGURES[metric].file
    with pytest.raises(UserError, match=f"cannot read '{metric}'"):
        measure(metric, path)
    path.write_text("[1, 2" if path.suffix != ".csv" else "a,b\n1,2\n3,4\n")
    with pytest.raises(UserError, match=f"cannot read '{metric}'.*recreate"):
        measure(metric, path)


def test_missing_function_is_named_with_its_file(tmp_path):
    metric = replace(FIGURES["h_gap_start"], function="textlvm.words.figure_metrics:first")
    message = r"words/paper\.yaml: figure_metrics\.h_gap_start: .* textlvm\.words\.figure_metrics:first"
    with pytest.raises(UserError, match=message):
        figure_metrics.measure(metric, tmp_path / "curve.jsonl")


def test_bound_is_the_minimum_over_priors_codes_and_neighbours(tmp_path):
    path = tmp_path / "likelihood.json"
    content = {
        "importance": {
            "normal": {"1": {"nll": 9.0}, "10": {"nll": 8.0}},
            "flow": {"1": {"nll": 7.0}},
        },
        "neighbours": {"100": {"1": {"nll": 7.5}}},
    }
    path.write_text(json.dumps(content))
    assert measure("nll_train_only", path) == 7.0
    content["neighbours"]["100"]["1"]["nll"] = 6.5
    path.write_text(json.dumps(content))
    assert measure("nll_train_only", path) == 6.5


def test_bound_has_the_interval_of_its_standard_error(tmp_path):
    path = tmp_path / "likelihood.json"
    priors = {"flow": {"1": {"nll": 7.0, "nll_error": 0.1}}}
    path.write_text(json.dumps({"importance": priors, "neighbours": {"9": {"1": {"nll": 8.0}}}}))
    for name in ("nll_train_only", "nll_flow_prior"):
        assert figure_metrics.measure(FIGURES[name], path) == normal(7.0, 0.1, "nats/sentence")
    assert figure_metrics.measure(FIGURES["nll_nearest_codes"], path) == normal(8.0, 0.0, "nats/sentence")


def test_bounds_have_the_most_samples_codes_and_neighbours(tmp_path):
    path = tmp_path / "likelihood.json"
    content = {
        "importance": {
            "normal": {"1": {"nll": 7.0}, "10": {"nll": 9.0}, "2": {"nll": 8.0}},
            "flow": {"1": {"nll": 6.0}},
        },
        "neighbours": {"9": {"1": {"nll": 1.0}}, "100": {"2": {"nll": 4.0}, "16": {"nll": 5.0}}},
        "codes": {"mutual_information": 2.5, "active_units": 3},
    }
    path.write_text(json.dumps(content))
    names = ("nll_normal_prior", "nll_flow_prior", "nll_nearest_codes", "mutual_information", "active_units")
    assert [measure(name, path) for name in names] == [9, 6, 5, 2.5, 3]
    # An autoencoder has no posterior.
    path.write_text(json.dumps(content | {"codes": {}}))
    assert [measure(name, path) for name in names] == [9, 6, 5, None, None]
