import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence

from textlvm.packing import pack_lengths, transfer
from textlvm.words.letters import encode, pack

LENGTHS = st.lists(st.integers(1, 8), min_size=1, max_size=10)


def packed(lengths):
    """The packing of sequences of these lengths, PyTorch's, and the sequences: all different numbers."""
    sequences = torch.arange(sum(lengths)).split(lengths)
    return pack_lengths(torch.tensor(lengths)), pack_sequence(sequences, enforce_sorted=False), sequences


@given(LENGTHS)
def test_rows_are_those_of_a_packed_sequence(lengths):
    packing, expected, sequences = packed(lengths)
    assert list(packing.batch_sizes) == expected.batch_sizes.tolist()
    rows = zip(packing.sequence.tolist(), packing.position.tolist(), strict=True)
    values = [int(sequences[packing.order[sequence]][position]) for sequence, position in rows]
    # PyTorch sorts sequences of equal length in any order.
    for step in packing.steps():
        assert sorted(values[step]) == sorted(expected.data[step].tolist())
    assert [lengths[i] for i in packing.order] == sorted(lengths, reverse=True)
    equal = zip(packing.order.tolist(), packing.order.tolist()[1:], strict=False)
    assert all(lengths[i] > lengths[j] or i < j for i, j in equal)
    assert [rows.stop - rows.start for rows in packing.steps()] == list(packing.batch_sizes)
    for position, rows in enumerate(packing.steps()):
        assert packing.sequence[rows].tolist() == list(range(packing.batch_sizes[position]))
        assert (packing.position[rows] == position).all()


@given(LENGTHS)
def test_reversal_reverses_each_sequence(lengths):
    packing, _, _ = packed(lengths)
    assert torch.equal(packing.reversal[packing.reversal], torch.arange(sum(lengths)))
    assert torch.equal(packing.sequence[packing.reversal], packing.sequence)
    length = torch.tensor(lengths)[packing.order]
    mirrored = length[packing.sequence] - 1 - packing.position
    assert torch.equal(packing.position[packing.reversal], mirrored)
    assert torch.equal(packing.position[packing.last], length - 1)
    assert packing.sequence[packing.last].tolist() == list(range(len(lengths)))


@given(LENGTHS)
def test_sums_means_and_padded_values(lengths):
    packing, _, _ = packed(lengths)
    values = torch.randn(sum(lengths), dtype=torch.float64)
    by_sequence = [values[packing.sequence == i] for i in range(packing.batch)]
    torch.testing.assert_close(packing.sums(values), torch.stack([part.sum() for part in by_sequence]))
    torch.testing.assert_close(packing.means(values), torch.stack([part.mean() for part in by_sequence]))
    expected = torch.nn.utils.rnn.pad_sequence(by_sequence, batch_first=True)
    assert torch.equal(packing.padded(values[:, None]).squeeze(2), expected)
    assert torch.equal(packing.spread(torch.arange(packing.batch)), packing.sequence)
    restored = packing.restore(packing.sums(torch.ones(len(values))))
    assert restored.tolist() == lengths


def test_transfer_moves_all_tensors(monkeypatch):
    # Pinning memory requires a GPU.
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    batch = pack(encode(["to", "a"]), torch.arange(2))
    moved = transfer(batch, torch.device("meta"))
    parts = {**vars(moved), **vars(moved.packing)}
    tensors = {name for name, value in parts.items() if isinstance(value, torch.Tensor)}
    assert tensors == {"letters", "sequence", "position", "reversal", "last", "order"}
    assert {parts[name].device.type for name in tensors} == {"meta"}
    assert moved.packing.batch_sizes == batch.packing.batch_sizes
