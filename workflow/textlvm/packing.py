"""Sequences of different lengths in one array without padding, like PyTorch's `PackedSequence`.

The first `batch_sizes[0]` = B rows of a packed array belong to position 1 of every sequence, the next
`batch_sizes[1]` to position 2 of the sequences that have one, and so on. Sequences are sorted by length, so
each step of a recurrent model uses the first rows of the previous step, and nothing is computed after the end
of a sequence.
"""

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

__all__ = ["Packing", "pack_lengths", "transfer"]

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Packing:
    """The sequence and the position of each of the N rows of a packed array."""

    batch_sizes: tuple[int, ...]
    """Number of sequences at each position, non-increasing."""
    sequence: Tensor
    """(N,) sequence of each row, the longest first."""
    position: Tensor
    """(N,) position of each row, from 0."""
    reversal: Tensor
    """(N,) row of position T - 1 - t of the same sequence: an involution that reverses sequences."""
    last: Tensor
    """(B,) row of each sequence's last position."""
    order: Tensor
    """(B,) index of each sequence in the list that was packed."""

    @property
    def batch(self) -> int:
        """Number of sequences B."""
        return self.batch_sizes[0]

    def steps(self) -> list[slice]:
        """The rows of each position."""
        ends = itertools.accumulate(self.batch_sizes)
        return [slice(end - size, end) for end, size in zip(ends, self.batch_sizes, strict=True)]

    def spread(self, values: Tensor) -> Tensor:
        """Repeat the values (B, ...) of each sequence in all its rows: (N, ...)."""
        return values.index_select(0, self.sequence)

    def sums(self, values: Tensor) -> Tensor:
        """Sum packed values (N,) over each sequence: (B,)."""
        return values.new_zeros(self.batch).index_add(0, self.sequence, values)

    def means(self, values: Tensor) -> Tensor:
        """Mean of packed values (N,) over each sequence: (B,)."""
        return self.sums(values) / self.sums(torch.ones_like(values))

    def padded(self, values: Tensor) -> Tensor:
        """Packed values (N, d) as (B, T, d), with zeros after a sequence's end."""
        result = values.new_zeros(self.batch, len(self.batch_sizes), values.shape[1])
        return result.index_put((self.sequence, self.position), values)

    def restore(self, values: Tensor) -> Tensor:
        """Sort values (B, ...) of the sequences into the order of the list that was packed."""
        return torch.empty_like(values).index_copy_(0, self.order, values)


def pack_lengths(lengths: Tensor) -> Packing:
    """The packing of B >= 1 sequences of these lengths (B,); those of equal length keep their order."""
    lengths, order = torch.sort(lengths, descending=True, stable=True)
    reached = lengths > torch.arange(int(lengths[0]))[:, None]
    position, sequence = reached.nonzero(as_tuple=True)
    batch_sizes = reached.sum(1)
    offsets = batch_sizes.cumsum(0) - batch_sizes
    return Packing(
        batch_sizes=tuple(batch_sizes.tolist()),
        sequence=sequence,
        position=position,
        reversal=offsets[lengths[sequence] - 1 - position] + sequence,
        last=offsets[lengths - 1] + torch.arange(len(lengths)),
        order=order,
    )


def transfer(batch: Batch, device: torch.device) -> Batch:
    """A dataclass with its tensors, also those of nested dataclasses, on another device; does not wait."""

    def moved(value: Any) -> Any:
        if isinstance(value, Tensor) and value.device.type != device.type:
            return value.pin_memory().to(device, non_blocking=True)
        return transfer(value, device) if dataclasses.is_dataclass(value) else value

    fields = {field.name: moved(getattr(batch, field.name)) for field in dataclasses.fields(batch)}
    return dataclasses.replace(batch, **fields)
