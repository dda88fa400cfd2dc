"""Settings of one run of the sentences paper, as frozen dataclasses; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["ModelSpec", "TrainingSpec"]


@dataclass(frozen=True)
class ModelSpec:
    """A row's model and what it learns from."""

    objective: str
    """smim | svae | ae; ivae: a posterior known by its samples (iVAE_MI); lm: no latent variable (LSTM-LM,
    GRU); answers: ranking them (AP-BiLSTM, ...)."""
    cell: str
    """gru | lstm; attentive pooling is an LSTM whatever this says."""
    latent: int
    """Dimensions of z; without meaning for lm and answers."""
    hidden: int
    """Units of every recurrent layer, and of each direction of a bidirectional one; ap-cnn: filters; hyperqa:
    dimensions of the ball."""
    embedding: int
    """Dimensions of a word's embedding, shared by encoder and decoder."""
    dropout: float
    """Share of the entries of the decoder's embedded words that are zeroed; lm: of its states' as well."""
    encoder_dropout: float
    """The same of the encoder's; without meaning for lm and answers."""
    family: str = ""
    """svae: hr-vae, a KL term at every step of the encoder; lm: pretrained, a causal language model of
    others; answers: ap-cnn | hyperqa; otherwise empty."""
    path: str = ""
    """pretrained: the folder of its weights and tokenizer; or empty."""
    hub: str = ""
    """pretrained: its name on the Hugging Face Hub; or empty."""


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
    """Sentences a step; for answers, questions with all their answers."""
    order: str
    """random | pools: batches drawn at random, or of nearly equally long sentences; answers: random."""
    epochs: int
    """Maximum number of epochs."""
    steps: int | None
    """Maximum number of steps; None: no limit."""
    monitor_every: int | None
    """Steps between validations, which the schedule counts as epochs; None validates once an epoch."""
    patience: int
    """Validations without a better loss after which the learning rate falls."""
    patience_counts: str
    """all | consecutive: whether the count continues or restarts when the loss improves."""
    decay: float
    """Factor by which it falls."""
    min_learning_rate: float
    """The training ends when the learning rate is below this."""
    kl: str
    """closed | sampled: svae's KL term in closed form, or at the code that is decoded."""
    kl_schedule: str
    """logistic | linear: how the weight of svae's KL term grows with the step, see `losses.kl_weight`."""
    kl_offset: int
    """logistic: the step at which the weight is one half; linear: the step from which on it is one."""
    kl_slope: float
    """logistic: slope of the logistic function a step; linear: without meaning."""
    max_length: int | None
    """Words of a training sentence; of a longer one a random stretch is taken. None takes it whole."""
    encoder_unk: float
    """Share of the words read by the encoder that are replaced by <unk>."""
    decoder_unk: float
    """Share of the words read by the decoder that are replaced by <unk> (word dropout)."""
    precision: str
    """auto | float32 | bfloat16: type of the matrix products; auto uses bfloat16 if it is native."""
    log_every: int
    """Steps between lines of the training curve; the loss is averaged over them."""
    checkpoint_every: int
    """Steps between checkpoints; a training that is stopped also writes one."""
    free_bits: float = 0.0
    """Free nats per sentence of svae's KL term, divided evenly among the dimensions."""
    pretrain: int = 0
    """Initial epochs as an autoencoder, for smim and svae; then the decoder is reinitialized."""
    dual_rate: float = 1.0
    """ivae: learning rate of the dual networks, relative to that of the model."""
