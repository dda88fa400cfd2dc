"""The command `textlvm.words.explore`."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from specs import BASE

from textlvm.corpora.splits import WordSplit, write_words
from textlvm.runtime.errors import UserError
from textlvm.runtime.files import write_json
from textlvm.training.checkpoint import save_weights
from textlvm.training.seeds import seed_everything
from textlvm.words import explore
from textlvm.words.cross_entropy import exact_log_probs
from textlvm.words.letters import encode
from textlvm.words.model import build
from textlvm.words.samples import generate
from textlvm.words.trained import load_model, read_settings


@pytest.fixture
def trained(tmp_path):
    """A function that writes the folder of a run of a family; its words are short."""

    def make(family="state-space"):
        spec = dataclasses.replace(BASE, family=family, dim=3)
        torch.manual_seed(0)
        model = build(spec)
        with torch.no_grad():
            (model.output if family == "gru" else model.emission).bias[0] += 2
        folder = tmp_path / family
        settings = {"name": "words/c/standard/r", "seed": 0, "model": dataclasses.asdict(spec)}
        write_json(folder / "spec.json", settings)
        save_weights(folder / "model.safetensors", model)
        return folder

    return make


def run_explore(capsys, run, *arguments):
    explore.main(explore._arguments().parse_args(["--run", str(run), *arguments]))
    return capsys.readouterr().out.splitlines()


def loaded(run):
    return load_model(run, read_settings(run).model, None, torch.device("cpu"))


@pytest.mark.parametrize("family", ["state-space", "gru"])
def test_sample_prints_reproducible_words(trained, capsys, family):
    run = trained(family)
    drawn = run_explore(capsys, run, "sample", "--count", "20")
    assert len(drawn) == 20
    assert len(set(drawn)) > 3
    assert drawn == run_explore(capsys, run, "sample", "--count", "20")
    assert drawn != run_explore(capsys, run, "--seed", "1", "sample", "--count", "20")
    model = loaded(run)
    seed_everything("words/explore", 0)
    expected = generate(model, 8, argmax=True)
    assert run_explore(capsys, run, "sample", "--count", "8", "--letters", "argmax") == expected


def test_scores_of_a_gru_are_exact(trained, capsys, tmp_path):
    run = trained("gru")
    log_probs = exact_log_probs(loaded(run), encode(["to", "zebra"]))
    expected = [f"to    {log_probs[0]:10.4f}", f"zebra {log_probs[1]:10.4f}"]
    assert run_explore(capsys, run, "score", "to", "zebra") == expected
    (tmp_path / "mine.tsv").write_text("to\t3\nzebra\t1\n")
    output = run_explore(capsys, run, "score", "--words", str(tmp_path / "mine.tsv"))
    mean = -(3 * log_probs[0] + log_probs[1]) / 4
    assert output[2] == f"cross entropy {mean:.4f} nats/word"


def test_scores_of_a_state_space_model_have_intervals(trained, capsys, tmp_path):
    run = trained()
    (tmp_path / "mine.tsv").write_text("to\t3\na\t1\n")
    command = (capsys, run, "score", "--words", str(tmp_path / "mine.tsv"))
    importance_lines = run_explore(*command, "--draws", "2000")
    trajectory_lines = run_explore(*command, "--trajectories", "4096")
    for one, other in zip(importance_lines, trajectory_lines, strict=True):
        first, second = ([float(part) for part in numbers(line)] for line in (one, other))
        assert first[1] < first[0] < first[2]
        # Two estimates of the same number agree within their intervals.
        assert abs(first[0] - second[0]) < first[2] - first[1] + second[2] - second[1]


def numbers(line):
    words = line.replace("[", " ").replace("]", " ").replace(",", " ").split()
    return [word for word in words if word.lstrip("-").replace(".", "").isdecimal()]


def test_posterior_prints_one_line_per_letter(trained, capsys):
    output = run_explore(capsys, trained(), "posterior", "to", "--particles", "500")
    assert [line.split()[0] for line in output[1:4]] == ["t", "o", "end"]
    surprise = sum(float(line.split()[1]) for line in output[1:4])
    assert output[4].startswith("log P(to) = -")
    assert float(output[4].split()[-1]) == pytest.approx(-surprise, abs=0.002)


def test_probable_prints_words_by_probability(trained, capsys):
    for family in ("state-space", "gru"):
        output = run_explore(capsys, trained(family), "probable", "--count", "5", "--draws", "50")
        assert len(output) == 5
        # The empty word: END is its only symbol.
        assert output[0].startswith(" ")
        values = [float(numbers(line)[0]) for line in output]
        assert values == sorted(values, reverse=True)


def test_probable_fails_if_the_model_never_ends_a_word(trained, capsys):
    run = trained("gru")
    model = loaded(run)
    with torch.no_grad():
        model.output.bias.fill_(-math.inf)
        model.output.bias[1] = 0
    save_weights(run / "model.safetensors", model)
    with pytest.raises(UserError, match="no word of at most 30 letters"):
        run_explore(capsys, run, "probable")


def test_ngrams_are_counted_from_the_table(trained, capsys, tmp_path):
    run = trained()
    spec = dataclasses.replace(BASE, family="bigram")
    write_json(
        run / "spec.json", {"name": "words/c/standard/b", "seed": 0, "model": dataclasses.asdict(spec)}
    )
    write_words(tmp_path / "words.tsv", WordSplit(["a", "ab"], np.array([3, 2]), np.array([1, 1])))
    output = run_explore(capsys, run, "--table", str(tmp_path / "words.tsv"), "probable", "--count", "1")
    assert output[0].split()[0] == "a"
    with pytest.raises(UserError, match="which has no weights"):
        run_explore(capsys, run, "probable")


def test_error_messages(trained, capsys, tmp_path):
    run = trained()
    for arguments, message in (
        (("score",), "score takes words, or a file of them with --words"),
        (("score", "to", "--words", "mine.txt"), "pass one of them"),
        (("score", "Zebra"), "'Zebra' on the command line contains other characters than the letters a to z"),
        (("score", "--words", str(tmp_path / "none.txt")), "cannot read .*none.txt"),
        (("score", "to", "--trajectories", "10"), "--trajectories must be at least 256"),
        (("posterior", "a b"), "'a b' on the command line"),
    ):
        with pytest.raises(UserError, match=message):
            run_explore(capsys, run, *arguments)
    with pytest.raises(UserError, match="only a state space model generates words"):
        run_explore(capsys, trained("gru"), "posterior", "to")
    with pytest.raises(UserError, match="contains no trained run"):
        run_explore(capsys, tmp_path, "sample")
    for arguments in (
        ("sample", "--count", "0"),
        ("score", "to", "--draws", "1"),
        ("sample", "--count", "x"),
    ):
        with pytest.raises(SystemExit):
            run_explore(capsys, run, *arguments)
        assert "expected a whole number from" in capsys.readouterr().err
