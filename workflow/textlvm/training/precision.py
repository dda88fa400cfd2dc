"""The precision of matrix products in training: float32, or bfloat16 if the hardware supports it."""

import os

import torch
from torch import Tensor

from textlvm.runtime.errors import UserError, nearest

__all__ = ["accumulation_dtype", "autocast", "choose", "compute_dtype"]

PRECISIONS = ("auto", "float32", "bfloat16")

# By default, oneDNN caches the compiled kernels of the last 1,024 shapes of products, up to a megabyte each.
# It reads this variable at its first product, and every step that computes in bfloat16 imports this module.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "512")


def choose(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of matrix products for `auto`, `float32` or `bfloat16`; `auto` uses bfloat16 if it is native.

    It is native on a GPU with bfloat16 and on a CPU with AMX or AVX512-BF16 (on Arm, BF16); otherwise PyTorch
    emulates it, which is slower than float32. Raises `UserError` for any other name.
    """
    if precision not in PRECISIONS:
        raise UserError(f"unknown precision '{precision}': {nearest(precision, PRECISIONS)}")
    native = precision == "auto" and _has_bfloat16(device)
    return torch.bfloat16 if native or precision == "bfloat16" else torch.float32


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which matrix products of float32 use `dtype`; no effect for float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=dtype == torch.bfloat16)


def compute_dtype(x: Tensor) -> torch.dtype:
    """The dtype of a product with x in the current context: that of autocast, or that of x."""
    if torch.is_autocast_enabled(x.device.type):
        return torch.get_autocast_dtype(x.device.type)
    return x.dtype


def accumulation_dtype(dtype: torch.dtype) -> torch.dtype:
    """The dtype of losses and states for products with `dtype`: at least float32."""
    return torch.promote_types(dtype, torch.float32)


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    native = any(capabilities.get(name) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return native and torch.backends.mkldnn.is_available()
