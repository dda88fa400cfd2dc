import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.tokenize.casual import TweetTokenizer

from textlvm.runtime.errors import UserError
from textlvm.sentences.data.dataset import Tokenization
from textlvm.sentences.data.tokenizers import tokenizer, typed_tokenizer


def test_tweet_tokenizer():
    tokenize = tokenizer(Tokenization(method="tweet"))
    assert tokenize("Mr. Vinken isn't <unk> , N years old") == [
        *("mr", ".", "vinken", "isn't", "<unk>", ",", "n", "years", "old")
    ]


def test_any_white_space_separates_tokens():
    tokenize = tokenizer(Tokenization())
    assert tokenize(" What 's \t up\u00a0? ") == ["what", "'s", "up", "?"]
    assert tokenize("  ") == []


@pytest.mark.parametrize("method", ["tweet", "whitespace"])
@pytest.mark.parametrize("lower", [True, False])
def test_unknown_tokens_and_lower_case(method, lower):
    tokenize = tokenizer(Tokenization(method=method, lower=lower, unknown=("_UNK", "<unk>")))
    assert tokenize("The _UNK ate <unk> x") == ["the" if lower else "The", "<unk>", "ate", "<unk>", "x"]


def test_typed_text_is_tokenized_like_the_corpus():
    tokenize = typed_tokenizer(Tokenization(unknown=("_UNK",)))
    assert tokenize("What's the matter, _UNK? I can't say (yet).") == [
        *("what", "'s", "the", "matter", ",", "<unk>", "?"),
        *("i", "ca", "n't", "say", "(", "yet", ")", "."),
    ]
    assert tokenize("<unk> <unk>") == ["<unk>", "<unk>"]
    assert typed_tokenizer(Tokenization(method="tweet"))("Don't!") == ["don't", "!"]


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
def test_character_references_are_decoded(text, expected):
    assert tokenizer(Tokenization(method="tweet"))(text) == expected


@METHODS
@given(st.lists(st.text(st.characters(), max_size=8) | PIECES, max_size=8).map("".join))
def test_tokens_of_any_text_can_be_written_as_utf_8(method, text):
    for tokenize in (tokenizer(Tokenization(method=method)), typed_tokenizer(Tokenization(method=method))):
        for token in tokenize(text):
            assert token.encode()
            assert not {"\t", "\n", "\r"} & {*token}


@METHODS
def test_invisible_characters_and_ligatures_are_normalized(method):
    for tokenize in (tokenizer(Tokenization(method=method)), typed_tokenizer(Tokenization(method=method))):
        assert tokenize("infor\u00admation \ufeff \ufb01nd\u200bcafe\u0301") == [
            "information",
            "find",
            "café",
        ]


def test_token_may_contain_spaces():
    tokenize = tokenizer(Tokenization(method="tweet"))
    assert tokenize("Call +1 (800) 555-1234 now") == ["call", "+1 (800) 555-1234", "now"]


def test_timeout_of_the_tokenizer_is_a_user_error(monkeypatch):
    def tokenize(self, text):
        raise TimeoutError("exceeded")

    monkeypatch.setattr(TweetTokenizer, "tokenize", tokenize)
    with pytest.raises(UserError, match="is too slow for the text that begins with '111'; split the text"):
        tokenizer(Tokenization(method="tweet"))("111")
