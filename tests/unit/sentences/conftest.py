import dataclasses

import numpy as np
import pytest

import sentence_specs
from sentence_specs import MODEL, TRAINING


@pytest.fixture
def model_spec():
    """A function that returns settings of a tiny model with changes."""
    return lambda **changes: dataclasses.replace(MODEL, **changes)


@pytest.fixture
def training_spec():
    """A function that returns settings of a short training with changes."""
    return lambda **changes: dataclasses.replace(TRAINING, **changes)


@pytest.fixture
def sentence_set():
    """A function that makes a `SentenceSet` of lists of codes."""
    return sentence_specs.sentence_set


@pytest.fixture
def random_sentences():
    """A function that draws sentences of the given lengths, with codes from 4 to `vocabulary` - 1."""

    def draw(lengths, vocabulary=20, seed=0):
        rng = np.random.default_rng(seed)
        return [rng.integers(4, vocabulary, size=n).astype(np.int32) for n in lengths]

    return draw
