import pytest

from textlvm.sentences.dataset import Tokenization
from textlvm.sentences.tokenizers import tokenizer, typed


def test_tweets():
    cut = tokenizer(Tokenization(method="tweet"))
    assert cut("Mr. Vinken isn't <unk> , N years old") == [
        *("mr", ".", "vinken", "isn't", "<unk>", ",", "n", "years", "old")
    ]


def test_white_space_of_any_kind_separates():
    cut = tokenizer(Tokenization())
    assert cut(" What 's \t up\u00a0? ") == ["what", "'s", "up", "?"]
    assert cut("  ") == []


@pytest.mark.parametrize("method", ["tweet", "whitespace"])
@pytest.mark.parametrize("lower", [True, False])
def test_unknown_words_and_cases(method, lower):
    cut = tokenizer(Tokenization(method=method, lower=lower, unknown=("_UNK", "<unk>")))
    assert cut("The _UNK ate <unk> x") == ["the" if lower else "The", "<unk>", "ate", "<unk>", "x"]


def test_what_a_user_types_is_cut_like_the_corpora():
    cut = typed(Tokenization(unknown=("_UNK",)))
    assert cut("What's the matter, _UNK? I can't say (yet).") == [
        *("what", "'s", "the", "matter", ",", "<unk>", "?"),
        *("i", "ca", "n't", "say", "(", "yet", ")", "."),
    ]
    assert cut("<unk> <unk>") == ["<unk>", "<unk>"]
    assert typed(Tokenization(method="tweet"))("Don't!") == ["don't", "!"]
