"""Evaluates claims for the runs and for the printed numbers, and describes the outcomes in Markdown."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textlvm.experiment.paper import Paper
from textlvm.reporting.claims.judge import PLANNED, RULE, Found, Outcome, conclude, judge
from textlvm.reporting.claims.language import Claim, Comparison, Operand, Place
from textlvm.reporting.claims.lines import REASONS, Line
from textlvm.reporting.claims.numbers import Corpora, Measured, Numbers, as_printed
from textlvm.reporting.markup import markdown, markdown_code
from textlvm.reporting.published import Published
from textlvm.reporting.spread import RULE as BORROWING

__all__ = ["as_markdown", "evaluate"]

SHOWN = 4
"""The maximum number of missing rows per reason in the Markdown; the CSV has all."""


def evaluate(claims: Iterable[Claim], measured: Measured, published: Sequence[Published]) -> list[Line]:
    """One line per claim and corpus, in the order of the claims."""
    lines = []
    for claim in claims:
        printed = as_printed(claim, published)
        outcome, shown = _conclude(claim, _judged(claim, printed))
        if outcome is Outcome.UNDECIDED and printed.missing:
            outcome = Outcome.NOT_PRINTED
        choices = list(measured.corpora_of(claim))
        for corpora in choices:
            line = _line(claim, measured, corpora, outcome, shown)
            lines.append(line if len(choices) == 1 else replace(line, id=f"{line.id}/{line.corpus}"))
    return lines


def as_markdown(lines: Sequence[Line], papers: Mapping[str, Paper]) -> str:
    """The lines as Markdown: counts, a table for each paper, and notes."""
    parts = ["# Claims of the papers", _summary(lines)]
    for paper in papers.values():
        if selected := [line for line in lines if line.paper == paper.name]:
            parts += [f"## {paper.citation}", _table(selected, paper)]
    parts.append("\n".join(f"- {markdown(note)}" for note in _notes(lines)))
    return "\n\n".join(parts) + "\n"


def _judged(claim: Claim, numbers: Numbers) -> list[Found]:
    """The results of a claim's comparisons; comparisons that lack numbers are skipped."""
    ready = (c for c in claim.comparisons if all(place in numbers.known for place in c.places))
    return [judge(comparison, numbers.known) for comparison in ready]


def _conclude(claim: Claim, judged: Sequence[Found]) -> tuple[Outcome, Found | None]:
    return conclude(judged, complete=len(judged) == len(claim.comparisons))


def _line(claim: Claim, measured: Measured, corpora: Corpora, printed: Outcome, shown: Found | None) -> Line:
    numbers, cells = measured.numbers(claim, corpora), measured.cells_of(claim, corpora)
    paper = measured.papers[claim.paper]
    judged = _judged(claim, numbers)
    outcome, found = _conclude(claim, judged)
    borrowed = dict.fromkeys(source for result in judged for source in result.borrowed_from) if found else ()
    missing = ". ".join(f"{reason}: {'; '.join(rows)}" for reason, rows in numbers.missing.items())
    trained = [number for number in numbers.known.values() if number.trained]
    fewest = min(trained, key=lambda number: len(number.by_seed), default=None)
    return Line(
        id=claim.id,
        paper=claim.paper,
        where=claim.where,
        claim=claim.claim,
        predicate=claim.predicate,
        outcome=outcome,
        effect=found.effect if found else None,
        low=found.effect - found.half if found else None,
        high=found.effect + found.half if found else None,
        unit=claim.comparisons[0].unit if found is None else found.comparison.unit,
        seeds=0 if numbers.missing else len(fewest.by_seed) if fewest else 1,
        published_outcome=printed,
        corpus=", ".join(filter(None, dict.fromkeys(corpora.values()))),
        stand_in=any(cell.part.stand_in for cell in cells),
        missing=missing or (_reason(found) if found and outcome is Outcome.UNDECIDED else ""),
        rows="; ".join(dict.fromkeys(place.row for place in claim.places)),
        dataset=", ".join(corpora),
        corpus_title=", ".join(dict.fromkeys(filter(None, (cell.part.corpus_title for cell in cells)))),
        comparison=_described(found.comparison, paper) if found else "",
        published_effect=shown.effect if shown else None,
        published_comparison=_described(shown.comparison, paper) if shown else "",
        note=claim.note,
        runs=tuple(dict.fromkeys(path for cell in cells for path in cell.provenance.runs)),
        borrowed_from="; ".join(borrowed),
        replicate=fewest.replicate if fewest else "seed",
    )


