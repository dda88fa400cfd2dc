"""The definition of tokens, and the counting of tokens in a stream of bytes.

A *token* is a maximal run of letters, digits and apostrophes, lower-cased, without the apostrophes
at its ends (they are quotation marks): `Don't 'panic', it's 1999` has the tokens `don't`, `panic`,
`it's` and `1999`. The contractions `'s 't 'd 'm 'll 're 've` keep their leading apostrophe, because tokenised
corpora write them as separate words (`do n't`, `we 'll`), and `ll` would be counted as a word.

Letters and digits are those of Unicode (with combining marks) in their usual, composed forms, and invisible
characters are removed (`textlvm.corpora.characters`); the typographic apostrophe `’` is read as `'`, and
each character is lower-cased separately. All other characters are separators: spaces, punctuation, control
characters and NUL, the zero-width space. Text is UTF-8; a run of bytes above 127 that is not valid UTF-8 is
read as Windows-1252, the superset of Latin-1, so neither encoding has to be declared.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np

from textlvm.corpora.characters import INVISIBLE, usual

__all__ = ["TokenCounter", "decode"]

SEPARATORS = bytes(range(128)).translate(
    None, b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'"
)
LOWER_CASED = bytes(b" "[0] if byte in SEPARATORS else bytes([byte]).lower()[0] for byte in range(256))
TYPOGRAPHIC_APOSTROPHES = "’ʼ＇"
CONTRACTIONS = frozenset({"'s", "'t", "'d", "'m", "'ll", "'re", "'ve"})

# A token of up to 8 bytes is one integer, a token of up to 16 bytes is two; longer ones are rare.
WORD = 8
PADDING = b" " * (2 * WORD + 1)
FIRST_BYTES = np.array([(1 << 8 * size) - 1 for size in range(WORD + 1)], dtype="<u8")
MIX = np.uint64(0x9E3779B97F4A7C15)
# Number of keys added by blocks after which equal keys are merged.
PENDING = 1 << 20
LONGEST_RUN = 1 << 20
ARENA = 1 << 24


def decode(data: bytes) -> str:
    """Decode UTF-8, or Windows-1252 where it is not valid UTF-8; undefined bytes become U+FFFD."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


class TokenCounter:
    """Counts the tokens of texts that are passed as blocks of bytes of any size.

    Numpy works on whole blocks: the bytes of each token become one or two 64-bit integers, and sorting groups
    equal tokens. Memory is bounded by the number of distinct tokens. A run of more than 1 MiB without a
    separator is cut into pieces.

    >>> counter = TokenCounter()
    >>> counter.update([b"Tick, to", b"ck; tick"])
    >>> counter.counts()
    {'tick': 2, 'tock': 1}
    """

    def __init__(self) -> None:
        self._short = _Keys(width=1)
        self._middle = _Keys(width=2)
        self._long: dict[bytes, int] = {}
        # glibc returns each freed large array to the system until a larger one has been freed; the page
        # faults of allocating it again would double the time per block.
        np.empty(ARENA, dtype=np.uint8)

    def update(self, blocks: Iterable[bytes]) -> None:
        """Add one text. A token may span several blocks, but not two texts."""
        for text in _cleaned(blocks):
            self._add(_folded(text))

    def counts(self) -> dict[str, int]:
        """Return the counts of all tokens so far, in no particular order."""
        result: dict[str, int] = {}
        long = list(self._long), list(self._long.values())
        for runs, counts in (self._short.sums(), self._middle.sums(), long):
            # Decoding all tokens at once is several times faster than one by one.
            tokens = b"\n".join(runs).decode().split("\n") if runs else []
            for token, count in zip(tokens, counts, strict=True):
                if "'" in token:
                    token = _without_quotes(token)
                if not token.isascii():
                    token = unicodedata.normalize("NFC", token)
                result[token] = result.get(token, 0) + count
        result.pop("", None)
        return result

    def _add(self, text: bytes) -> None:
        padded = b"".join((b" ", text, PADDING))
        inside = np.frombuffer(padded, dtype=np.uint8) != ord(" ")
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        starts = edges[0::2]
        sizes = edges[1::2] - starts
        # A view, not a copy: the eight bytes from each position of the text, as one integer.
        windows = np.ndarray(len(padded) - WORD, dtype="<u8", buffer=padded, offset=1, strides=(1,))
        first = windows[starts] & FIRST_BYTES.take(sizes, mode="clip")
        self._short.add(first[sizes <= WORD, None])
        longer = np.flatnonzero(sizes > WORD)
        middle = longer[sizes[longer] <= 2 * WORD]
        second = windows[starts[middle] + WORD] & FIRST_BYTES[sizes[middle] - WORD]
        self._middle.add(np.stack((first[middle], second), axis=1))
        for token in longer[sizes[longer] > 2 * WORD].tolist():
            run = text[starts[token] : starts[token] + sizes[token]]
            self._long[run] = self._long.get(run, 0) + 1


