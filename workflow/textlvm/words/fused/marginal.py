"""The sums over trajectories of `textlvm.words.marginal`, by the compiled code."""

import ctypes

import torch
from torch import Tensor

from textlvm.words.fused.build import library
from textlvm.words.fused.structures import MarginalProblem, Trie

__all__ = ["CompiledProduct", "Levels"]

Levels = tuple[tuple[Tensor, Tensor], ...]
"""For each position, all distinct prefixes up to it: the index of the prefix without its last symbol,
and that symbol."""


class CompiledProduct:
    """Entries of the product of two tries' matrices, on a CPU."""

    def __init__(self, left: Levels, right: Levels, starts: Tensor, columns: Tensor) -> None:
        """The entries of row i are in the columns `columns[starts[i]:starts[i + 1]]`."""
        self.tries = [_flat(levels) for levels in (left, right)]
        self.starts, self.columns = starts.contiguous(), columns.int()

    def __call__(self, *tables: Tensor) -> Tensor:
        """The entries summed over k, (V,) float64, from the values of both tries' symbols (S, symbols, C).

        Raises `TypeError` unless the values are float32 on the CPU, and `MemoryError` if memory runs out.
        """
        types = {(table.device.type, table.dtype) for table in tables}
        if types != {("cpu", torch.float32)}:
            raise TypeError(f"the compiled product takes float32 on the CPU, not {types}")
        # Keeps the arrays alive until the call returns.
        tables = tuple(table.contiguous() for table in tables)
        left, right = (
            Trie(len(sizes), *(array.data_ptr() for array in (sizes, parents, symbols, table)))
            for (sizes, parents, symbols), table in zip(self.tries, tables, strict=True)
        )
        sums = torch.zeros(len(self.columns), dtype=torch.float64)
        problem = MarginalProblem(
            *(*tables[0].shape[1:], len(self.starts) - 1, left, right),
            *(array.data_ptr() for array in (self.starts, self.columns, sums)),
        )
        compiled = library()
        assert compiled is not None
        if not compiled.marginal(ctypes.byref(problem)):
            raise MemoryError("no memory for the products of a block of trajectories")
        return sums


def _flat(levels: Levels) -> tuple[Tensor, Tensor, Tensor]:
    """Concatenate the levels: the number of nodes of each, and all their parents and symbols."""
    sizes = torch.tensor([len(parents) for parents, _ in levels], dtype=torch.long)
    none = torch.empty(0, dtype=torch.int32)
    parents, symbols = (torch.cat([none, *(level[i].int() for level in levels)]) for i in (0, 1))
    return sizes, parents, symbols
