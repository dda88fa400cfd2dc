"""The demo's sentence model, trained as in the demo, behaves as README shows."""

import json
import re
import shlex

import pytest

from pages import README, blocks

RUN = "results/demo/sentences/ptb/ae-512/seed0"


@pytest.fixture(scope="module")
def project(new_project):
    """A project in which the demo's large model has been evaluated, which takes a minute or two."""
    project = new_project()
    project.run(f"snakemake --profile workflow/profiles/demo -- {RUN}/metrics.json")
    return project


@pytest.fixture(scope="module")
def example():
    """The Python code in README that uses a model of sentences, and the output printed below it."""
    block = next(text for text in blocks(README, "python") if "textlvm.sentences" in text)
    return block, re.findall(r"^# (.*)$", block, flags=re.MULTILINE)


def overlap(sentence, other):
    """The fraction of the first sentence's distinct words that the other contains."""
    words = set(sentence.split())
    return len(words & set(other.split())) / len(words)


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
