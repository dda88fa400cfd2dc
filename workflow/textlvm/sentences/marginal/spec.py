"""Settings for estimating the marginal likelihood of a run; config.yaml explains each value."""

from dataclasses import dataclass

__all__ = ["MarginalSpec"]


@dataclass(frozen=True)
class MarginalSpec:
    """Settings of the estimates."""

    samples: tuple[int, ...]
    """Numbers of codes K of the importance-weighted bound."""
    neighbours: tuple[int, ...]
    """Numbers of nearest training codes."""
    common: int
    """Maximum number of codes, or neighbours, that are scored for every test sentence."""
    part: int
    """Number of test sentences, drawn at random, for which more codes or neighbours are scored."""
    noises: tuple[float, ...]
    """Noise of the proposals, in units of the prior's mean spread; 0 is the encoder's posterior."""
    validation_sentences: int
    """Number of validation sentences for the choice of the noise."""
    validation_samples: int
    """Number of codes K for the choice of the noise."""
    train_codes: int
    """Maximum number of training sentences whose codes the priors are fitted to."""
    components: tuple[int, ...]
    """Numbers of components of the mixture, of which one is chosen on validation sentences."""
    flow_steps: int
    """Maximum number of steps of the flow's fit; the number is chosen on validation sentences."""
    prior_widths: tuple[float, ...]
    """Widths of the aggregated posterior in [0, 1], of which one is chosen on validation sentences."""
    prior_codes: int
    """Maximum number of components of the aggregated posterior."""
    sentences: int
    """Number of sentences decoded from samples of each prior."""
    max_length: int
    """Maximum number of words of such a sentence."""
    batch: int
    """Sentences encoded or scored together."""
    precision: str
    """auto | float32 | bfloat16: type of the large matrix products."""
