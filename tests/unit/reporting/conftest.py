import json
from pathlib import Path

import pytest

from textlvm.reporting import published as printed

PUBLISHED = Path(__file__).parents[3] / "workflow" / "published.csv"


@pytest.fixture(scope="session")
def published():
    return printed.read(PUBLISHED)


@pytest.fixture
def plan_row():
    """Builds one row of a plan; keywords override."""

    def build(**changes):
        row = {
            "paper": "words",
            "table": 1,
            "row": "TRIL",
            "run": "tril",
            "corpus": "bookscorpus",
            "split": "standard",
            "seeds": [0, 1, 2],
            "stand_in": False,
            "corpus_title": "BooksCorpus",
        }
        return row | changes

    return build


@pytest.fixture
def metrics_file(tmp_path):
    """Writes one metrics.json and returns its path; keywords override."""

    def write(**changes):
        data = {
            "paper": "words",
            "corpus": "bookscorpus",
            "split": "standard",
            "run": "tril",
            "seed": 0,
            "status": "done",
            "metrics": {"ce_train": {"value": 11.9, "low": 11.89, "high": 11.92, "unit": "nats/word"}},
            "settings": {"trajectories": 65536, "samples": 10000},
        } | changes
        data = {key: value for key, value in data.items() if value is not None}
        folder = tmp_path / "/".join([data["corpus"], data["split"], data["run"], f"seed{data['seed']}"])
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "metrics.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path

    return write
