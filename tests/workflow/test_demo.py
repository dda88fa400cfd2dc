"""The demo's sentence model, trained as in the demo, does what README shows of it."""

import json
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
RUN = "results/demo/sentences/ptb/ae-512/seed0"


@pytest.fixture(scope="module")
def project(new_project):
    """A project in which the demo's one large model is trained and measured, a minute or two."""
    project = new_project()
    project.run(f"snakemake --profile workflow/profiles/demo -- {RUN}/metrics.json")
    return project


@pytest.fixture(scope="module")
def example():
    """README's command, without its prompt, and the sentences that README shows of its output."""
    text = README.read_text(encoding="utf-8").replace("\\\n", "")
    command = re.search(r"^\$ (python -m textlvm\.sentences\.explore .*)$", text, flags=re.MULTILINE)
    after = text[command.end() :].partition("```")[2]
    printed = re.search(r"^```\n((?:.*\n)*?)```$", after, flags=re.MULTILINE)
    steps = int(re.search(r"--steps (\d+)", command[1])[1])
    return command[1], printed[1].splitlines()[:steps]


def overlap(sentence, other):
    """The share of the first sentence's distinct words that the other has."""
    words = set(sentence.split())
    return len(words & set(other.split())) / len(words)


def test_half_of_the_words_of_a_test_sentence_are_reconstructed(project):
    metrics = json.loads((project.root / RUN / "metrics.json").read_text())["metrics"]
    assert metrics["bleu1_greedy"]["value"] > 0.5


def test_an_interpolation_leads_from_one_sentence_to_the_other(project, example):
    command, shown = example
    texts = [text.replace(".", " .") for text in re.findall(r'"([^"]+)"', command)]
    lines = project.call(command).stdout.splitlines()
    # Other processors and other installed packages lead to another model: the words differ.
    for path in (lines, shown):
        assert len(path) == len(shown)
        assert not any("<unk>" in line for line in path)
        assert overlap(texts[0], path[0]) > 0.5
        assert overlap(texts[1], path[-1]) > 0.5
        assert overlap(texts[0], path[0]) > overlap(texts[0], path[-1])
        assert overlap(texts[1], path[-1]) > overlap(texts[1], path[0])
