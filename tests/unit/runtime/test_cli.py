import argparse
import logging
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textlvm.runtime import cli
from textlvm.runtime.errors import UserError

PACKAGES = Path(__file__).parents[3] / "workflow"


def call(monkeypatch, main, *words):
    # `logging.basicConfig` does nothing if the root logger has handlers, such as pytest's.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    monkeypatch.setattr(sys, "argv", ["step", *words])
    cli.run(main, cli.parser("What it does.\n\n    an example"))


def test_settings_are_json_text_or_a_file(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text('{"a": [1, "é"]}', encoding="utf-8")
    assert cli.settings(' {"a": [1, "é"]}') == cli.settings(str(file)) == {"a": [1, "é"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("nowhere.json", "cannot read settings from nowhere.json: No such file"),
        ("~/a.json", r"write '/home/me/a\.json'"),
        ("list.json", "object"),
    ],
)
def test_invalid_settings_are_rejected(monkeypatch, tmp_path, text, message):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.chdir(tmp_path)
    Path("list.json").write_text("[1]")
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        cli.settings(text)


@pytest.mark.parametrize("command", [[], ["add"]])
@pytest.mark.parametrize("option", ["--out", "--all"])
def test_shell_syntax_in_paths_is_rejected(monkeypatch, capsys, command, option):
    monkeypatch.setenv("HOME", "/home/me")
    top = cli.parser(None)
    arguments = top.add_subparsers().add_parser("add", parents=[cli.parser(None)], add_help=False)
    arguments = arguments if command else cli.parser(None)
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--all", type=Path, nargs="+")
    used = top if command else arguments
    assert used.parse_args([*command, option, "a/~b"]).log is None
    with pytest.raises(SystemExit):
        used.parse_args([*command, option, "~/b"])
    assert capsys.readouterr().err.endswith(
        f"argument {option}: ~ and $ are not expanded in '~/b': write '/home/me/b'\n"
    )
    with pytest.raises(SystemExit):
        used.parse_args([*command, "--log", "$HOME/b"])
    assert "are not expanded" in capsys.readouterr().err


def test_every_step_uses_the_parser_that_rejects_shell_syntax():
    """A plain `argparse.ArgumentParser` or `Path(text)` would accept `~`."""
    for file in sorted((PACKAGES / "textlvm").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert "argparse.ArgumentParser(" not in text, file
        for name in set(re.findall(r"type=(_\w+)", text)):
            body = re.search(rf"def {name}\(text: str\).*?\n\n\n", text, re.DOTALL)[0]
            assert not re.search(r"\bPath\(", body), (file, name)


def test_help_shows_the_docstring_unchanged(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        call(monkeypatch, lambda options: None, "--help")
    assert "What it does.\n\n    an example\n" in capsys.readouterr().out


def test_log_goes_to_terminal_and_file(monkeypatch, capsys, tmp_path):
    log = tmp_path / "deep" / "x.log"
    call(monkeypatch, lambda options: logging.info("42 words"), "--log", str(log))
    assert "42 words" in capsys.readouterr().err
    assert "42 words" in log.read_text()


@pytest.mark.parametrize(
    ("error", "code", "output"),
    [
        (UserError("x.tsv, line 3: no count"), cli.EXIT_USER_ERROR, r"error: x\.tsv, line 3: no count\n"),
        (
            OSError(28, "No space left on device", "results/x.json"),
            cli.EXIT_USER_ERROR,
            r"error: no space left for results/x\.json \(No space left on device\): .*\n",
        ),
        (KeyboardInterrupt(), 130, r"interrupted\n"),
        (ZeroDivisionError("ours"), 1, r"(?s).*Traceback.*ZeroDivisionError: ours\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_user_error_is_one_sentence_and_a_traceback_in_the_log(
    monkeypatch, capsys, tmp_path, error, code, output
):
    def main(options):
        raise error

    log = tmp_path / "x.log"
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, main, "--log", str(log))
    assert stop.value.code == code
    assert re.fullmatch(output, capsys.readouterr().err)
    if not isinstance(error, KeyboardInterrupt):
        assert "Traceback" in log.read_text()
        assert str(error) in log.read_text()


def test_error_message_for_an_inaccessible_log(monkeypatch, capsys, tmp_path):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path / "x.log"))

    monkeypatch.setattr(logging, "FileHandler", refuse)
    with pytest.raises(SystemExit) as stop:
        call(monkeypatch, lambda options: None, "--log", str(tmp_path / "x.log"))
    assert stop.value.code == cli.EXIT_USER_ERROR
    assert capsys.readouterr().err.startswith(
        f"error: no access to {tmp_path / 'x.log'} (Permission denied): "
    )


STEP = """
import signal, sys
from pathlib import Path
from textlvm.runtime import cli
from textlvm.runtime.files import replacing
def main(options):
    with replacing(Path(sys.argv[0]) / "x.txt"):
        print("began", flush=True)
        signal.pause()
sys.argv = sys.argv[1:]
cli.run(main, cli.parser(None))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_terminated_step_removes_its_temporary_files(tmp_path, number):
    environment = os.environ | {"PYTHONPATH": str(Path(cli.__file__).parents[2])}
    command = [sys.executable, "-c", STEP, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as step:
        step.stdout.readline()
        assert list(tmp_path.iterdir())
        step.send_signal(number)
    assert step.returncode == 128 + number
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "x", ""])
def test_numbers_below_zero_and_other_texts_are_rejected(capsys, text):
    arguments = cli.parser(None)
    arguments.add_argument("--sigma", type=cli.non_negative)
    assert arguments.parse_args(["--sigma", "0.5"]).sigma == 0.5
    with pytest.raises(SystemExit):
        arguments.parse_args([f"--sigma={text}"])
    assert f"argument --sigma: expected a number from 0 on, not '{text}'" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "x", "", "9" * 5000])
def test_numbers_below_the_least_and_other_texts_are_rejected(capsys, text):
    arguments = cli.parser(None)
    arguments.add_argument("--count", type=cli.at_least(1))
    assert arguments.parse_args(["--count", "1"]).count == 1
    with pytest.raises(SystemExit):
        arguments.parse_args([f"--count={text}"])
    assert (
        f"argument --count: expected a whole number from 1 on, not '{text[:18]}'" in capsys.readouterr().err
    )
