"""The parts of a report by Snakemake."""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Report:
    """The content of a report."""

    page: str
    results: dict[str, dict[str, Any]]
    """Labels, caption and content of each result, by its path."""
    categories: dict[str, dict[str, list[str]]]
    """Paths by category and subcategory."""

    def text(self, path: str) -> str:
        """The content of a result."""
        _, found, content = self.results[path]["data_uri"].partition(";base64,")
        assert found
        return base64.b64decode(content).decode()


def read(path: Path) -> Report:
    """Read a report made by `snakemake --report PATH`."""
    page = path.read_text(encoding="utf-8")
    parts = {name: re.search(rf"var {name} = ({{.*?}});\n", page) for name in ("results", "categories")}
    return Report(page, *(json.loads(part[1]) for part in parts.values()))
