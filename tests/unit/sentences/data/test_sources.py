import zipfile

import pytest

from textlvm.runtime.errors import UserError
from textlvm.sentences.data import sources
from textlvm.sentences.data.sources import Record, records

WIKITEXT = """ \n = Valkyria = \n \n Senjō no Valkyria 3 , is a game . \n = = Plot = = \n \n"""
LEGENDS = " = Qualified for the next round \n = National record \n"


@pytest.fixture
def written(tmp_path):
    def write(text, name="a.txt"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


def test_blank_lines_are_skipped(written):
    path = written("\ufeffone \r\n\r\n  \ntwo\nthree")
    assert list(records(path, "lines")) == [Record("one"), Record("two"), Record("three")]


def test_label_precedes_the_sentence(written):
    path = written("5\tgood food\n1 bad\tservice\n3\n\n2  fine\n")
    assert list(records(path, "labelled")) == [
        Record("good food", "5"),
        Record("bad\tservice", "1"),
        Record("fine", "2"),
    ]


def test_too_many_labels_are_rejected(written, monkeypatch):
    monkeypatch.setattr(sources, "MOST_LABELS", 2)
    with pytest.raises(UserError, match=r"a\.txt, line 3: more than 2 different labels"):
        list(records(written("one a\ntwo b\nthree c\n"), "labelled"))


@pytest.mark.parametrize(
    ("format", "text"), [("lines", "\n \n"), ("labelled", "1\n2\n"), ("wikitext", " = A = \n = = B = = \n")]
)
def test_file_without_sentences_is_rejected(written, format, text):
    with pytest.raises(UserError, match=r"a\.txt contains no sentences; .* correct `format` of its corpus"):
        list(records(written(text), format))


def test_headings_are_skipped_but_table_legends_are_kept(written):
    assert [record.text for record in records(written(WIKITEXT + LEGENDS), "wikitext")] == [
        "Senjō no Valkyria 3 , is a game .",
        "= Qualified for the next round",
        "= National record",
    ]


def test_members_select_files_of_an_archive(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/wiki.train.tokens", "train\n")
        archive.writestr("w/wiki.test.tokens", "test\n")
    assert list(records(path, "wikitext", "*/wiki.test.tokens")) == [Record("test")]
    with pytest.raises(UserError, match="no file in this archive matches"):
        list(records(path, "wikitext", "*/wiki.dev.tokens"))
