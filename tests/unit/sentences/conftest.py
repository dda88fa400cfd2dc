import dataclasses

import numpy as np
import pytest

import sentence_specs
from sentence_specs import MODEL, TRAINING


@pytest.fixture
def model_spec():
    """A tiny model's settings, with what the test needs changed."""
    return lambda **changes: dataclasses.replace(MODEL, **changes)


@pytest.fixture
def training_spec():
    """A tiny training's settings, with what the test needs changed."""
    return lambda **changes: dataclasses.replace(TRAINING, **changes)


@pytest.fixture
def sentence_set():
    """Sentences as the prepared data sets have them."""
    return sentence_specs.sentence_set


@pytest.fixture
def random_sentences():
    """Sentences of random words with codes from 4 below `vocabulary`."""

    def draw(lengths, vocabulary=20, seed=0):
        rng = np.random.default_rng(seed)
        return [rng.integers(4, vocabulary, size=n).astype(np.int32) for n in lengths]

    return draw
