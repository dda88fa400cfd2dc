"""Steps take the command lines by which these tests call them; fast, so that every run of tests checks it."""

import re
import runpy
import sys
from pathlib import Path

import tiny
from faults import server, trainings
from faults.commands import COMMANDS
from textlvm.runtime import cli

HERE = Path(__file__).parent


def training_commands(tmp_path):
    """Those of trainings and their evaluations, by paper."""
    for paper, settings in (("words", trainings.WORDS), ("sentences", trainings.SENTENCES)):
        data = {"words": {"words": tmp_path / "words.tsv"}, "sentences": {"data": tmp_path}}[paper]
        training = trainings.Training(None, paper, data, f"{paper}/a/b/c", settings, tmp_path / "out")
        for step, options in (("train", training.options), ("evaluate", training.measurement)):
            yield [f"textlvm.{paper}.{step}", *trainings.arguments(options)]


def test_steps_take_the_command_lines_of_these_tests(tmp_path, monkeypatch):
    commands = [*training_commands(tmp_path), server.command(tmp_path, "http://x", tmp_path / "out")[2:]]
    commands += [command(tmp_path, tmp_path / "out") for command in COMMANDS.values()]
    spec = tmp_path / "results/words" / tiny.CORPUS / "standard/tril/seed0/spec.json"
    spec.parent.mkdir(parents=True)
    spec.write_text("{}")
    taken = []
    monkeypatch.setattr(cli, "run", lambda main, parser: taken.append(parser.parse_args()))
    for module, *words in commands:
        monkeypatch.setattr(sys, "argv", [module, *words])
        # A module that is loaded already is run another time.
        monkeypatch.delitem(sys.modules, module, raising=False)
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    assert len(taken) == len(commands) == 9


def test_only_files_that_are_checked_here_call_steps():
    files = {
        path.name for path in HERE.glob("*.py") if re.search(r'"-m",\s*f?"textlvm', path.read_text("utf-8"))
    }
    assert files == {"server.py", "trainings.py"}
