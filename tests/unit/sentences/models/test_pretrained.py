"""A causal language model of transformers compared with the loss of that package, and error messages."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest
import torch

from textlvm.runtime.errors import UserError
from textlvm.sentences.evaluation import causal
from textlvm.sentences.models import pretrained

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None,
    reason="transformers is not installed: pip install -r envs/pretrained.txt",
)
WORDS = ["<end>", "a", "of", "the", "tale", "city", "<unk>"]


@pytest.fixture
def spec(model_spec):
    return lambda **where: model_spec(objective="lm", family="pretrained", **where)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model with words as tokens, saved by transformers."""
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"eos_token": "<end>", "bos_token": "<end>", "unk_token": "<unk>"}
    path = tmp_path_factory.mktemp("model")
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(path)
    torch.manual_seed(0)
    sizes = {"n_positions": 8, "n_embd": 12, "n_layer": 2, "n_head": 2, "vocab_size": len(WORDS)}
    config = transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0)
    network = transformers.GPT2LMHeadModel(config)
    for parameter in network.parameters():
        parameter.data.normal_()
    network.save_pretrained(path)
    return path


@needs_transformers
def test_likelihood_agrees_with_loss_of_transformers(folder, spec):
    model = pretrained.load(spec(path=str(folder))).eval()
    codes = model.encode("the tale of the unknown")
    assert codes == [3, 4, 2, 3, 6]
    assert (model.start, model.end, model.context) == (0, 0, 8)
    sequence = torch.tensor([model.start, *codes, model.end])
    with torch.no_grad():
        expected = model.network(input_ids=sequence[None], labels=sequence[None]).loss
    found = causal.log_probs(model, sequence, model.context, 4)
    assert -found.mean() == pytest.approx(float(expected), rel=1e-5)


@needs_transformers
def test_long_text_is_read_in_windows_of_the_context_size(folder, spec):
    model = pretrained.load(spec(path=str(folder))).eval()
    codes = torch.randint(len(WORDS), (30,), generator=torch.Generator().manual_seed(3))
    found = causal.log_probs(model, codes, model.context, 8)
    with torch.no_grad():
        for begin in range(0, 29, 8):
            end = min(begin + 8, 29)
            logits = model.network(input_ids=codes[None, begin:end]).logits[0].double()
            expected = logits.log_softmax(1)[range(end - begin), codes[begin + 1 : end + 1]]
            assert found[begin:end] == pytest.approx(expected.numpy(), rel=1e-5)


@needs_transformers
def test_folder_without_weights_is_a_missing_model(folder, spec, tmp_path):
    with pytest.raises(
        pretrained.MissingModel, match=r"model.path '.*' cannot be loaded \(.*\): put all files"
    ):
        pretrained.load(spec(path=str(tmp_path)))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(pretrained.MissingModel, match="put all files of a causal language model there"):
        pretrained.load(spec(path=str(tmp_path)))


def test_failed_download_is_not_a_missing_model(spec, monkeypatch):
    class Offline:
        @staticmethod
        def from_pretrained(*_, **__):
            raise OSError("We couldn't connect to the hub.\nCheck your connection.")

    package = SimpleNamespace(AutoTokenizer=Offline, AutoModelForCausalLM=Offline)
    monkeypatch.setitem(sys.modules, "transformers", package)
    with pytest.raises(UserError) as error:
        pretrained.load(spec(hub="nobody/nothing"))
    # The evaluation catches `MissingModel` and succeeds, so Snakemake would not retry the download.
    assert not isinstance(error.value, pretrained.MissingModel)
    assert str(error.value) == (
        "model.hub 'nobody/nothing' cannot be loaded (We couldn't connect to the hub): run this with "
        "internet access, or give its folder as model.path"
    )


@needs_transformers
def test_missing_folder_is_a_missing_model(spec, tmp_path):
    with pytest.raises(
        pretrained.MissingModel,
        match=r"model\.path '.*absent' is not a folder: put "
        r"the files",
    ):
        pretrained.load(spec(path=str(tmp_path / "absent")))


def test_missing_transformers_message_says_what_to_install(spec, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(pretrained.MissingModel, match=r"pip install -r envs/pretrained\.txt"):
        pretrained.load(spec(hub="gpt2"))
