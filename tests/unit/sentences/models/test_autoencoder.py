"""The autoencoder: published sizes, likelihoods step by step, gradients, decoding."""

import csv
import re
from pathlib import Path

import pytest
import torch

import textlvm
from textlvm.sentences.data.batches import pack
from textlvm.sentences.data.vocabulary import EOS, PAD, SOS
from textlvm.sentences.models.autoencoder import SentenceModel, build
from textlvm.sentences.models.language_model import LanguageModel
from textlvm.sentences.models.objectives import densities, loss

PUBLISHED = Path(textlvm.__file__).parents[1] / "papers" / "sentences" / "published.csv"

VOCABULARY = {"ptb": 9877, "yelp15": 19730, "yahoo": 37165, "wikitext-103": 89247, "everything": 105965}
SIZES = {"ptb": {"hidden": 512, "embedding": 300}}
LARGE = {"hidden": 1024, "embedding": 512}


def published_sizes():
    with PUBLISHED.open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["kind"] == "own" and line["metric"] == "parameters":
                yield line["dataset"], line["row"], float(line["value"])


@pytest.mark.parametrize(("dataset", "row", "millions"), list(published_sizes()))
def test_number_of_parameters_agrees_with_the_paper(dataset, row, millions, model_spec):
    """A dagger in the label marks a model trained on all data sets."""
    corpus = "everything" if row.endswith("†") else dataset
    spec = model_spec(latent=int(re.search(r"\((\d+)\)", row)[1]), **SIZES.get(corpus, LARGE))
    with torch.device("meta"):
        model = build(spec, VOCABULARY[corpus])
    assert round(sum(p.numel() for p in model.parameters()) / 1e6) == millions


@pytest.fixture(params=["gru", "lstm"])
def model(request, model_spec):
    torch.manual_seed(0)
    return SentenceModel(model_spec(cell=request.param), 20).double()


def step_by_step(model, sentence, state, z=None):
    """log p(words|z) and log p(<eos>|words, z) of one sentence, computed with single steps."""
    log_probs = []
    for read, target in zip([SOS, *sentence], [*sentence, EOS], strict=True):
        state = model.decoder.step(model.embedding(torch.tensor([read])), state, z)
        log_probs.append(torch.log_softmax(model.output(state[:, :11]), -1)[0, target])
    return sum(log_probs[:-1], torch.zeros(())), log_probs[-1]


def test_packed_likelihoods_agree_with_single_sentences(model, random_sentences):
    sentences = random_sentences([5, 0, 8, 2])
    batch, z = pack(sentences), torch.randn(4, 5, dtype=torch.float64)
    words, end = model.log_likelihood(batch, z)
    for i, place in enumerate(batch.packing.order.tolist()):
        code = z[i : i + 1]
        expected_words, expected_end = step_by_step(
            model, sentences[place].tolist(), model.initial(code), code
        )
        torch.testing.assert_close(words[i], expected_words.double())
        torch.testing.assert_close(end[i], expected_end)


def test_posterior_depends_only_on_its_sentence_in_reverse(model, random_sentences):
    sentences = random_sentences([5, 0, 8, 2])
    batch = pack(sentences)
    together = model.encode(batch)
    for i, place in enumerate(batch.packing.order.tolist()):
        single = model.encode(pack([sentences[place]]))
        torch.testing.assert_close(together.loc[i], single.loc[0])
        torch.testing.assert_close(together.log_scale[i], single.log_scale[0])
        state = torch.zeros(1, model.encoder.state_size, dtype=torch.float64)
        for code in [*reversed(sentences[place].tolist()), SOS]:
            state = model.encoder.step(model.embedding(torch.tensor([code])), state)
        torch.testing.assert_close(single.loc, model.mean(state[:, :11]))


def test_log_variances_are_clamped_from_below(model, random_sentences):
    model.log_variance.bias.data.fill_(-50.0)
    posterior = model.encode(pack(random_sentences([3])))
    torch.testing.assert_close(posterior.log_scale, torch.full_like(posterior.log_scale, -5.0))


@pytest.mark.parametrize("objective", ["smim", "svae", "ae"])
def test_every_parameter_has_a_gradient(model, objective, random_sentences):
    batch = pack(random_sentences([5, 0, 8, 2, 20]))
    loss(objective, densities(model, batch, objective)).backward()
    untouched = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # An autoencoder uses only the mean.
    assert untouched == ({"log_variance.weight", "log_variance.bias"} if objective == "ae" else set())


