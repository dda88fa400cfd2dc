import dataclasses

import numpy as np
import pytest

from textlvm.sentences.data import SentenceSet
from textlvm.sentences.spec import ModelSpec, TrainingSpec

MODEL = ModelSpec(objective="smim", cell="gru", latent=5, hidden=11, embedding=7, dropout=0.0)
TRAINING = TrainingSpec(
    optimizer="adam",
    learning_rate=0.01,
    clip=0.25,
    batch=4,
    epochs=2,
    steps=None,
    monitor_every=None,
    patience=2,
    decay=0.25,
    min_learning_rate=1e-8,
    kl_annealing=0,
    max_length=8,
    encoder_unk=0.0,
    decoder_unk=0.0,
    precision="float32",
    log_every=2,
    checkpoint_every=2,
)


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

    def collect(sentences):
        lengths = [len(sentence) for sentence in sentences]
        return SentenceSet(np.concatenate(sentences).astype(np.int32), np.cumsum([0, *lengths]))

    return collect


@pytest.fixture
def random_sentences():
    """Sentences of random words with codes from 4 below `vocabulary`."""

    def draw(lengths, vocabulary=20, seed=0):
        rng = np.random.default_rng(seed)
        return [rng.integers(4, vocabulary, size=n).astype(np.int32) for n in lengths]

    return draw
