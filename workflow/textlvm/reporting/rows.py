"""The results of one row: means and spreads over seeds, and their comparison with printed values."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from textlvm.estimate import deviation, pool
from textlvm.experiment.paper import Paper
from textlvm.experiment.plan import Planned, Row
from textlvm.reporting.cells import Provenance
from textlvm.reporting.published import Published
from textlvm.reporting.runs import Result
from textlvm.reporting.spread import PooledSpread, Sample, borrow
from textlvm.reporting.verdict import Comparison, Measurement, Verdict, compare
from textlvm.runtime.errors import UserError

__all__ = ["RowResults", "is_of_training"]


def is_of_training(paper: Paper, planned: Planned | None, row: Row, metric: str, drawn: bool) -> bool:
    """Whether a metric that a row shows depends on the training of the row's run.

    Between draws of a split (`drawn`), metrics that do not depend on a training vary too.
    """
    if drawn or planned is None or not planned.is_trained:
        return drawn
    return paper.is_of_training(row.metrics.get(metric, metric))


@dataclass(frozen=True)
class RowResults:
    """A row of a table and the results of its run by seed, with metrics under the row's names."""

    paper: Paper
    row: Row
    planned: Planned | None = None
    """None for a row that is printed but not planned."""
    results: Sequence[Result] = ()

    @cached_property
    def done(self) -> list[Result]:
        """The results of seeds that did not fail."""
        return [result for result in self.results if not result.failed]

    @property
    def metrics(self) -> list[str]:
        """The metrics of at least one seed."""
        return list(dict.fromkeys(metric for result in self.done for metric in result.metrics))

    def samples(self) -> Iterator[Sample]:
        """The values by seed of every metric that depends on the training."""
        for metric in self.metrics:
            if self.planned and self._is_of_training(metric):
                values = tuple(value for _, value in self._by_seed(metric))
                place = (self.row.label, self.planned.name, self.planned.model_kind)
                yield Sample(*place, self._reading(metric), values, "draws" if self._is_drawn else "seeds")

    def measurement(self, metric: str, others: Sequence[Sample]) -> Measurement | None:
        """The mean over seeds; None if no seed has the metric.

        `others` are the samples of all rows of the table on the same corpus.
        """
        results = self._results_with(metric)
        if not results:
            return None
        estimates = [result.metrics[metric] for result in results]
        mean = pool(estimates)
        repeats = [result.repeats[metric] for result in self.done if metric in result.repeats]
        reading = self._reading(metric)
        return Measurement(
            value=mean.value,
            low=mean.low,
            high=mean.high,
            spread=deviation([estimate.value for estimate in estimates]) if len(estimates) > 1 else None,
            repeat_spread=math.fsum(repeats) / len(repeats) if repeats else None,
            by_seed=self._by_seed(metric),
            borrowed=self._borrowed(metric, [sample for sample in others if sample.metric == reading]),
            reading=reading if self._compared_reading(metric) else "",
        )

    def comparison(
        self, metric: str, published: Published | None, measured: Measurement | None
    ) -> Comparison:
        """Compare the mean over seeds with the published value."""
        if measured is None or self.planned is None:
            return Comparison(None, None, self._missing_verdict(published))
        if published is None:
            return Comparison(None, None, Verdict.UNPUBLISHED)
        stand_in, of_training = self.planned.stand_in, self._is_of_training(metric)
        comparison = compare(measured, published, stand_in, of_training)
        if self._has_other_reading(metric) and not self.planned.stand_in:
            return replace(comparison, tolerance=None, verdict=Verdict.UNDECIDED)
        return comparison

    def unit(self, metric: str, published: Published | None) -> str:
        """The unit of a metric. Raises `UserError` if it differs between seeds or from paper.yaml."""
        units = dict.fromkeys(result.metrics[metric].unit for result in self._results_with(metric))
        if not units:
            return self.paper.metric(metric).unit if published else ""
        known = metric in self.paper.metrics
        declared = self.paper.metrics[metric].unit if known else next(iter(units))
        for result in self._results_with(metric):
            unit = result.metrics[metric].unit
            if unit != declared:
                where = f"{self.paper.folder}/paper.yaml" if known else "another seed"
                raise UserError(
                    f"{result.path}: metric '{metric}' is in {unit}, but in {declared} in {where}: "
                    "make them the same"
                )
        return declared

    def provenance(self, metric: str, published: Published | None) -> Provenance:
        """The run behind a cell."""
        return Provenance(
            run=self.planned.name if self.planned else "",
            runs=tuple(path for result in self.results for path in (result.path, *result.further_paths)),
            settings=_shared_settings(self.done),
            seeds_planned=len(self.planned.seeds) if self.planned else 0,
            reason=self._reason(metric, published),
        )

    def _reason(self, metric: str, published: Published | None) -> str:
        """Why a value is missing, has fewer seeds than planned, or is that of another reading."""
        seeds = len(self._results_with(metric))
        if not seeds:
            verdict = self._missing_verdict(published)
            if verdict is Verdict.QUOTED:
                return published.unavailable if published else ""
            if verdict is Verdict.FAILED:
                return self._failures()
            if self.done:
                return f"the evaluation has no metric '{metric}'"
            return "" if self.planned else "not in the plan"
        planned = len(self.planned.seeds) if self.planned else 0
        units = "draws" if self._is_drawn else "seeds"
        incomplete = [f"draw {result.seed}: {result.reason}" for result in self.done if result.reason]
        other = f"the evaluation has no metric '{self._compared_reading(metric)}', so the value is its "
        reasons = (
            f"{seeds} of {planned} {units}" if seeds != planned else "",
            *incomplete,
            self._failures(),
            f"{other}'{self._evaluated_name(metric)}'" if self._has_other_reading(metric) else "",
        )
        return "; ".join(filter(None, reasons))

    def _missing_verdict(self, published: Published | None) -> Verdict:
        """The verdict of a cell without a measurement."""
        if self.planned is None and published and published.kind == "quoted":
            return Verdict.QUOTED
        return Verdict.FAILED if self.results and not self.done else Verdict.NOT_RUN

    def _results_with(self, metric: str) -> list[Result]:
        return [result for result in self.done if metric in result.metrics]

    def _by_seed(self, metric: str) -> tuple[tuple[int, float], ...]:
        return tuple((result.seed, result.metrics[metric].value) for result in self._results_with(metric))

    def _borrowed(self, metric: str, samples: Sequence[Sample]) -> PooledSpread | None:
        """The standard deviation over seeds of other rows, for a metric with one seed."""
        estimates = [result.metrics[metric] for result in self._results_with(metric)]
        if self.planned is None or len(estimates) != 1 or not self._is_of_training(metric):
            return None
        (estimate,) = estimates
        return borrow(self.planned.model_kind, samples, estimate.value, estimate.unit)

    def _is_of_training(self, metric: str) -> bool:
        return is_of_training(self.paper, self.planned, self.row, metric, self._is_drawn)

    def _evaluated_name(self, metric: str) -> str:
        """The evaluation's name of a metric that the row shows."""
        return self.row.metrics.get(metric, metric)

    def _compared_reading(self, metric: str) -> str | None:
        """The reading with which a printed metric is compared; None if it has only one reading."""
        return self.paper.compared.get(self._evaluated_name(metric))

    def _reading(self, metric: str) -> str:
        """The metric of the evaluation that was used."""
        return self._results_with(metric)[0].readings.get(metric, self._evaluated_name(metric))

    def _has_other_reading(self, metric: str) -> bool:
        return self._compared_reading(metric) not in (None, self._reading(metric))

    @property
    def _is_drawn(self) -> bool:
        """Whether the results are draws of the split."""
        return any("draws" in result.settings for result in self.results)

    def _failures(self) -> str:
        unit = "draw" if self._is_drawn else "seed"
        seeds: dict[str, list[str]] = {}
        for result in self.results:
            if result.failed:
                seeds.setdefault(result.reason or "no reason recorded", []).append(str(result.seed))
        return "; ".join(f"failed with {unit} {', '.join(of)}: {reason}" for reason, of in seeds.items())


def _shared_settings(done: Sequence[Result]) -> dict[str, Any]:
    """The settings of all seeds; one that differs between seeds is `varies`."""
    keys = dict.fromkeys(key for result in done for key in result.settings)
    found = {key: [result.settings.get(key) for result in done] for key in keys}
    return {key: v[0] if all(x == v[0] for x in v) else "varies" for key, v in found.items()}
