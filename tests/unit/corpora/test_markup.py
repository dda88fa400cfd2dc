import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.corpora.counting import count
from textlvm.corpora.markup import form
from textlvm.runtime.errors import UserError
from textlvm.sentences.data.sources import records

PARAGRAPH = "It was the best of times, it was the worst of times. " * 5
MARKUP = {
    "HTML": f"<!DOCTYPE html>\n<html><body><p class='a'>{PARAGRAPH}</p></body></html>",
    "HTML without a type": f"\n <HTML><BODY><P>{PARAGRAPH}</BODY></HTML>",
    "XHTML": f"<?xml version='1.0' encoding='utf-8'?>\n<html xmlns='http://www.w3.org/1999/xhtml'>{PARAGRAPH}",
    "XHTML with a mark": f"\ufeff<?xml version='1.0'?>\n<html>{PARAGRAPH}</html>",
    "XML": f"<TEI.2><text><p>{PARAGRAPH}</p></text></TEI.2>",
    "SGML": f"<DOC>\n<DOCNO> AP-1 </DOCNO>\n<TEXT>{PARAGRAPH}</TEXT>\n</DOC>\n" * 20,
    "comment first": f"<!-- made by hand -->\n<div><p>{PARAGRAPH}</p></div>",
    "part of a page": f"{PARAGRAPH}</p>\n" * 10,
    "RTF": r"{\rtf1\ansi\deff0 {\fonttbl {\f0 Times;}} Tick.}",
    "PDF": "%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj",
    "PostScript": "%!PS-Adobe-3.0\n/Times-Roman findfont",
}
PLAIN = {
    "a tag": "<p> begins a paragraph.\n" + PARAGRAPH,
    "a pair of tags": f"A paragraph is <p>…</p>.\n{PARAGRAPH}",
    "words of a corpus": f"<unk> of times <br /> <unk>\n{PARAGRAPH}" * 20,
    "marks of sentences": f"<s> {PARAGRAPH} </s>\n" * 20,
    "tags of a line": f"It was the <i>best</i> of <b>times</b>. {PARAGRAPH}" * 20,
    "a title in italics": f"<i>A Tale of Two Cities</i>\n{PARAGRAPH}",
    "a lesson in HTML": f"A cell is <td>…</td>. {PARAGRAPH * 4}" * 20,
    "comparison": "a < b and b > c </ d\n" * 100,
    "an arrow": f"<- back\n{PARAGRAPH}",
    "braces": "{ rtf } %PDF",
    "nothing": "",
}


@pytest.mark.parametrize("text", MARKUP.values(), ids=MARKUP)
def test_markup_is_rejected_in_files_folders_and_archives(tmp_path, text):
    (tmp_path / "books").mkdir()
    file = tmp_path / "books" / "a.txt"
    file.write_text(text, encoding="utf-8")
    archive = tmp_path / "books.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(file, "x/a.txt")
        packed.writestr("b.md", PARAGRAPH)
    for path, name in ((file, file), (file.parent, file), (archive, f"{archive}, x/a.txt")):
        with pytest.raises(UserError, match=r"is .*, whose tags would be counted as words; convert") as error:
            count(path)
        assert str(error.value).startswith(f"{name} is ")
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="whose tags would be counted as words"):
        list(records(file, "lines"))
    assert count(archive, members="*.md")["times"] == 10


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_plain_text_with_tags_is_not_markup(text):
    assert form(text.encode()) is None


@given(st.text(), st.sampled_from(["<p>", "</p>", "<unk>", "<br />"]), st.text())
def test_single_tag_in_a_text_is_not_markup(before, tag, after):
    text = f"Words {before}{tag}{after}".encode(errors="replace")
    assert form(text) is None


@pytest.mark.parametrize(
    "members",
    [
        {"mimetype": "application/epub+zip", "META-INF/container.xml": "<?xml version='1.0'?>"},
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<?xml version='1.0'?>"},
        {"[Content_Types].xml": "<?xml version='1.0'?>", "word/document.xml": "<?xml version='1.0'?>"},
        {"a.txt": PARAGRAPH, "OEBPS/chapter1.xhtml": MARKUP["XHTML"]},
    ],
    ids=["epub", "odt", "docx", "epub without a type"],
)
def test_ebooks_and_office_documents_are_rejected(tmp_path, members):
    path = tmp_path / "book"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(UserError, match=r"book, .* is .*, whose tags would be counted as words"):
        count(path)
