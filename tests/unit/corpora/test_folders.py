from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from textlvm.corpora.folders import listing, shares

SIZES = st.dictionaries(st.text("ab/é书-", min_size=1, max_size=6), st.integers(0, 100), min_size=1).map(
    lambda sizes: dict(sorted(sizes.items()))
)


def test_listing_has_files_of_subfolders_but_no_links_or_hidden_files(tmp_path):
    for name in ("b.txt", "a/z.txt", "a/b/c.txt", "a.txt", ".git/x", "a/.x", "__MACOSX/a.txt", "书.txt"):
        path = tmp_path / "texts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "texts" / "loop").symlink_to(tmp_path)
    (tmp_path / "texts" / "a" / "link.txt").symlink_to(tmp_path / "texts" / "b.txt")
    found = listing(tmp_path / "texts")
    assert list(found.sizes) == ["a.txt", "a/b/c.txt", "a/z.txt", "b.txt", "书.txt"]
    assert found.sizes["a/z.txt"] == len("a/z.txt")
    assert found.links == ("a/link.txt", "loop")
    assert found.between("a/z.txt", "书.txt") == ["a/z.txt", "b.txt"]


@given(SIZES, st.integers(1, 5), st.integers(1, 100))
def test_shares_partition_the_files(sizes, max_shares, min_bytes):
    found = shares(sizes, max_shares, min_bytes)
    assert [name for share in found for name in share.names] == list(sizes)
    assert len(found) <= max_shares
    for share in found:
        assert [name for name in sizes if share.first <= name and (not share.end or name < share.end)] == [
            *share.names
        ]
    assert all(a.end == b.first for a, b in pairwise(found))
    ideal = sum(sizes.values()) / max(1, min(max_shares, sum(sizes.values()) // min_bytes))
    assert all(sum(sizes[name] for name in share.names) <= ideal + max(sizes.values()) for share in found)


def test_number_of_shares_is_bounded():
    assert len(shares({f"{i:05}": 10**9 for i in range(18_000)})) == 16
    assert len(shares({f"{i:05}": 10 for i in range(18_000)})) == 1
    assert [share.names for share in shares({"a": 0, "b": 0})] == [("a", "b")]
