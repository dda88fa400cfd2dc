import pytest
import torch

from textlvm.errors import UserError
from textlvm.training import precision

CPU = torch.device("cpu")


def test_what_is_asked_for_is_taken():
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
def test_auto_takes_bfloat16_where_the_processor_has_it(capabilities, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert precision.choose("auto", CPU) == expected


def test_products_follow_the_context():
    x = torch.randn(3, 3)
    with precision.autocast(CPU, torch.bfloat16):
        assert (x @ x).dtype == precision.compute_dtype(x) == torch.bfloat16
    with precision.autocast(CPU, torch.float32):
        assert (x @ x).dtype == precision.compute_dtype(x) == torch.float32
    assert precision.compute_dtype(x.double()) == torch.float64
    assert precision.accumulation_dtype(torch.bfloat16) == torch.float32
    assert precision.accumulation_dtype(torch.float64) == torch.float64
