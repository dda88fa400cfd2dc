"""Settings of a tiny model of the sentences paper, its training, its evaluation and its likelihood."""

import numpy as np

from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.spec import ModelSpec, TrainingSpec

MODEL = ModelSpec(
    objective="smim", cell="gru", latent=5, hidden=11, embedding=7, dropout=0.0, encoder_dropout=0.0
)
TRAINING = TrainingSpec(
    optimizer="adam",
    learning_rate=0.01,
    clip=0.25,
    batch=4,
    order="pools",
    epochs=2,
    steps=None,
    monitor_every=None,
    patience=2,
    patience_counts="consecutive",
    decay=0.25,
    min_learning_rate=1e-8,
    kl="sampled",
    kl_schedule="linear",
    kl_offset=0,
    kl_slope=0.0025,
    max_length=8,
    encoder_unk=0.0,
    decoder_unk=0.0,
    precision="float32",
    log_every=2,
    checkpoint_every=2,
)
EVALUATION = {
    "repeats": 2,
    "samples": 1,
    "batch": 8,
    "precision": "float32",
    "max_length": 6,
    "train_codes": 10,
    "entropy_codes": 100,
    "entropy_neighbours": 3,
    "reference_ppl": None,
    "as_quoted": False,
}
LIKELIHOOD = {
    "samples": (1, 4, 16),
    "neighbours": (1, 8),
    "common": 4,
    "part": 7,
    "noises": (0.0, 0.5),
    "validation_sentences": 10,
    "validation_samples": 4,
    "train_codes": 60,
    "components": (1, 2),
    "flow_steps": 20,
    "prior_widths": (0.0, 0.3),
    "prior_codes": 40,
    "sentences": 3,
    "max_length": 10,
    "batch": 16,
    "precision": "float32",
}


def sentence_set(sentences):
    """Sentences in the form of a prepared data set."""
    lengths = [len(sentence) for sentence in sentences]
    return SentenceSet(np.concatenate(sentences).astype(np.int32), np.cumsum([0, *lengths]))
