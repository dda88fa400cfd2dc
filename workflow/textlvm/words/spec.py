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
    """Dimensions that each coupling of a Real NVP lets pass."""
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
    """Whether all K samples are carried on, resampled at every step, and not one of them. Not set where it is
    false, so that the settings of runs from before it are still theirs."""


@dataclass(frozen=True)
class TrainingSpec:
    """The settings of training."""

    steps: int
    """Number of gradient steps."""
    batch: int
    """Words a step, drawn from the training tokens."""
    learning_rate: float
    """Adam's initial learning rate."""
    schedule: str
    """constant | cosine (to zero over all steps)."""
    clip: float | None
    """Maximum gradient norm; None disables clipping."""
    estimator: str
    """full | path: of the gradient of a state space model's inference model."""
    log_every: int
    """Steps between lines of the training curve; the loss is averaged over them."""
    monitor_every: int
    """Steps between entropy measurements for Figure 2."""
    checkpoint_every: int
    """Steps between checkpoints; a training that is stopped also writes one."""


@dataclass(frozen=True)
class EvaluationSpec:
    """The settings of an evaluation."""

    trajectories: int
    """K of Eq. (12), shared by all words; free-running GRUs have as many."""
    bootstrap: int
    """Bootstrap resamples behind the intervals of state space models' cross entropies."""
    samples: int
    """N: generated words for the set-based and n-gram metrics."""
    entropy_trajectories: int
    """Free-running trajectories for the entropy gap."""
    entropy_draws: int
    """K draws of xi_t for the marginal entropy (20 in Sec. 5.2)."""
    entropy_reference_draws: int
    """A large K, to show the bias of the small one."""
    importance_words: int
    """Words, drawn by their test frequency, behind the importance-sampled cross entropy."""
    importance_draws: int
    """Draws of q a word behind it; with K particles each where the model is trained so."""
