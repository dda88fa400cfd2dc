import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from textlvm.training import optimizers

WORKFLOW = Path(__file__).parents[3] / "workflow"
OPTIONS = {
    "Adam": {"lr": 0.1, "fused": True},
    "SGD": {"lr": 0.1, "momentum": 0.9, "fused": True},
}


def trained(kind: type[torch.optim.Optimizer], options: dict) -> list[Tensor]:
    """The weights after six steps with two parameter groups; the state is saved and loaded after three."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    inputs = torch.randn(8, 3)
    state = None
    for _ in range(2):
        optimizer = kind(model[0].parameters(), **options)
        optimizer.add_param_group({"params": model[1].parameters(), "lr": 0.01})
        if state:
            optimizer.load_state_dict(state)
        for _ in range(3):
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            optimizer.step()
        state = optimizer.state_dict()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("name", OPTIONS)
def test_weights_equal_those_of_torch_optim(name):
    ours = trained(getattr(optimizers, name), OPTIONS[name])
    assert all(map(torch.equal, ours, trained(getattr(torch.optim, name), OPTIONS[name])))


def test_optimizers_do_not_import_dynamo():
    code = (
        "import sys, torch\nfrom textlvm.training import optimizers\n"
        "for kind in (optimizers.Adam, optimizers.SGD):\n"
        "    weight = torch.nn.Parameter(torch.ones(2))\n"
        "    optimizer = kind([weight], lr=0.1, fused=True)\n"
        "    optimizer.zero_grad()\n    weight.square().sum().backward()\n    optimizer.step()\n"
        "    optimizer.load_state_dict(optimizer.state_dict())\n    assert weight.tolist() != [1, 1]\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=WORKFLOW)
    assert done.stdout == "False\n", done.stderr
