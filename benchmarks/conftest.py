"""Tables of pytest-benchmark results: processor seconds, floor and target."""

from collections.abc import Callable, Iterator

import pytest
from measure import show

Timed = Callable[..., None]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Iterator[list[dict[str, object]]]:
    """The rows of a module's table, printed and saved after its last test."""
    lines: list[dict[str, object]] = []
    yield lines
    show(request.module.__name__.rpartition("bench_")[2], lines)


@pytest.fixture
def timed(benchmark: object, rows: list[dict[str, object]]) -> Timed:
    """A function that times work and adds a row; `floor` and `target` are in seconds."""

    def time(what: str, work: Callable[[], object], rounds: int = 1, **columns: float) -> None:
        benchmark.pedantic(work, rounds=rounds, iterations=1)
        benchmark.extra_info |= columns
        measured = benchmark.stats.stats.min
        ratio = {"times the floor": measured / columns["floor"]} if "floor" in columns else {}
        rows.append({"what": what, **columns, "CPU seconds": measured, **ratio})

    return time
