"""Settings for the evaluation of a run of the sentences paper; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["EvaluationSpec", "QualitativeSpec"]


@dataclass(frozen=True)
class EvaluationSpec:
    """The settings of an evaluation."""

    repeats: int
    """Number of evaluations of a trained model with different random draws ("averaged over 10 runs")."""
    samples: int
    """N_z of Eq. (16): codes drawn per sentence in an evaluation."""
    batch: int
    """Sentences encoded, scored or generated together; it also determines the random codes."""
    precision: str
    """auto | float32 | bfloat16: type of the large matrix products."""
    max_length: int
    """Maximum number of words of a reconstruction."""
    train_codes: int
    """Maximum number of training sentences whose posteriors form the prior `train_prior`."""
    entropy_codes: int
    """Maximum number of test codes for the estimate of the latent entropy."""
    entropy_neighbours: int
    """k of the nearest-neighbour estimate."""
    reference_ppl: float | None
    """Perplexity of the best other model, for `matching_samples` in the captions of Tables 2-4; or None."""
    as_quoted: bool
    """Whether to record `nll` and `ppl`, the ELBO with <eos> counted as a word, as in the quoted papers."""
    stride: int = 512
    """Distance in tokens between windows of a pretrained model on a text longer than its context."""


@dataclass(frozen=True)
class QualitativeSpec:
    """The settings of Tables 9-21. A sentence is given by its number in the test set, or as text."""

    seed: int
    """Seed of all draws of codes and words."""
    decoding: str
    """greedy | sample: how words are chosen, except in answers, which are always greedy."""
    max_length: int
    """Maximum number of words of a generated sentence."""
    reconstruct: tuple[int | str, ...]
    """Sentences to reconstruct."""
    perturbation: float
    """Factor on the posterior's standard deviation in row (P)."""
    interpolate: tuple[tuple[int | str, int | str], ...]
    """Pairs of sentences to interpolate between."""
    steps: int
    """Number of equispaced points between two codes, including both ends."""
    samples: int
    """Number of sentences to generate from N(0, sigma^2 I)."""
    sigma: float
    """Standard deviation of the codes of samples."""
    questions: tuple[int | str, ...]
    """Questions to answer; a test sentence is used up to its first "?"."""
    answers: dict[str, int]
    """Number of <unk> in place of the answer, by the answer's name in the table."""
