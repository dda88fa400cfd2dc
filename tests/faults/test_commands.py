"""Steps accept the command lines of the fault tests; fast, so that `make test` checks it."""

import re
from pathlib import Path

import tiny
from faults import server, trainings
from faults.commands import COMMANDS
from parsing import parse

HERE = Path(__file__).parent


def training_commands(tmp_path):
    """The command lines of trainings and evaluations of both papers."""
    for paper, settings in (("words", trainings.WORDS), ("sentences", trainings.SENTENCES)):
        data = {"words": {"words": tmp_path / "words.tsv"}, "sentences": {"data": tmp_path}}[paper]
        training = trainings.Training(None, paper, data, f"{paper}/a/b/c", settings, tmp_path / "out")
        for step, options in (("train", training.options), ("evaluate", training.measurement)):
            yield [f"textlvm.{paper}.{step}", *trainings.arguments(options)]


def test_steps_accept_the_command_lines_of_fault_tests(tmp_path, monkeypatch):
    commands = [*training_commands(tmp_path), server.command(tmp_path, "http://x", tmp_path / "out")[2:]]
    commands += [command(tmp_path, tmp_path / "out") for command in COMMANDS.values()]
    spec = tmp_path / "results/words" / tiny.CORPUS / "standard/tril/seed0/spec.json"
    spec.parent.mkdir(parents=True)
    spec.write_text("{}")
    assert len(commands) == 9
    for command in commands:
        parse(monkeypatch, *command)


def test_no_other_files_call_steps():
    files = {
        path.name for path in HERE.glob("*.py") if re.search(r'"-m",\s*f?"textlvm', path.read_text("utf-8"))
    }
    assert files == {"server.py", "trainings.py"}
