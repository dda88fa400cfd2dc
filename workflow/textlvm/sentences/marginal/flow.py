"""A normalizing flow over codes (Papamakarios et al. 2017), fitted in the codes' principal axes."""

import copy
import math

import torch
import zuko
from torch import Tensor

from textlvm.sentences.marginal.axes import Axes
from textlvm.sentences.marginal.priors import CodePrior

__all__ = ["masked_autoregressive_flow"]

TRANSFORMS, HIDDEN = 2, 256
"""Number of autoregressive layers, which alternate in order, and hidden units of each."""
BATCH, LEARNING_RATE = 256, 1e-3
CHECK_EVERY = 50
"""Steps between evaluations of the density of validation codes."""


def masked_autoregressive_flow(
    train: Tensor, valid: Tensor, axes: Axes, steps: int, batch: int = BATCH
) -> CodePrior:
    """A MAF fitted to training codes (M, d) in at most `steps` steps.

    The number of steps is chosen by the density of validation codes (n, d). Batches and weights are drawn
    with PyTorch's default generator. Codes are whitened with `axes` first, so the flow learns the difference
    from the Gaussian of the training codes.
    """
    train_codes, valid_codes = axes.whiten(train).float(), axes.whiten(valid).float()
    flow = zuko.flows.MAF(train_codes.shape[1], 0, transforms=TRANSFORMS, hidden_features=(HIDDEN,))
    optimizer = torch.optim.Adam(flow.parameters(), lr=LEARNING_RATE)
    best, kept, chosen = -math.inf, flow.state_dict(), 0
    # The flow is fitted in full precision.
    with torch.autocast("cpu", enabled=False), torch.enable_grad():
        for step in range(1, steps + 1):
            rows = torch.randint(len(train_codes), (batch,))
            loss = -flow().log_prob(train_codes[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % CHECK_EVERY == 0 or step == steps:
                with torch.no_grad():
                    density = float(flow().log_prob(valid_codes).double().mean())
                if density > best:
                    best, kept, chosen = density, copy.deepcopy(flow.state_dict()), step
    flow.load_state_dict(kept)
    flow.requires_grad_(False)

    def log_prob(z: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return flow().log_prob(axes.whiten(z).float()).double() - axes.log_volume

    def sample(n: int) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return axes.unwhiten(flow().sample((n,)).double())

    return CodePrior("flow", log_prob, sample, chosen=float(chosen))
