import pytest

from textlvm.corpora.documentation import Docstring
from textlvm.sentences.data.prose import question, sentences

DOCSTRING = """Return the :class:`~collections.OrderedDict` of *all* names.

Names are kept, e.g. ``a_name``, as they are.  See `this <page>`_!  Don't
sort them.

Arguments
---------
x: int

- One item of a list.

>>> f()
1

    Indented text is code.

.. note:: This is a directive.

No full stop
"""


def test_only_prose_is_extracted():
    assert [" ".join(sentence) for sentence in sentences(DOCSTRING)] == [
        "return the collections.ordereddict of all names .",
        "names are kept , e.g . a_name , as they are .",
        "see this !",
        "don't sort them .",
    ]


@pytest.mark.parametrize("text", ["", "f(x, y) -> z = 3 + 4.", "Setup", "x_1 y_2 z_3 w."])
def test_code_is_not_prose(text):
    assert list(sentences(text)) == []


@pytest.mark.parametrize(
    ("name", "kind", "asked"),
    [
        ("tkinter.Text.tag_ranges", "method", "what does the method tag ranges of text do"),
        ("os.path.join", "function", "what does the function join of path do"),
        ("http.server.HTTPServer", "class", "what is the class http server of server"),
        ("collections.abc", "module", "what is in the module abc"),
        ("string", "module", "what is in the module string"),
        ("ASSIGNMENT", "topic", None),
        ("a.B.__", "method", None),
    ],
)
def test_question_about_an_object(name, kind, asked):
    found = question(Docstring(name, kind, "m", ""))
    assert (found and " ".join(found)) == asked
