import pytest
import torch

from textlvm.words.inference import InferenceNetwork
from textlvm.words.letters import encode, pack


@pytest.mark.parametrize("bidirectional", [False, True])
def test_context_reads_each_word_separately_from_its_end(bidirectional):
    """The packed GRUs equal the same GRUs run over one word at a time."""
    torch.manual_seed(0)
    network = InferenceNetwork(6, 9, bidirectional, proposals=False).double()
    words = ["abcde", "xyz", "", "q", "mnopq"]
    batch = pack(encode(words), torch.arange(len(words)))
    packed = network.context(batch)
    for word in range(len(words)):
        rows = batch.packing.sequence == word
        embedded = network.embedding(batch.letters[rows])
        summary = network.backward_gru(embedded.flip(0))[0].flip(0)
        if bidirectional:
            summary = torch.cat([network.forward_gru(embedded)[0], summary], -1)
        torch.testing.assert_close(packed[rows], network.from_letters(summary))


def test_backward_context_does_not_see_the_past():
    torch.manual_seed(0)
    network = InferenceNetwork(6, 9, bidirectional=False, proposals=False)
    first, second = (network.context(pack(encode([w]), torch.tensor([0]))) for w in ("abc", "zbc"))
    torch.testing.assert_close(first[1:], second[1:])
    assert not torch.allclose(first[0], second[0])
