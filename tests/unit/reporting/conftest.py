import json

import pytest

from textlvm.experiment.paper import PAPERS, load_all
from textlvm.reporting import published as printed


@pytest.fixture(scope="session")
def papers():
    return load_all(PAPERS.iterdir())


@pytest.fixture(scope="session")
def published(papers):
    return printed.read(papers)


@pytest.fixture
def metrics_file(tmp_path):
    """A function that writes one metrics.json and returns its path; keywords override its keys."""

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
