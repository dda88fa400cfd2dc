import gzip
import tarfile
import zipfile
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textlvm.corpora.counting import count, merge, read_counts, write_counts
from textlvm.corpora.folders import listing, shares
from textlvm.runtime.errors import UserError

LINES = st.lists(st.text(alphabet="abcABC'’é .,\n", max_size=60), min_size=1, max_size=12)
with_tmp_path = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)


@with_tmp_path
@given(LINES, st.integers(1, 5), st.randoms())
def test_merged_counts_of_parts_equal_the_counts_of_the_text(tmp_path, lines, number, random):
    whole = tmp_path / "whole"
    whole.write_text("some words\n" + "\n".join(lines), encoding="utf-8")
    parts = []
    for i in range(number):
        source, counts = tmp_path / f"part{i}", tmp_path / f"part{i}.tsv"
        source.write_text(
            "\n".join([*(["some words"] if i == 0 else ["x"]), *lines[i::number]]), encoding="utf-8"
        )
        write_counts(counts, count(source))
        parts.append(counts)
    random.shuffle(parts)
    expected = Counter(count(whole)) + Counter({"x": number - 1})
    assert merge(parts) == expected


@with_tmp_path
@given(
    st.dictionaries(
        st.text(alphabet="abc'é1", min_size=1, max_size=5), st.integers(0, 10**18 - 1), max_size=9
    )
)
def test_counts_file_round_trip(tmp_path, counts):
    path = tmp_path / "counts.tsv"
    write_counts(path, counts)
    assert read_counts(path) == counts
    rows = list(read_counts(path).items())
    assert rows == sorted(rows, key=lambda row: (-row[1], row[0]))
    if counts:
        assert count(path, "counts") == counts


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "texts"
        for name, text in {
            "a.txt": "one",
            "sub/b.txt": "two one",
            "战争.txt": "three",
            "和平.txt": "three",
        }.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (folder / "c.gz").write_bytes(gzip.compress(b"four"))
        (folder / "empty").touch()
        return folder

    def test_all_files_in_subfolders_are_counted(self, folder):
        assert count(folder) == {"one": 2, "two": 1, "three": 2, "four": 1}

    def test_counts_equal_those_of_an_archive_of_the_folder(self, folder, tmp_path):
        (folder / "c.gz").unlink()
        with zipfile.ZipFile(tmp_path / "texts.zip", "w") as archive:
            for path in folder.rglob("*"):
                archive.write(path, path.relative_to(folder))
        assert count(folder) == count(tmp_path / "texts.zip")

    @pytest.mark.parametrize("max_shares", [1, 2, 3, 100])
    def test_merged_counts_of_shares_equal_the_counts_of_the_folder(self, folder, tmp_path, max_shares):
        parts = []
        for share in shares(listing(folder).sizes, max_shares, min_bytes=1):
            parts.append(tmp_path / f"{len(parts)}.tsv")
            write_counts(parts[-1], count(folder, first=share.first, end=share.end))
        write_counts(tmp_path / "merged", merge(parts))
        write_counts(tmp_path / "whole", count(folder))
        assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()

    def test_share_without_words_is_accepted_but_not_a_folder(self, folder, tmp_path):
        assert count(folder, first="empty", end="f") == {}
        write_counts(tmp_path / "none.tsv", {})
        with pytest.raises(UserError, match="contain no words"):
            merge([tmp_path / "none.tsv"] * 2)
        (folder / "sub" / "b.txt").write_text("...")
        with pytest.raises(UserError, match="sub contains no words"):
            count(folder / "sub")

    def test_links_are_skipped_with_a_warning(self, folder, caplog):
        (folder / "link").symlink_to(folder)
        (folder / "other.txt").symlink_to(folder / "a.txt")
        assert count(folder)["one"] == 2
        assert f"{folder}: skipped link, which is a link" in caplog.text
        assert f"{folder}: skipped other.txt, which is a link" in caplog.text

    def test_error_message_names_the_file_in_the_folder(self, folder):
        (folder / "sub" / "b.txt").write_bytes(bytes(100))
        with pytest.raises(UserError, match=r"sub/b\.txt is not text"):
            count(folder)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"... --- ..."])
@pytest.mark.parametrize("kind", ["text", "counts"])
def test_source_without_words_is_rejected(tmp_path, content, kind):
    if kind == "counts" and b"." in content:
        content = b"word\tcount\n"
    source = tmp_path / "empty.txt"
    source.write_bytes(content)
    with pytest.raises(UserError, match=r"empty\.txt contains no words"):
        count(source, kind)


def test_list_may_have_any_encoding_and_line_ends(tmp_path):
    source = tmp_path / "list.txt"
    source.write_bytes(b"\xef\xbb\xbfthe 12\r\nThe\t3\r\n\r\nit\xe2\x80\x99s  4\ncaf\xe9 5")
    assert count(source, "counts") == {"the": 15, "it's": 4, "café": 5}


def test_lists_in_an_archive_are_added_up(tmp_path):
    source = tmp_path / "lists.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("PG1_counts.txt", "the\t2\nof\t1\n")
        archive.writestr("PG2_counts.txt", "the\t3\n")
        archive.writestr("metadata.csv", "id,title\n")
    assert count(source, "counts", members="*_counts.txt") == {"the": 5, "of": 1}
    with pytest.raises(UserError, match=r"lists\.zip, metadata\.csv, line 1: expected `word count`"):
        count(source, "counts")


@pytest.mark.parametrize(
    "line", ["word", "two words 3", "word -3", "word 1.5", "word ３", "word 1" + "0" * 18]
)
def test_error_message_names_an_invalid_line(tmp_path, line):
    source = tmp_path / "list.txt"
    source.write_text(f"the 1\n{line}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"list\.txt, line 2: expected `word count`, found"):
        count(source, "counts")


@with_tmp_path
@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_a_list_or_rejected(tmp_path, data):
    source = tmp_path / "list.txt"
    source.write_bytes(data)
    counts, message = {}, ""
    try:
        counts = count(source, "counts")
    except UserError as error:
        message = str(error)
    assert bool(counts) != bool(message)
    assert "\n" not in message
    write_counts(tmp_path / "counts.tsv", counts)
    assert read_counts(tmp_path / "counts.tsv") == counts


def test_gutenberg_books_are_cleaned_and_counted_once(tmp_path):
    start, end = (f"*** {mark} OF THE PROJECT GUTENBERG EBOOK ***" for mark in ("START", "END"))
    book = f"Licence\n{start}\nTick tock.\n{end}\nLicence"
    for name, text in {"a.txt": book, "copy.txt": book, "b.txt": "Tick."}.items():
        (tmp_path / name).write_text(text)
    source = tmp_path / "books.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for name in ("a.txt", "copy.txt", "b.txt"):
            archive.add(tmp_path / name, name)
    assert count(source, cleaning="gutenberg") == {"tick": 2, "tock": 1}
    assert count(source)["tick"] == 3
