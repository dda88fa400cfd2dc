"""log P of given words under a trained model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from textlvm.corpora.counting import is_count
from textlvm.runtime.errors import UserError
from textlvm.words.cross_entropy import exact_log_probs, monte_carlo_marginals
from textlvm.words.importance import importance_log_probs
from textlvm.words.letters import encode
from textlvm.words.logmean import jackknife
from textlvm.words.model import StateSpaceModel
from textlvm.words.trained import Model

__all__ = ["DRAWS", "Scores", "read_list", "require_trajectories", "require_words", "score"]

DRAWS = 10_000
"""Default number of draws of the inference model per word."""
MIN_TRAJECTORIES = 256
"""Two groups, the minimum for an estimate of the error."""


@dataclass(frozen=True)
class Scores:
    """log P of words in nats, (W,), and standard errors, which are 0 if log P is exact."""

    log_probs: NDArray[np.float64]
    errors: NDArray[np.float64]
    deviations: NDArray[np.float64] | None = None
    """(W, n) of `jackknife`, if all words share the same n draws."""

    def cross_entropy(self, counts: Sequence[int]) -> tuple[float, float]:
        """-sum_w P(w) log P^(w) of words that occur `counts` times, in nats per word, and its standard error.

        The errors of words with separate draws are independent.
        """
        weights = np.asarray(counts) / sum(counts)
        shares = weights * self.errors if self.deviations is None else weights @ self.deviations
        return float(-weights @ self.log_probs), float(np.linalg.norm(shares))


def score(model: Model, words: Sequence[str], draws: int = DRAWS, trajectories: int | None = None) -> Scores:
    """log P of words: exact, by importance sampling with `draws` per word, or by Eq. (12) if a K is given.

    Raises `UserError` for a word with other characters than the letters a to z, and for fewer than
    `MIN_TRAJECTORIES`; `ValueError` for a single string instead of a list, for no words, and for fewer than
    two draws.
    """
    if isinstance(words, str) or not len(words) or draws < 2:
        raise ValueError("score requires a list of words and at least two draws")
    lexicon = encode(words)
    if not isinstance(model, StateSpaceModel):
        log_probs = exact_log_probs(model, lexicon)
        return Scores(log_probs, np.zeros(len(words)))
    if trajectories is None:
        found = importance_log_probs(model, lexicon, torch.arange(len(words)), draws)
        return Scores(found.log_probs, found.standard_errors)
    require_trajectories(trajectories)
    marginals = monte_carlo_marginals(model, lexicon, trajectories, ())
    estimate, deviations = jackknife(torch.from_numpy(marginals.groups - np.log(marginals.sizes)))
    return Scores(estimate.numpy(), deviations.norm(dim=1).numpy(), deviations.numpy())


def read_list(path: Path) -> tuple[list[str], list[int] | None]:
    """The words of a file, one per line, and their counts if each line has one.

    Raises `UserError` if the file cannot be read, has no words or has any other line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path} ({error}): supply a text file with one word per line") from error
    rows = {number: line.split() for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    if not rows:
        raise UserError(f"{path} has no words: supply a text file with one word per line")
    words = [row[0] for row in rows.values()]
    require_words(words, f"in {path}")
    columns = len(next(iter(rows.values())))
    for number, row in rows.items():
        if len(row) != columns or columns > 2 or not all(map(is_count, row[1:])):
            raise UserError(
                f"{path}, line {number}: expected one word per line, or a word and its count on every line"
            )
    if columns == 1:
        return words, None
    counts = [int(row[1]) for row in rows.values()]
    if not any(counts):
        raise UserError(f"{path}: all counts are zero; supply the number of occurrences of each word")
    return words, counts


def require_trajectories(trajectories: int) -> None:
    """Raise `UserError` for a number of trajectories without an estimate of the error."""
    if trajectories < MIN_TRAJECTORIES:
        raise UserError(f"--trajectories must be at least {MIN_TRAJECTORIES}, not {trajectories}")


def require_words(words: Sequence[str], where: str) -> None:
    """Raise `UserError` for the first word with a character other than the letters a to z."""
    for word in words:
        if not (word.isascii() and word.isalpha() and word.islower()):
            raise UserError(
                f"'{word}' {where} contains other characters than the letters a to z: use only these letters"
            )