def _described(comparison: Comparison, paper: Paper) -> str:
    """A comparison as a sum, e.g. `TRIL, K=5 − TRIL (ce_test)`; a common row or metric comes last."""
    parts = ("row", "metric", "dataset", "table")
    varies = {name: len({getattr(place, name) for place in comparison.places}) > 1 for name in parts}
    varies["row"] |= varies["dataset"] or varies["table"]
    shared = [getattr(comparison.places[0], name) for name in ("row", "metric") if not varies[name]]
    # All operands are the same cell: its row names them.
    only = "" if any(varies.values()) else shared.pop(0)

    def named(operand: Operand) -> str:
        if not isinstance(operand, Place):
            return f"{operand:g}"
        words = " of ".join(getattr(operand, name) for name in ("metric", "row") if varies[name]) or only
        if varies["dataset"]:
            words += f" on {paper.datasets[operand.dataset]}"
        elif varies["table"]:
            words += f" in Table {operand.table}"
        return f"ln({words})" if operand.log else words

    names = [named(operand) for _, operand in comparison.terms]
    if comparison.kind == "difference":
        words = "({} − {}) − ({} − {})".format(*names)
    else:
        signs = [" + " if sign > 0 else " − " for sign, _ in comparison.terms]
        words = names[0] + "".join(sign + name for sign, name in zip(signs[1:], names[1:], strict=True))
    return f"{words} ({', '.join(shared)})" if shared else words


def _reason(found: Found) -> str:
    """The reason why a comparison that has all of its numbers is undecided."""
    margin = "the margin" if found.comparison.margin else "zero"
    if found.limit is not None:
        would = "holds" if found.distance > 0 else "fails"
        return (
            f"one {found.single}: with {PLANNED} and the same effect, it {would} if the standard deviation "
            f"over {found.single}s is below {_number(found.limit)} {found.comparison.unit}"
        )
    if found.single:
        return f"one {found.single}, and the other errors alone are too large for {margin}"
    return f"the interval contains {margin}"


def _summary(lines: Sequence[Line]) -> str:
    here = Counter(line.outcome for line in lines)
    printed = Counter(line.published_outcome for line in lines)
    because = Counter(line.undecided_because for line in lines)
    borrowed = sum(bool(line.borrowed_from) and line.outcome is not Outcome.UNDECIDED for line in lines)
    decided = f"Decided with a borrowed standard deviation over seeds: {borrowed}. " if borrowed else ""
    return (
        f"{len({line.claim for line in lines})} claims, {len(lines)} checks. "
        f"Here {here[Outcome.HOLDS]} hold, {here[Outcome.FAILS]} fail and {here[Outcome.UNDECIDED]} are "
        f"undecided: {', '.join(f'{because[reason]} {reason}' for reason in REASONS)}. {decided}"
        f"For the papers' own numbers {printed[Outcome.HOLDS]} hold, {printed[Outcome.FAILS]} fail and "
        f"{printed[Outcome.UNDECIDED]} are undecided; {printed[Outcome.NOT_PRINTED]} are about numbers "
        "that are not printed."
    )


def _table(lines: Sequence[Line], paper: Paper) -> str:
    rows = ["| Claim | Data | Here | Effect | For the paper's numbers |", "|:--|:--|:--|:--|:--|"]
    for previous, line in zip([None, *lines], lines, strict=False):
        claim = markdown_code(line.predicate)
        if previous is None or previous.claim != line.claim:
            note = f" *{markdown(line.note)}*" if line.note else ""
            claim = f"{markdown(line.claim)} ({markdown(line.where)}){note}<br>{claim}"
        data = line.corpus_title or ", ".join(paper.datasets[name] for name in line.dataset.split(", "))
        why = f": {markdown(_shortened(line.missing))}" if line.outcome is Outcome.UNDECIDED else ""
        data = markdown(data) + (" (stand-in)" if line.stand_in else "")
        borrowed = f"<br>sd of {markdown(line.borrowed_from)}" if line.borrowed_from else ""
        cells = (claim, data, f"**{line.outcome}**{why}{borrowed}", _effect(line), _printed(line))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _effect(line: Line) -> str:
    if line.effect is None or line.low is None or line.high is None:
        return "–"
    interval = f" [{_number(line.low)}, {_number(line.high)}]" if line.high > line.low else ""
    return f"{_number(line.effect)}{interval} {markdown(line.unit)}<br>{markdown_code(line.comparison)}"


def _printed(line: Line) -> str:
    if line.published_effect is None:
        return str(line.published_outcome)
    words = f"{line.published_outcome}: {_number(line.published_effect)}"
    if line.published_comparison == line.comparison:
        return words
    return f"{words}<br>{markdown_code(line.published_comparison)}"


def _shortened(missing: str) -> str:
    """The missing rows by reason, at most `SHOWN` for each."""
    reasons = []
    for reason in filter(None, missing.split(". ")):
        rows = reason.split("; ")
        more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        reasons.append("; ".join(rows[:SHOWN]) + more)
    return ". ".join(reasons)


def _notes(lines: Sequence[Line]) -> Iterable[str]:
    yield f"Rule: {RULE}"
    yield f"Seeds: {BORROWING}"
    yield "A claim holds if each of its comparisons does, fails if one fails; the effect is the weakest one's"
    yield "The only error of the paper's printed numbers that is taken into account is rounding"
    if any(line.stand_in for line in lines):
        yield "Claims are also tested on stand-in corpora, although they are about the paper's own corpus"


def _number(value: float) -> str:
    """Three significant digits, and all digits before the decimal point."""
    if not 1e-3 <= abs(value) < 1e7:
        text = f"{value:.3g}"
    else:
        text = f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"
    return text.replace("-", "−")
