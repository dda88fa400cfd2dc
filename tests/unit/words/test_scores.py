import numpy as np
import pytest
import torch
from quadrature import model_with, quadrature, smooth_model

from textlvm.runtime.errors import UserError
from textlvm.words.baseline import GRUBaseline
from textlvm.words.cross_entropy import cross_entropy, exact_log_probs, frequencies
from textlvm.words.letters import encode
from textlvm.words.scores import Scores, read_list, score

WORDS = ["to", "a", "it"]


def test_scores_of_an_autoregressive_model_are_exact():
    torch.manual_seed(0)
    model = GRUBaseline(8)
    found = score(model, WORDS, 10, None)
    np.testing.assert_array_equal(found.log_probs, exact_log_probs(model, encode(WORDS)))
    assert not found.errors.any()


@pytest.mark.parametrize("trajectories", [None, 60_000])
def test_estimates_equal_quadrature(trajectories):
    model = smooth_model()
    torch.manual_seed(0)
    found = score(model, WORDS, 20_000, trajectories)
    expected = np.array([quadrature(model, word) for word in WORDS])
    assert (np.abs(found.log_probs - expected) < 4 * found.errors).all()
    assert (found.errors < 0.05).all()


def test_cross_entropy_is_weighted_by_counts():
    log_probs, errors = np.array([-3.0, -1.0, -2.0]), np.array([0.1, 0.0, 0.2])
    value, error = Scores(log_probs, errors).cross_entropy([1, 2, 1])
    assert value == pytest.approx(cross_entropy(frequencies(np.array([1, 2, 1])), log_probs))
    assert error == pytest.approx(np.hypot(0.1 / 4, 0.2 / 4))


def test_error_of_a_cross_entropy_includes_the_trajectories_that_words_share():
    model = smooth_model()
    found = score(model, ["to", "to"], trajectories=512)
    _, error = found.cross_entropy([1, 1])
    assert error == pytest.approx(found.errors[0])
    values = []
    for seed in range(40):
        torch.manual_seed(seed)
        values.append(score(model, WORDS, trajectories=512).cross_entropy([3, 1, 2]))
    assert np.std([value for value, _ in values]) == pytest.approx(np.mean(values, 0)[1], rel=0.3)


def test_too_few_trajectories_are_rejected():
    with pytest.raises(UserError, match="--trajectories must be at least 256, not 255"):
        score(model_with(dim=1), WORDS, 10, 255)


def test_words_of_other_characters_are_rejected():
    with pytest.raises(UserError, match="'Zebra' contains other characters"):
        score(model_with(dim=1), ["a", "Zebra"])


@pytest.mark.parametrize(("words", "draws"), [("zebra", 10), ([], 10), (["zebra"], 1)])
def test_arguments_that_cannot_be_scored_raise(words, draws):
    with pytest.raises(ValueError, match="a list of words and at least two draws"):
        score(model_with(dim=1), words, draws)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to\na\n\nit\n", (["to", "a", "it"], None)),
        ("to\t3\na 1\n", (["to", "a"], [3, 1])),
        ("\ufeffto\na\n", (["to", "a"], None)),
    ],
)
def test_read_list_returns_words_and_counts(tmp_path, text, expected):
    (tmp_path / "mine.txt").write_text(text, encoding="utf-8")
    assert read_list(tmp_path / "mine.txt") == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n \n", "has no words"),
        ("to\nnaïve\n", "'naïve' in .*mine.txt contains other characters than the letters a to z"),
        ("To\n", "'To' in"),
        ("to 3\n\na\n", "mine.txt, line 3: expected one word per line, or a word and its count"),
        ("to\na 3\n", "line 2"),
        ("to 3 4\n", "line 1"),
        ("to 3\na -3\n", "line 2"),
        (f"to {'9' * 5000}\n", "line 1"),
        ("to 0\na 0\n", "mine.txt: all counts are zero"),
        (b"\xff\xfe", "cannot read .*mine.txt"),
    ],
)
def test_read_list_rejects_invalid_files(tmp_path, text, message):
    (tmp_path / "mine.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message):
        read_list(tmp_path / "mine.txt")
    with pytest.raises(UserError, match="cannot read"):
        read_list(tmp_path / "none.txt")