def test_objectives_share_the_same_parameters(model_spec):
    shapes = [
        {name: p.shape for name, p in SentenceModel(model_spec(objective=o), 20).named_parameters()}
        for o in ("smim", "svae", "ae")
    ]
    assert shapes[0] == shapes[1] == shapes[2]


@pytest.mark.parametrize("side", ["dropout", "encoder_dropout"])
def test_encoder_and_decoder_have_separate_dropout(side, model_spec, random_sentences):
    """Without dropout of the encoder, codes are deterministic during training."""
    model = SentenceModel(model_spec(**{side: 0.5}), 20)
    batch, z = pack(random_sentences([30])), torch.randn(1, 5)

    def codes_are_deterministic():
        return torch.equal(model.encode(batch).loc, model.encode(batch).loc)

    def likelihoods_are_deterministic():
        return torch.equal(*(model.log_likelihood(batch, z)[0] for _ in range(2)))

    assert codes_are_deterministic() == (side == "dropout")
    assert likelihoods_are_deterministic() == (side == "encoder_dropout")
    model.eval()
    assert codes_are_deterministic()
    assert likelihoods_are_deterministic()


def test_greedy_decoding_takes_the_most_probable_word(model):
    torch.manual_seed(1)
    model.output.weight.data *= 4
    model.output.bias.data[EOS] += 1.5
    z = 3 * torch.randn(6, 5, dtype=torch.float64)
    sentences = model.decode(z, "greedy", forbid=(7,), max_length=12)
    assert {len(s) < 12 for s in sentences} == {True, False}
    for i, sentence in enumerate(sentences):
        assert not {PAD, SOS, EOS, 7} & set(sentence)
        state = model.initial(z[i : i + 1])
        expected = sentence if len(sentence) == 12 else [*sentence, EOS]
        for read, target in zip([SOS, *sentence], expected, strict=False):
            state = model.decoder.step(model.embedding(torch.tensor([read])), state, z[i : i + 1])
            logits = model.output(state[:, :11])[0]
            logits[[PAD, SOS, 7]] = -torch.inf
            assert int(logits.argmax()) == target


def test_rare_words_are_sampled_in_bfloat16(model_spec):
    """With equal probabilities, 4,000 draws from 4,000 words have about 4,000 (1 - 1/e) distinct words."""
    torch.manual_seed(0)
    model = SentenceModel(model_spec(), 4_000)
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.zero_()
    with torch.autocast("cpu", torch.bfloat16):
        sentences = model.decode(torch.zeros(4_000, 5), "sample", max_length=1)
    assert len({sentence[0] for sentence in sentences if sentence}) == pytest.approx(2_528, abs=100)


def test_decoding_keeps_the_state_in_float32_under_autocast(model_spec, monkeypatch):
    model = SentenceModel(model_spec(), 20)
    dtypes, step = [], model.decoder.step
    monkeypatch.setattr(
        model.decoder, "step", lambda x, state, z: dtypes.append(state.dtype) or step(x, state, z)
    )
    with torch.autocast("cpu", torch.bfloat16):
        model.decode(torch.randn(50, 5), "sample", max_length=5)
    assert len(dtypes) > 1
    assert set(dtypes) == {torch.float32}


def test_sampled_words_follow_the_model_distribution(model):
    z = torch.randn(1, 5, dtype=torch.float64).expand(20_000, -1)
    torch.manual_seed(0)
    first = torch.tensor([(s or [EOS])[0] for s in model.decode(z, "sample", max_length=1)])
    state = model.decoder.step(model.embedding(torch.tensor([SOS])), model.initial(z[:1]), z[:1])
    logits = model.output(state[:, :11])[0]
    logits[[PAD, SOS]] = -torch.inf
    share = torch.bincount(first, minlength=20) / len(first)
    torch.testing.assert_close(share.double(), logits.softmax(0), atol=0.015, rtol=0)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_language_model_agrees_with_single_steps(cell, model_spec, random_sentences):
    torch.manual_seed(0)
    model = LanguageModel(model_spec(objective="lm", cell=cell), 20).double()
    sentences = random_sentences([5, 0, 8])
    batch = pack(sentences)
    words, end = model.log_likelihood(batch)
    for i, place in enumerate(batch.packing.order.tolist()):
        initial = torch.zeros(1, model.decoder.state_size, dtype=torch.float64)
        expected_words, expected_end = step_by_step(model, sentences[place].tolist(), initial)
        torch.testing.assert_close(words[i], expected_words.double())
        torch.testing.assert_close(end[i], expected_end)
    (words + end).sum().backward()
    assert all(p.grad.any() for p in model.parameters())
