"""PyTorch's optimizers without its compiler, `torch._dynamo`, which they import when they are first called.

No training is compiled here, and that import takes more than a second. The methods below are PyTorch's own
without the decorators that import it.
"""

from inspect import unwrap

import torch

__all__ = ["SGD", "Adam"]


class _Uncompiled(torch.optim.Optimizer):
    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)


class Adam(_Uncompiled, torch.optim.Adam):
    """`torch.optim.Adam`; not for `differentiable=True`."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(_Uncompiled, torch.optim.SGD):
    """`torch.optim.SGD`; not for `differentiable=True`."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))
