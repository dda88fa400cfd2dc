"""PyTorch's optimizers without importing its compiler, `torch._dynamo`, at the first call.

The import takes more than a second, and no training here is compiled. The methods below are those of PyTorch
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
    """`torch.optim.Adam` without support for `differentiable=True`."""

    step = torch.no_grad()(unwrap(torch.optim.Adam.step))


class SGD(_Uncompiled, torch.optim.SGD):
    """`torch.optim.SGD` without support for `differentiable=True`."""

    step = torch.no_grad()(unwrap(torch.optim.SGD.step))
