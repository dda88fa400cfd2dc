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
    """So many codes, or neighbours, at most are scored of every test sentence, ..."""
    part: int
    """... and more of a draw of so many sentences."""
    noises: tuple[float, ...]
    """Noise of the proposals, in units of the prior's mean spread; 0 is the encoder's posterior itself."""
    validation_sentences: int
    """Validation sentences that it is chosen by."""
    validation_samples: int
    """Their number of codes K."""
    train_codes: int
    """Maximum number of training sentences whose codes the priors are fitted to."""
    components: tuple[int, ...]
    """Numbers of components of the mixture, of which one is chosen on validation."""
    flow_steps: int
    """Steps of the flow's fit at most; how many are taken is chosen on validation."""
    prior_widths: tuple[float, ...]
    """Widths of the aggregated posterior's components, in [0, 1], of which one is chosen on validation."""
    prior_codes: int
    """Components of the aggregated posterior; if there are more training codes, a draw."""
    sentences: int
    """Number of sentences written from codes of each prior."""
    max_length: int
    """Maximal number of their words."""
    batch: int
    """Sentences encoded or scored together."""
    precision: str
    """auto | float32 | bfloat16: type of the large matrix products."""
