import math
from dataclasses import replace

import pytest

import plans
from textlvm.estimate import Estimate, exact
from textlvm.reporting.draws import over_draws
from textlvm.reporting.runs import Result

FIRST = plans.planned("TRIL", table=2, split="unseen", draw_of="unseen", seeds=(0, 1))
SECOND = replace(FIRST, split="unseen-7", seeds=(0,))
STANDARD = plans.planned("TRIL")


def result(entry, seed, **metrics):
    return Result(
        *("words", entry.corpus, entry.split, entry.name),
        seed=seed,
        path=f"{entry.split}/{seed}",
        metrics=metrics,
    )


def test_each_draw_is_one_result_with_the_mean_over_its_seeds():
    results = {
        FIRST.key: [
            result(FIRST, 0, ce=Estimate(1.0, 0.7, 1.3, "nats")),
            result(FIRST, 1, ce=Estimate(3.0, 2.6, 3.4, "nats")),
        ],
        SECOND.key: [result(SECOND, 0, ce=exact(5.0, "nats"))],
        STANDARD.key: [result(STANDARD, 0, ce=exact(9.0, "nats"))],
    }
    plan, found = over_draws([STANDARD, FIRST, SECOND], results)
    assert [entry.key for entry in plan] == [STANDARD.key, FIRST.key]
    assert plan[1].seeds == (0, 1)
    first, second = found[FIRST.key]
    assert (first.seed, first.metrics["ce"].value) == (0, 2.0)
    # The errors of the two seeds are independent.
    half = math.hypot(0.3, 0.4) / 2
    assert first.metrics["ce"].low == pytest.approx(2 - half)
    assert (second.seed, second.split, second.metrics["ce"]) == (1, "unseen", exact(5.0, "nats"))
    assert (first.path, first.further_paths) == ("unseen/0", ("unseen/1",))
    assert first.settings["draws"] == second.settings["draws"] == 2
    assert found[STANDARD.key] == results[STANDARD.key]


def test_draw_without_results_is_omitted_and_failed_draw_is_kept():
    failed = replace(result(SECOND, 0), failed=True, reason="loss becomes NaN")
    _, found = over_draws([FIRST, SECOND], {SECOND.key: [failed]})
    (only,) = found[FIRST.key]
    assert (only.seed, only.failed, only.reason) == (1, True, "loss becomes NaN")


def test_missing_seeds_of_a_draw_are_counted_in_the_reason():
    group = [result(FIRST, 0, ce=exact(1.0, "nats")), result(FIRST, 1, other=exact(2.0, "nats"))]
    _, found = over_draws([FIRST, SECOND], {FIRST.key: group})
    metrics = found[FIRST.key][0].metrics
    assert {name: estimate.value for name, estimate in metrics.items()} == {"ce": 1, "other": 2}
    _, found = over_draws([FIRST, SECOND], {FIRST.key: group[:1]})
    assert found[FIRST.key][0].reason == "1 of 2 seeds"


def test_draws_of_different_runs_are_not_merged():
    other = replace(SECOND, name="other")
    plan, _ = over_draws([FIRST, replace(FIRST, name="other"), other], {})
    assert [(entry.name, len(entry.seeds)) for entry in plan] == [("TRIL", 1), ("other", 2)]


def test_seeds_of_a_single_draw_are_one_value():
    group = [result(FIRST, seed, ce=exact(value, "nats")) for seed, value in enumerate((1.0, 3.0))]
    plan, found = over_draws([FIRST], {FIRST.key: group})
    (only,) = found[FIRST.key]
    assert (only.metrics["ce"].value, only.settings["draws"], plan[0].seeds) == (2.0, 1, (0,))
