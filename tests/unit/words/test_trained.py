import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from specs import BASE

from textlvm.corpora.splits import WordSplit
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json
from textlvm.training.checkpoint import save_weights
from textlvm.words.baseline import GRUBaseline
from textlvm.words.letter_ngram import LetterNgram
from textlvm.words.model import build
from textlvm.words.trained import load_model, read_settings

CPU = torch.device("cpu")
SPLIT = WordSplit(["a", "the"], np.array([3, 2]), np.array([1, 1]))


def spec_of_family(family):
    return dataclasses.replace(BASE, family=family)


@pytest.mark.parametrize("family", ["state-space", "gru"])
def test_saved_weights_are_loaded(tmp_path, family):
    spec = spec_of_family(family)
    torch.manual_seed(1)
    model = build(spec)
    save_weights(tmp_path / "model.safetensors", model)
    loaded = load_model(tmp_path, spec, None, CPU)
    assert not loaded.training
    for name, value in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=0, atol=0)


def test_ngrams_are_counted_from_the_split(tmp_path):
    model = load_model(tmp_path, spec_of_family("bigram"), SPLIT, CPU)
    assert isinstance(model, LetterNgram)
    assert model.order == 2
    with pytest.raises(UserError, match=r"is a trigram, which has no weights: give the words\.tsv"):
        load_model(tmp_path, spec_of_family("trigram"), None, CPU)
    with pytest.raises(UserError, match="is the oracle, which is not a model"):
        load_model(tmp_path, spec_of_family("oracle"), SPLIT, CPU)


def test_weights_of_a_different_spec_are_rejected(tmp_path):
    path = tmp_path / "model.safetensors"
    save_weights(path, GRUBaseline(16))
    with pytest.raises(UserError, match=r"do not match the spec\.json .*size mismatch for embedding\.weight"):
        load_model(tmp_path, spec_of_family("gru"), None, CPU)
    with pytest.raises(UserError, match=r"Missing key.*use files of the same training"):
        load_model(tmp_path, BASE, None, CPU)
    tensors = {name: value.clone() for name, value in build(BASE).state_dict().items()}
    save_file({**tensors, "more": torch.zeros(3)}, path)
    with pytest.raises(UserError, match=r'Unexpected key.*"more"'):
        load_model(tmp_path, BASE, None, CPU)


def test_error_message_names_unreadable_weights(tmp_path):
    with pytest.raises(UserError, match=r"weights .*model.safetensors cannot be read"):
        load_model(tmp_path, BASE, None, CPU)
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"cannot be read .*by training the run again"):
        load_model(tmp_path, BASE, None, CPU)


def test_read_settings_returns_settings_and_rejects_other_folders(tmp_path):
    with pytest.raises(UserError, match="contains no trained run"):
        read_settings(tmp_path)
    model = dataclasses.asdict(BASE)
    write_json(tmp_path / "spec.json", {"name": "words/c/standard/tril", "seed": 3, "model": model})
    settings = read_settings(tmp_path)
    assert (settings.name, settings.seed, settings.model) == ("words/c/standard/tril", 3, BASE)
    write_json(tmp_path / "spec.json", {"name": "sentences/ptb/ae", "seed": 0, "model": {}})
    with pytest.raises(UserError, match=r"holds a run of another paper \(sentences/ptb/ae\)"):
        read_settings(tmp_path)
