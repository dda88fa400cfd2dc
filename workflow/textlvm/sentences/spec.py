"""Settings of a run of the sentences paper, as frozen dataclasses; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["ModelSpec", "TrainingSpec"]


@dataclass(frozen=True)
class ModelSpec:
    """The settings of a run's model."""

    objective: str
    """smim | svae | ae; ivae: implicit posterior (iVAE_MI); lm: language model without latent variable
    (LSTM-LM, GRU); answers: ranking of answers (AP-BiLSTM, ...)."""
    cell: str
    """gru | lstm; ignored by attentive pooling, which always uses LSTMs."""
    latent: int
    """Dimensions of z; ignored for lm and answers."""
    hidden: int
    """Units of every recurrent layer (per direction if bidirectional); ap-cnn: number of filters; hyperqa:
    dimensions of the Poincaré ball."""
    embedding: int
    """Dimensions of word embeddings, which encoder and decoder share."""
    dropout: float
    """Dropout probability of the decoder's embedded words; lm: also of the states."""
    encoder_dropout: float
    """Dropout probability of the encoder's embedded words; ignored for lm and answers."""
    family: str = ""
    """svae: hr-vae, with a KL term at every step of the encoder; lm: pretrained, a causal language model that
    is not trained here; answers: ap-cnn | hyperqa; otherwise empty."""
    path: str = ""
    """pretrained: folder of the weights and the tokenizer; or empty."""
    hub: str = ""
    """pretrained: name on the Hugging Face Hub; or empty."""


@dataclass(frozen=True)
class TrainingSpec:
    """The settings of training."""

    optimizer: str
    """adam | sgd."""
    learning_rate: float
    """The optimizer's initial learning rate."""
    clip: float | None
    """Maximum gradient norm; None disables clipping."""
    batch: int
    """Sentences per step; answers: questions with all their answers."""
    order: str
    """random | pools: batches drawn at random, or of sentences of similar length; answers: random."""
    epochs: int
    """Maximum number of epochs."""
    steps: int | None
    """Maximum number of steps; None: no limit."""
    monitor_every: int | None
    """Steps between validations, which the schedule counts as epochs; None: one validation per epoch."""
    patience: int
    """Number of validations without improvement after which the learning rate is reduced."""
    patience_counts: str
    """all | consecutive: whether the count continues or restarts when the loss improves."""
    decay: float
    """Factor by which the learning rate is multiplied."""
    min_learning_rate: float
    """Training ends when the learning rate is below this value."""
    kl: str
    """closed | sampled: svae's KL term in closed form, or estimated at the code that is decoded."""
    kl_schedule: str
    """logistic | linear: how the weight of svae's KL term grows with the step, see `losses.kl_weight`."""
    kl_offset: int
    """logistic: the step at which the weight is one half; linear: the step at which it reaches one."""
    kl_slope: float
    """logistic: slope of the logistic function per step; linear: ignored."""
    max_length: int | None
    """Maximum number of words of a training sentence; None: no limit.

    Longer sentences are cut at random; of longer questions and answers, the first words are kept.
    """
    encoder_unk: float
    """Share of the words read by the encoder that are replaced by <unk>."""
    decoder_unk: float
    """Share of the words read by the decoder that are replaced by <unk> (word dropout)."""
    precision: str
    """auto | float32 | bfloat16: type of the matrix products; auto: bfloat16 if the device supports it."""
    log_every: int
    """Steps between lines of the training curve, over which the loss is averaged."""
    checkpoint_every: int
    """Steps between checkpoints; stopping a training also writes one."""
    free_bits: float = 0.0
    """Free nats per sentence of svae's KL term, divided evenly among the dimensions."""
    pretrain: int = 0
    """smim, svae: initial epochs of training as an autoencoder, after which the decoder is reinitialized."""
    dual_rate: float = 1.0
    """ivae: learning rate of the dual networks relative to that of the model."""
