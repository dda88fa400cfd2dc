import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.estimate import Estimate, deviation, exact, pool

NUMBERS = st.floats(-100, 100, allow_nan=False)
WIDTHS = st.floats(0, 10, allow_nan=False)


@given(st.lists(NUMBERS, min_size=2, max_size=6))
def test_deviation_is_that_of_a_sample(values):
    assert deviation(values) == pytest.approx(statistics.stdev(values), abs=1e-6)


@given(st.lists(NUMBERS, min_size=1, max_size=6))
def test_pool_of_exact_values_is_their_exact_mean(values):
    pooled = pool([exact(v, "nats") for v in values])
    assert pooled.value == pytest.approx(statistics.mean(values), abs=1e-9)
    assert (pooled.low, pooled.high, pooled.unit) == (None, None, "nats")


@given(NUMBERS, WIDTHS, WIDTHS)
def test_pool_of_one_seed_returns_its_estimate(value, below, above):
    pooled = pool([Estimate(value, value - below, value + above, "nats")])
    assert pooled.value == value
    assert (pooled.low, pooled.high) == pytest.approx((value - below, value + above), abs=1e-9)


def test_pooled_interval_shrinks_and_keeps_its_offset():
    """Four seeds halve the width; the centre of the interval stays 0.3 above the value."""
    pooled = pool([Estimate(v, v + 0.1, v + 0.5, "nats") for v in (1.0, 2.0, 3.0, 4.0)])
    assert pooled.value == 2.5
    assert (pooled.low, pooled.high) == pytest.approx((2.5 + 0.3 - 0.1, 2.5 + 0.3 + 0.1))


def test_exact_seed_has_an_interval_of_width_zero():
    pooled = pool([Estimate(1.0, 0.8, 1.2, "nats"), exact(1.0, "nats")])
    assert (pooled.low, pooled.high) == pytest.approx((0.9, 1.1))


def test_pooled_interval_has_95_percent_coverage():
    """Simulation with the mean of three noisy evaluations."""
    generator = random.Random(0)
    errors = (0.5, 1.0, 2.0)
    hits = 0
    for _ in range(4000):
        found = [generator.gauss(0, e) for e in errors]
        pooled = pool(
            [Estimate(v, v - 1.96 * e, v + 1.96 * e, "nats") for v, e in zip(found, errors, strict=True)]
        )
        hits += pooled.low <= 0 <= pooled.high
    assert abs(hits / 4000 - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)
