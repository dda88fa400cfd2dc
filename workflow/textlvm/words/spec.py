"""Settings of one run of the words paper, as frozen dataclasses; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["LETTER_NGRAMS", "UNTRAINED", "EvaluationSpec", "ModelSpec", "TrainingSpec"]

LETTER_NGRAMS = {"bigram": 2, "trigram": 3}
"""Families of letter n-grams, and their lengths."""

UNTRAINED = ("oracle", *LETTER_NGRAMS)
"""Families without training: the evaluation counts the training words."""


@dataclass(frozen=True)
class ModelSpec:
    """A row's model."""

    family: str
    """state-space | hmm | gru | bigram | trigram | oracle."""
    dim: int
    """State size d; for a GRU also its hidden and embedding size; for an HMM its number of states."""
    transition: str
    """F_g: tril | diag | real-nvp | spline."""
    layers: int
    """Number of TRIL maps composed."""
    masks: tuple[int, ...]
    """Number of leading dimensions that each coupling of a Real NVP leaves unchanged."""
    order: str
    """keep | reverse: the dimensions between layers of F_g."""
    parametrization: str
    """inverse | forward: which direction of F_g the networks compute."""
    width: int
    """Hidden units of every MLP."""
    delta: float
    """Diagonals of the matrices that the networks compute stay out of [-delta, delta]."""
    initial_state: str
    """h_0: learned | zero."""
    inference: str
    """backward | bidirectional."""
    samples: int
    """K of Algorithm 1; 1 is Eq. (9)."""
    resampling: bool = False
    """Whether all K samples are carried on, resampled at every step, instead of one. Settings omit it if
    false, so that those of older runs remain valid."""


@dataclass(frozen=True)
class TrainingSpec:
    """The settings of training."""

    steps: int
    """Number of gradient steps."""
    batch: int
    """Words per step, drawn from the training tokens."""
    learning_rate: float
    """Adam's initial learning rate."""
    schedule: str
    """constant | cosine (to zero over all steps)."""
    clip: float | None
    """Maximum gradient norm; None disables clipping."""
    estimator: str
    """full | path: estimator of the gradient of a state space model's inference model."""
    log_every: int
    """Steps between lines of the training curve; the loss is averaged over them."""
    monitor_every: int
    """Steps between entropy measurements for Figure 2."""
    checkpoint_every: int
    """Steps between checkpoints; an interrupted training also writes one."""


@dataclass(frozen=True)
class EvaluationSpec:
    """The settings of an evaluation."""

    trajectories: int
    """K of Eq. (12), shared by all words; also for free-running GRUs."""
    bootstrap: int
    """Bootstrap resamples for the intervals of cross entropies by Eq. (12)."""
    samples: int
    """N: generated words for the set-based and n-gram metrics."""
    entropy_trajectories: int
    """Free-running trajectories for the entropy gap."""
    entropy_draws: int
    """K draws of xi_t for the marginal entropy (20 in Sec. 5.2)."""
    entropy_reference_draws: int
    """A large K, to show the bias of the small one."""
    importance_words: int
    """Words for the importance-sampled cross entropy, drawn by their test frequency."""
    importance_draws: int
    """Draws of q per word for it, each with the K of the model's training."""