class _Keys:
    """Counts of keys of one or two 64-bit integers, stored as arrays and merged occasionally."""

    def __init__(self, width: int) -> None:
        self._keys = [np.empty((0, width), dtype="<u8")]
        self._counts = [np.empty(0, dtype=np.int64)]
        self._pending = 0

    def add(self, keys: np.ndarray) -> None:
        keys = _sorted(keys)
        starts = _run_starts(keys)
        self._keys.append(keys[starts])
        self._counts.append(np.diff(starts, append=len(keys)))
        self._pending += len(starts)
        if self._pending > max(PENDING, len(self._keys[0])):
            self._sum()

    def sums(self) -> tuple[list[bytes], list[int]]:
        self._sum()
        keys, counts = self._keys[0], self._counts[0]
        return keys.view(f"S{WORD * keys.shape[1]}")[:, 0].tolist(), counts.tolist()

    def _sum(self) -> None:
        keys, counts = np.concatenate(self._keys), np.concatenate(self._counts)
        order = np.argsort(_sort_key(keys))
        keys, counts = keys[order], counts[order]
        starts = _run_starts(keys)
        self._keys, self._counts, self._pending = [keys[starts]], [np.add.reduceat(counts, starts)], 0


def _sort_key(keys: np.ndarray) -> np.ndarray:
    # Two columns are sorted by a hash. If two keys have the same hash, their runs may alternate, and a key
    # has several rows with partial counts; the sums are the same.
    return keys[:, 0] if keys.shape[1] == 1 else keys[:, 0] * MIX + keys[:, 1]


def _sorted(keys: np.ndarray) -> np.ndarray:
    return np.sort(keys, axis=0) if keys.shape[1] == 1 else keys[np.argsort(_sort_key(keys))]


def _run_starts(keys: np.ndarray) -> np.ndarray:
    if not len(keys):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate(([True], (keys[1:] != keys[:-1]).any(axis=1))))


def _cleaned(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lower-case ASCII letters, replace ASCII separators by spaces, and cut the text at spaces."""
    rest = b""
    for block in blocks:
        text = rest + block.translate(LOWER_CASED)
        end = text.rfind(b" ") + 1
        if not end and len(text) > LONGEST_RUN:
            end = len(text)
        if end:
            yield text[:end]
        rest = text[end:]
    yield rest


def _folded(text: bytes) -> bytes:
    """Convert bytes above 127 to lower-case letters, digits and apostrophes in UTF-8, or to spaces."""
    if text.isascii():
        return text
    above = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) >= 0x80)
    first = np.flatnonzero(np.diff(above, prepend=-2) > 1)
    starts = above[first].tolist()
    ends = (above[np.append(first[1:], len(above)) - 1] + 1).tolist()
    pieces: list[bytes] = []
    position = 0
    for start, end in zip(starts, ends, strict=True):
        pieces += (text[position:start], _folded_run(text[start:end]))
        position = end
    return b"".join((*pieces, text[position:]))


@lru_cache(maxsize=1 << 12)
def _folded_run(run: bytes) -> bytes:
    text = "".join(map(usual, INVISIBLE.sub("", decode(run))))
    return "".join(map(_folded_character, text)).encode()


def _folded_character(character: str) -> str:
    if character in TYPOGRAPHIC_APOSTROPHES:
        return "'"
    # Combining marks belong to the letter before them: é may be written as two characters.
    return "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in character.lower())


def _without_quotes(run: str) -> str:
    run = run.rstrip("'")
    return run if run in CONTRACTIONS else run.lstrip("'")
