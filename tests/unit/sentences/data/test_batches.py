"""Packing, batches of training and batches of evaluation."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.sentences.data.batches import TrainingBatches, evaluation_batches, pack
from textlvm.sentences.data.vocabulary import EOS, SOS, UNK

SENTENCES = st.lists(st.lists(st.integers(3, 9), max_size=6), min_size=1, max_size=8)


def unpack(batch, values):
    """Packed values as one list per sentence, in the order of the batch."""
    return [values[batch.packing.sequence == i].tolist() for i in range(len(batch))]


@given(SENTENCES)
@settings(deadline=None)
def test_packing_round_trip(sentences):
    batch = pack([np.array(s, dtype=np.int32) for s in sentences])
    order = batch.packing.order.tolist()
    assert unpack(batch, batch.encoder_inputs) == [[SOS, *sentences[i]] for i in order]
    assert unpack(batch, batch.decoder_inputs) == [[SOS, *sentences[i]] for i in order]
    assert unpack(batch, batch.targets) == [[*sentences[i], EOS] for i in order]


def test_words_and_end_separates_eos():
    batch = pack([np.array([4, 5]), np.array([], dtype=np.int64), np.array([6])])
    words, end = batch.words_and_end(torch.where(batch.targets == EOS, 10.0, 1.0))
    assert batch.packing.restore(words).tolist() == [2.0, 0.0, 1.0]
    assert end.tolist() == [10.0] * 3


@pytest.mark.parametrize("order", ["random", "pools"])
def test_epoch_has_every_sentence_once_in_a_new_order(order, sentence_set, random_sentences):
    sentences = sentence_set(random_sentences(np.random.default_rng(0).integers(1, 8, size=230)))
    batches = TrainingBatches(sentences, 20, order, None, seed=3)
    assert batches.per_epoch == 12
    epochs = [
        [tuple(s) for step in range(start, start + 12) for s in unpack(batches(step), batches(step).targets)]
        for start in (1, 13)
    ]
    expected = sorted((*s.tolist(), EOS) for s in sentences)
    assert [sorted(epoch) for epoch in epochs] == [expected, expected]
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("order", ["random", "pools"])
def test_batches_are_a_function_of_seed_and_step(order, sentence_set, random_sentences):
    sentences = sentence_set(random_sentences(np.random.default_rng(0).integers(1, 30, size=90)))

    def batch(of, step):
        return of(step, encoder_unk=0.3, decoder_unk=0.3)

    whole = TrainingBatches(sentences, 20, order, 10, seed=3)
    seen = [batch(whole, step) for step in range(1, 13)]
    for step in (4, 11):
        again = batch(TrainingBatches(sentences, 20, order, 10, seed=3), step)
        for name in ("encoder_inputs", "decoder_inputs", "targets"):
            assert torch.equal(getattr(again, name), getattr(seen[step - 1], name))
    other = batch(TrainingBatches(sentences, 20, order, 10, seed=4), 1)
    assert not torch.equal(other.targets, seen[0].targets)


def test_batches_from_pools_have_sentences_of_similar_length(sentence_set, random_sentences):
    lengths = np.clip(np.random.default_rng(0).normal(21, 10, size=4000), 1, 60).astype(int)
    sentences = sentence_set(random_sentences(lengths))
    fill_ratio = {}
    for order in ("random", "pools"):
        batches = TrainingBatches(sentences, 20, order, None, seed=0)
        all_sizes = [batches(step).packing.batch_sizes for step in range(1, 201)]
        fill_ratio[order] = sum(map(sum, all_sizes)) / sum(len(sizes) * sizes[0] for sizes in all_sizes)
    assert fill_ratio["pools"] > 0.97
    assert fill_ratio["random"] < 0.6


def test_random_batches_are_drawn_from_the_whole_set(sentence_set, random_sentences):
    """The mean length of a batch has the standard deviation of the mean of 20 independent draws."""
    lengths = np.random.default_rng(0).integers(1, 41, size=4000)
    batches = TrainingBatches(sentence_set(random_sentences(lengths)), 20, "random", None, seed=0)
    means = [np.mean([len(s) for s in batches.sentences_of(step)]) for step in range(1, 201)]
    assert np.std(means) == pytest.approx(np.std(lengths) / np.sqrt(20), rel=0.15)


def test_long_sentences_are_cut_at_random_positions(sentence_set):
    batches = TrainingBatches(sentence_set([np.arange(4, 104)]), 1, "random", 10, seed=0)
    starts = set()
    for step in range(1, 400):
        words = batches(step).targets[:-1].numpy()
        assert np.array_equal(words, words[0] + np.arange(10))
        starts.add(int(words[0]))
    assert {4, 94} <= starts <= set(range(4, 95))


def test_unk_replaces_inputs_but_not_targets():
    batch = pack([np.arange(4, 104) for _ in range(40)])
    masked = batch.with_unknown(0.2, 0.5, np.random.default_rng(0))
    assert torch.equal(masked.targets, batch.targets)
    for inputs, share in ((masked.encoder_inputs, 0.2), (masked.decoder_inputs, 0.5)):
        replaced = inputs == UNK
        assert float(replaced.float().mean()) == pytest.approx(share, abs=0.03)
        assert torch.equal(inputs[~replaced], batch.decoder_inputs[~replaced])
        assert not (replaced & (batch.decoder_inputs == SOS)).any()


def test_evaluation_batches_contain_every_sentence_uncut(sentence_set, random_sentences):
    sentences = sentence_set(random_sentences([3, 0, 9, 1, 4]))
    seen = {}
    for index, batch in evaluation_batches(sentences, 2):
        assert batch.packing.order.tolist() == list(range(len(batch)))
        seen |= {int(i): words[:-1] for i, words in zip(index, unpack(batch, batch.targets), strict=True)}
    assert seen == {i: sentences[i].tolist() for i in range(5)}
