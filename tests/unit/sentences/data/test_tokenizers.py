import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize.casual import TweetTokenizer

from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import Tokenization
from textlvm.sentences.data.tokenizers import tokenizer, typed


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


METHODS = pytest.mark.parametrize("method", ["tweet", "whitespace"])
PIECES = st.sampled_from(
    ["&#55357;", "&#56832;", "&#xD83D;", "&#x_DE00;", "&#0;", "&#9;", "&#10;", "&#27;", "&#1114112;", "&#x;"]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&#55357;&#56832;", ["\U0001f600"]),
        ("a &#xD83D;&#xDE00; b", ["a", "\U0001f600", "b"]),
        ("&#55357; &#56832;", ["\ufffd", "\ufffd"]),
        ("&#55357;a &#56832;", ["\ufffd", "a", "\ufffd"]),
        ("&#x1F600; &amp; &#233; &#146;", ["\U0001f600", "&", "é", "’"]),
        ("a&#0;b&#27;", ["a", "b"]),
    ],
)
def test_character_references(text, expected):
    assert tokenizer(Tokenization(method="tweet"))(text) == expected


@METHODS
@given(st.lists(st.text(st.characters(), max_size=8) | PIECES, max_size=8).map("".join))
def test_any_text_becomes_tokens_that_can_be_written(method, text):
    for cut in (tokenizer(Tokenization(method=method)), typed(Tokenization(method=method))):
        for token in cut(text):
            assert token.encode()
            assert not {"\t", "\n", "\r"} & {*token}


@METHODS
def test_invisible_characters_and_other_forms_of_letters_make_no_other_words(method):
    for cut in (tokenizer(Tokenization(method=method)), typed(Tokenization(method=method))):
        assert cut("infor\u00admation \ufeff \ufb01nd\u200bcafe\u0301") == ["information", "find", "café"]


def test_a_token_may_have_spaces_in_it():
    cut = tokenizer(Tokenization(method="tweet"))
    assert cut("Call +1 (800) 555-1234 now") == ["call", "+1 (800) 555-1234", "now"]


def test_a_text_that_takes_too_long_is_a_sentence(monkeypatch):
    def tokenize(self, text):
        raise TimeoutError("exceeded")

    monkeypatch.setattr(TweetTokenizer, "tokenize", tokenize)
    with pytest.raises(UserError, match="is too slow for the text that begins with '111'; split the text"):
        tokenizer(Tokenization(method="tweet"))("111")
