"""Settings for the evaluation of a run of the sentences paper; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["EvaluationSpec", "QualitativeSpec"]


@dataclass(frozen=True)
class EvaluationSpec:
    """The settings of an evaluation."""

    repeats: int
    """Evaluations of the one trained model, each with draws of its own ("averaged over 10 runs")."""
    samples: int
    """N_z of Eq. (16), codes drawn for each sentence in an evaluation."""
    batch: int
    """Sentences encoded, scored or generated together. With another number other codes are drawn."""
    precision: str
    """auto | float32 | bfloat16: type of the large matrix products."""
    max_length: int
    """Words of a reconstruction at most."""
    train_codes: int
    """Maximum number of training sentences whose posteriors form the prior `train_prior`."""
    entropy_codes: int
    """Test codes that the latent entropy is estimated from; if there are more, a draw."""
    entropy_neighbours: int
    """k of the nearest-neighbour estimate."""
    reference_ppl: float | None
    """Perplexity of the best other model, for `matching_samples` in the captions of Tables 2-4; or None."""
    as_quoted: bool
    """Whether `nll` and `ppl` are recorded, <eos> counted as a word: the bound of works the paper quotes."""
    stride: int = 512
    """Tokens between two windows of a pretrained model on a text longer than its context."""


@dataclass(frozen=True)
class QualitativeSpec:
    """The settings of Tables 9-21. A sentence is given by its number in the test set, or as quoted text."""

    seed: int
    """Of all draws of codes and words."""
    decoding: str
    """greedy | sample: how words are chosen, other than in answers, which are greedy."""
    max_length: int
    """Words of a generated sentence at most."""
    reconstruct: tuple[int | str, ...]
    """Sentences to reconstruct."""
    perturbation: float
    """Factor on the posterior's standard deviation in row (P)."""
    interpolate: tuple[tuple[int | str, int | str], ...]
    """Pairs of sentences to interpolate between."""
    steps: int
    """Equispaced points between two codes, both ends among them."""
    samples: int
    """Sentences to generate from N(0, sigma^2 I)."""
    sigma: float
    """Its standard deviation."""
    questions: tuple[int | str, ...]
    """Questions to answer: of a test sentence the part up to its first "?"."""
    answers: dict[str, int]
    """Number of <unk> in place of the answer, by the answer's name in the table."""
