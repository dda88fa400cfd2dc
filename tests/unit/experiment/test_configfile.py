import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textlvm.experiment.configfile import read
from textlvm.runtime.errors import UserError


def test_json_may_have_tabs(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"a": [1, {"b": None}]}, indent="\t"))
    assert read(file) == {"a": [1, {"b": None}]}


@pytest.mark.parametrize("content", ["a: 2024-13-45\n", "? [a]\n: b\n", "[" * 5000])
def test_what_yaml_takes_and_python_does_not_is_one_sentence(tmp_path, content):
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(UserError, match=r"mine\.yaml.* is neither YAML nor JSON \(.*\): correct it"):
        read(file)


@given(content=st.binary(max_size=30) | st.text("a:b [{\t\n'\"&*", max_size=30).map(str.encode))
def test_any_content_is_a_mapping_or_one_sentence_that_names_the_file(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("files") / "mine.yaml"
    file.write_bytes(content)
    try:
        said = f"{file}" if isinstance(read(file), dict) else ""
    except UserError as error:
        said = str(error)
    assert said.startswith(str(file))
    assert "\n" not in said


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*mine\.yaml \(No such file or directory\): name a"):
        read(tmp_path / "mine.yaml")
