import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.runtime.errors import UserError
from textlvm.runtime.yaml_file import read_yaml


def test_json_may_have_tabs(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"a": [1, {"b": None}]}, indent="\t"))
    assert read_yaml(file) == {"a": [1, {"b": None}]}


UNREADABLE = [
    (b"", " has no keys with values: write lines such as `key: value`"),
    (b"# a comment\n", " has no keys with values: write lines such as `key: value`"),
    (b"- words\n", " has no keys with values: write lines such as `key: value`"),
    (b"words:\n\tseeds: [0]\n", ", line 2 is indented with a tab, which YAML does not allow: use spaces"),
    (b"words: {}\n# \xff\n", ", line 2 is not UTF-8 text: save the file as UTF-8"),
    (b'words: {}\n# "\x01"\n', ", line 2 is neither YAML nor JSON (the character '\\x01'): correct it"),
    (
        b'{"words":\n',
        ", line 2 is neither YAML nor JSON (expected the node content, but found '<stream end>'): correct it",
    ),
]


@pytest.mark.parametrize(("content", "message"), UNREADABLE)
def test_error_message_names_file_and_line(tmp_path, content, message):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_yaml(file)
    assert str(error.value) == f"{file}{message}"


@pytest.mark.parametrize("content", ["a: 2024-13-45\n", "? [a]\n: b\n", "[" * 5000])
def test_yaml_that_python_cannot_represent_is_rejected(tmp_path, content):
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(UserError, match=r"mine\.yaml.* is neither YAML nor JSON \(.*\): correct it"):
        read_yaml(file)


@given(content=st.binary(max_size=30) | st.text("a:b [{\t\n'\"&*", max_size=30).map(str.encode))
def test_any_content_is_a_mapping_or_an_error_that_names_the_file(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("files") / "mine.yaml"
    file.write_bytes(content)
    try:
        message = str(file) if isinstance(read_yaml(file), dict) else ""
    except UserError as error:
        message = str(error)
    assert message.startswith(str(file))
    assert "\n" not in message


def test_error_message_names_a_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*mine\.yaml \(No such file or directory\): check"):
        read_yaml(tmp_path / "mine.yaml")
