import re
import tracemalloc
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.corpora import tokens
from textlvm.corpora.characters import INVISIBLE, usual
from textlvm.corpora.tokens import TokenCounter, decode

CONTRACTIONS = {"'s", "'t", "'d", "'m", "'ll", "'re", "'ve"}
# Words of all lengths around 8 and 16 bytes, where the method changes; few, so that they are repeated.
WORDS = st.one_of(
    st.sampled_from(["a", "The", "it's", "don't", "'quoted'", "'ll", "x" * 7, "x" * 8, "x" * 9, "y" * 15]),
    st.sampled_from(["infor\u00admation", "\ufb01nd", "\uff34ick", "\u017fo", "n\u00ba", "\ufeffa\u2060b"]),
    st.sampled_from(["Y" * 16, "y" * 17, "z" * 40, "ÿ" * 9]),
    st.sampled_from(["naïve", "CAFÉ", "cafe\u0301", "it’s", "1999", "''"]),
    st.text(alphabet="abAB01'’éÉ", max_size=20),
)
GAPS = st.sampled_from([" ", "\n", "\r\n", "\0", "\u200b", ", ", "—", "_", "\t", "…", " ' "])
TEXTS = st.lists(st.tuples(WORDS, GAPS), max_size=60).map(lambda parts: "".join(w + g for w, g in parts))


def counted(*blocks: bytes) -> dict[str, int]:
    counter = TokenCounter()
    counter.update(blocks)
    return counter.counts()


def reference(text: str) -> dict[str, int]:
    """The definition of a token, implemented character by character."""
    text = "".join(map(usual, INVISIBLE.sub("", text)))
    lowered = "".join(character.lower() for character in re.sub("[’ʼ＇]", "'", text))
    kept = "".join(
        c if c == "'" or c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in lowered
    )
    stripped = (run.rstrip("'") for run in kept.split(" "))
    words = (run if run in CONTRACTIONS else run.lstrip("'") for run in stripped)
    return dict(Counter(unicodedata.normalize("NFC", word) for word in words if word))


@given(TEXTS)
def test_counts_follow_the_definition(text):
    assert counted(text.encode()) == reference(text)


@given(st.text(max_size=80))
def test_counts_follow_the_definition_on_any_text(text):
    data = text.encode("utf-8", errors="replace")
    assert counted(data) == reference(data.decode())


@given(TEXTS, st.lists(st.integers(0, 400), max_size=5))
def test_counts_do_not_depend_on_block_boundaries(text, cuts):
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert counted(*pieces) == counted(data)


@given(TEXTS, TEXTS)
def test_tokens_do_not_span_texts(first, second):
    counter = TokenCounter()
    counter.update([first.encode()])
    counter.update([second.encode()])
    assert Counter(counter.counts()) == Counter(reference(first)) + Counter(reference(second))


@given(st.binary(max_size=300))
def test_tokens_of_any_bytes_contain_no_white_space(data):
    for token, count in counted(data).items():
        assert count > 0
        assert not re.search(r"\s|\0", token)


def test_counts_are_exact_after_merging_pending_keys(monkeypatch):
    monkeypatch.setattr(tokens, "PENDING", 50)
    words = [
        f"{'long' if i % 3 else ''}word{i * i % 97}{'suffix' if i % 5 == 0 else ''}" for i in range(3000)
    ]
    blocks = [" ".join(words[i : i + 10]).encode() + b"\n" for i in range(0, 3000, 10)]
    assert counted(*blocks) == dict(Counter(words))


def test_keys_with_the_same_hash_are_counted_separately(monkeypatch):
    monkeypatch.setattr(tokens, "MIX", tokens.np.uint64(0))
    text = b"abcdefghijklmno bbcdefghijklmno " * 50
    assert counted(text) == {"abcdefghijklmno": 50, "bbcdefghijklmno": 50}


def test_memory_does_not_depend_on_the_length_of_the_text():
    block = " ".join(f"word{i}" for i in range(20_000)).encode() + b" "

    def peak(blocks: int) -> int:
        tracemalloc.start()
        counted(*[block] * blocks)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # Twice and four times the number of keys after which they are merged.
    few = tokens.PENDING // 20_000
    assert peak(4 * few) < 1.1 * peak(2 * few)


def test_run_without_separators_is_cut_into_bounded_pieces():
    block = b"a" * (1 << 19)
    counts = counted(*[block] * 8)
    assert sum(len(word) * count for word, count in counts.items()) == 8 << 19
    assert max(map(len, counts)) <= tokens.LONGEST_RUN + len(block)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", {}),
        (b"\0\0\0", {}),
        (b"\xef\xbb\xbfthe BOM", {"the": 1, "bom": 1}),
        ("infor\u00admation \u00ad mation\u00ad".encode(), {"information": 1, "mation": 1}),
        (b"infor\xadmation", {"information": 1}),
        ("a\u200cb c\u200dd e\u2060f g\ufeffh".encode(), {"ab": 1, "cd": 1, "ef": 1, "gh": 1}),
        ("\ufeff\u200eleft\u200f, a\ufe0f \ufe0f".encode(), {"left": 1, "a": 1}),
        ("one\u200btwo".encode(), {"one": 1, "two": 1}),
        ("\ufb01nd a\ufb03x \ufb04".encode(), {"find": 1, "affix": 1, "ffl": 1}),
        ("\uff34\uff49\uff43\uff4b don\uff07t 1\uff19".encode(), {"tick": 1, "don't": 1, "19": 1}),
        ("\u017fo cafe\u0301 caf\u00e9".encode(), {"so": 1, "caf\u00e9": 2}),
        ("n\u00ba x\u00b2 1\u00bd \u00b4".encode(), {"n\u00ba": 1, "x\u00b2": 1, "1\u00bd": 1}),
        (b"caf\xe9 na\xefve", {"café": 1, "naïve": 1}),
        (b"don\x92t \x93quote\x94", {"don't": 1, "quote": 1}),
        ("“‘Don’t,’ she said—’tis”".encode(), {"don't": 1, "she": 1, "said": 1, "tis": 1}),
        (
            b"we 'll , do n't 's 'tis '' o'clock'",
            {"we": 1, "'ll": 1, "do": 1, "n't": 1, "'s": 1, "tis": 1, "o'clock": 1},
        ),
    ],
    ids=[
        *("empty", "NUL", "byte order mark", "soft hyphen", "soft hyphen in Latin-1", "joiners"),
        *("edges", "zero-width space", "ligatures", "full width", "other forms", "kept forms"),
        *("Latin-1", "Windows-1252", "typographic", "tokenised"),
    ],
)
def test_examples(data, expected):
    assert counted(data) == expected


def test_decode_prefers_utf_8():
    assert decode("café".encode()) == "café"
    assert decode(b"caf\xe9 \x81") == "café \ufffd"
