"""Matrix products over packed rows, padded to a small number of shapes.

On a CPU, oneDNN compiles and caches code for every shape of a product, half a megabyte each, and every batch
has a different number of rows. Here rows of zeros are appended to reach one of few sizes, and removed from
the result.
"""

from torch import Tensor, nn

__all__ = ["linear", "rounded", "with_padding"]


def rounded(rows: int) -> int:
    """The padded number of rows: the next multiple of 8, or of 1/8 of the power of two below if larger.

    >>> [rounded(n) for n in (0, 1, 9, 63, 65, 441, 449, 513)]
    [0, 8, 16, 64, 72, 448, 480, 576]
    """
    multiple = max(8, 1 << max(0, rows.bit_length() - 4))
    return -(-rows // multiple) * multiple


def with_padding(x: Tensor) -> Tensor:
    """x (N, ...) with zeros appended up to `rounded(N)` rows; on a GPU, x itself."""
    missing = rounded(len(x)) - len(x) if x.device.type == "cpu" else 0
    return nn.functional.pad(x, (0, 0) * (x.dim() - 1) + (0, missing)) if missing else x


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x W^T + b for rows x (N, d), like `torch.nn.functional.linear`, computed with padding on a CPU."""
    return nn.functional.linear(with_padding(x), weight, bias)[: len(x)]
