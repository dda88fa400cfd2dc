from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.runtime.paths import literal


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("~", "'/home/me'"),
        ("~/out", "'/home/me/out'"),
        ("$HOME/out", "'/home/me/out'"),
        ("${HOME}/out", "'/home/me/out'"),
        ("/data/$WHO", "'/data/me'"),
        ("$HERE/out", "'/home/me/out'"),
        ("/data/$NOBODY/out", "the whole path"),
        ("~nobody-is-called-so/out", "the whole path"),
    ],
)
def test_shell_syntax_is_rejected(monkeypatch, text, instead):
    for name, value in {"HOME": "/home/me", "WHO": "me", "HERE": "~"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NOBODY", raising=False)
    with pytest.raises(UserError) as error:
        literal(text)
    assert str(error.value) == f"~ and $ are not expanded in '{text}': write {instead}"


@pytest.mark.parametrize("text", ["", "a", "/a/b", "a~", "a/~", "price $5", "a$", "$", "a/$-b"])
def test_other_paths_are_unchanged(text):
    assert literal(text) == Path(text)


@given(st.text(st.sampled_from("~$HOME{}/a5 ")))
def test_suggested_path_is_accepted(text):
    try:
        literal(text)
    except UserError as error:
        _, _, instead = str(error).rpartition(": write ")
        if instead != "the whole path":
            literal(instead.strip("'"))
