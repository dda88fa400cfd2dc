import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import SplitRule
from textlvm.sentences.data.draws import draw


def rules(train, valid, test=None):
    return {
        "train": SplitRule("train", train),
        "valid": SplitRule("train", valid),
        "test": SplitRule("test", test),
    }


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 30), st.integers(0, 3))
def test_draws_are_disjoint_sorted_and_of_the_requested_size(train, valid, rest, seed):
    rows = draw({"train": train + valid + rest, "test": 7}, rules(train, valid), "letters", seed)
    drawn = np.concatenate([rows["train"], rows["valid"]])
    assert len(rows["train"]) == train
    assert len(rows["valid"]) == valid
    assert len(set(drawn.tolist())) == train + valid
    assert drawn.min() >= 0
    assert drawn.max() < train + valid + rest
    assert all(np.array_equal(part, np.sort(part)) for part in rows.values())
    assert rows["test"].tolist() == list(range(7))


def test_draws_are_deterministic_and_depend_on_seed_and_name():
    sizes = {"train": 1000, "test": 5}

    def drawn(name, seed):
        return draw(sizes, rules(100, 10), name, seed)["train"].tolist()

    assert drawn("a", 0) == drawn("a", 0)
    assert drawn("a", 0) != drawn("a", 1)
    assert drawn("a", 0) != drawn("b", 0)


def test_every_sentence_is_equally_likely():
    """Counts in 400 draws of 5 from 20 are binomial with mean 100 and standard deviation 8.7."""
    counts = np.zeros(20)
    for seed in range(400):
        counts[draw({"train": 20, "test": 1}, rules(5, 5), "a", seed)["valid"]] += 1
    assert counts.sum() == 2000
    assert np.abs(counts - 100).max() < 45


def test_drawing_more_than_available_is_rejected():
    with pytest.raises(
        UserError, match="its splits draw 11 from the corpus's train, which has 10; lower `draw`"
    ):
        draw({"train": 10, "test": 5}, rules(6, 5), "a", 0)
    with pytest.raises(UserError, match="no sentences in its split test"):
        draw({"train": 11, "test": 0}, rules(6, 5), "a", 0)
