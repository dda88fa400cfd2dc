import re

import pytest

from textlvm.reporting.crate.content import read_run
from textlvm.runtime.errors import UserError


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"cannot read {} \(.*\)"),
        ("[]", "{} contains no JSON object"),
        ('{"name": "words/mine/standard/tril"}', "{} has no 'seed'"),
    ],
)
def test_damaged_provenance_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "provenance.json"
    path.write_text(text)
    with pytest.raises(UserError, match=f"^{sentence.format(re.escape(str(path)))}: .*--force"):
        read_run(path)
