"""Reading of claims.csv; tests of complete lines are in test_report.py."""

import pytest

from textlvm.reporting.claims.lines import read_csv
from textlvm.runtime.errors import UserError


def test_missing_or_other_file_is_rejected(tmp_path):
    file = tmp_path / "claims.csv"
    with pytest.raises(UserError, match=r"cannot read the claims .* \(No such file"):
        read_csv(file)
    for text, why in (("id,paper\n1,words\n", "'where'"), ("id,paper\n1\n", "a line is incomplete")):
        file.write_text(text)
        with pytest.raises(UserError, match=rf"is not a table of claims of this version \({why}\)"):
            read_csv(file)
