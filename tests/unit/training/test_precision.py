import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from textlvm.runtime.errors import UserError
from textlvm.training import precision

CPU = torch.device("cpu")


def test_requested_precision_is_used():
    assert precision.choose("float32", CPU) == torch.float32
    assert precision.choose("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(UserError, match=r"unknown precision 'bf16': .*bfloat16"):
        precision.choose("bf16", CPU)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_auto_uses_native_bfloat16(capabilities, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert precision.choose("auto", CPU) == expected


def test_products_have_the_autocast_dtype():
    x = torch.randn(3, 3)
    with precision.autocast(CPU, torch.bfloat16):
        assert (x @ x).dtype == precision.compute_dtype(x) == torch.bfloat16
    with precision.autocast(CPU, torch.float32):
        assert (x @ x).dtype == precision.compute_dtype(x) == torch.float32
    assert precision.compute_dtype(x.double()) == torch.float64
    assert precision.accumulation_dtype(torch.bfloat16) == torch.float32
    assert precision.accumulation_dtype(torch.float64) == torch.float64


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")
@pytest.mark.parametrize(("wanted", "hit"), [(None, False), ("1024", True)])
def test_onednn_primitive_cache_is_limited(wanted, hit):
    script = """
import torch
from textlvm.sentences import train
weight = torch.ones(64, 64, dtype=torch.bfloat16)
for rows in (1000, *range(100, 700), 1000):
    torch.mm(torch.ones(rows, 64, dtype=torch.bfloat16), weight)
"""
    variables = {name: value for name, value in os.environ.items() if "PRIMITIVE_CACHE" not in name}
    variables |= {"ONEDNN_VERBOSE": "2", "PYTHONPATH": str(Path(precision.__file__).parents[2])}
    if wanted:
        variables["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] = wanted
    output = subprocess.run(
        [sys.executable, "-c", script], env=variables, capture_output=True, text=True, check=True
    ).stdout
    created = [line for line in output.splitlines() if ",create:" in line and "1000x64" in line]
    if not created:
        pytest.skip("this processor's products in bfloat16 are not oneDNN's")
    assert ("cache_hit" in created[-1]) == hit
