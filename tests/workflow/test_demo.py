"""The results of `make demo`: all runs are finished, and the model of sentences behaves as README shows."""

import json
import re
import shlex
from pathlib import Path

import pytest

from pages import README, blocks
from project import Project

ROOT = Path(__file__).parents[2]

RUN = "results/demo/sentences/ptb/ae-512/seed0"


@pytest.fixture(scope="module")
def project():
    """The project itself, in which the demo has been run, which takes ten minutes."""
    if not (ROOT / "results/demo/index.html").exists():
        pytest.skip("there are no results of the demo: run make demo")
    return Project(ROOT)


@pytest.fixture(scope="module")
def example():
    """The Python code in README that uses a model of sentences, and the output printed below it."""
    block = next(text for text in blocks(README, "python") if "textlvm.sentences" in text)
    return block, re.findall(r"^# (.*)$", block, flags=re.MULTILINE)


def overlap(sentence, other):
    """The fraction of the first sentence's distinct words that the other contains."""
    words = set(sentence.split())
    return len(words & set(other.split())) / len(words)


def test_all_runs_are_finished(project):
    configuration = "workflow/profiles/demo/experiment.yaml"
    text = project.run(f"python -m textlvm.reporting.status --configfile {configuration}")
    done = re.match(r"(\d+) of \1 done in all\n", text)
    assert done, f"run make demo again: {text}"
    assert int(done[1]) > 60


def test_half_of_the_words_are_reconstructed(project):
    metrics = json.loads((project.root / RUN / "metrics.json").read_text())["metrics"]
    assert metrics["bleu1_greedy"]["value"] > 0.5


def test_interpolation_starts_and_ends_near_the_given_sentences(project, example):
    code, shown = example
    texts = [text.replace(".", " .") for text in re.findall(r'read\("([^"]+)"\)', code)]
    lines = project.call(f"python -c {shlex.quote(code)}").stdout.splitlines()
    # The words depend on the processor and the installed packages.
    for path in (lines, shown):
        assert len(path) == len(shown)
        assert not any("<unk>" in line for line in path)
        assert overlap(texts[0], path[0]) > 0.5
        assert overlap(texts[1], path[-1]) > 0.5
        assert overlap(texts[0], path[0]) > overlap(texts[0], path[-1])
        assert overlap(texts[1], path[-1]) > overlap(texts[1], path[0])
