import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from textlvm.runtime import starter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux starts steps by forking")

WORKFLOW = Path(__file__).parents[3] / "workflow"
STEP = """
import json, os, signal, sys, time
words = sys.argv[1:]
if words[0] == "show":
    shown = [sys.argv[1:], os.getcwd(), os.environ.get("NAME"), sys.stdin.read(), "colorsys" in sys.modules]
    print(json.dumps(shown))
    print("error", file=sys.stderr)
elif words[0] == "exit":
    sys.exit(eval(words[1]))
elif words[0] == "raise":
    raise ValueError("wrong")
elif words[0] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif words[0] == "interrupted":
    try:
        with open("id", "w") as file:
            file.write(str(os.getpid()))
        os.rename("id", "waits")
        time.sleep(60)
    except KeyboardInterrupt:
        sys.exit(6)
elif words[0] == "wait":
    signal.signal(signal.SIGTERM, lambda *_: (open("ended", "w").close(), sys.exit(3)))
    open("waits", "w").close()
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder():
    with starter.programs(["colorsys", "no_such_package"], ["steps"]) as folder:
        yield folder


@pytest.fixture
def start(folder, tmp_path):
    """A function that starts a command line with the program `python`, in a new folder with a module."""
    package = tmp_path / "a path" / "steps"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "step.py").write_text(STEP)
    variables = {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(package.parent)}

    def call(*words, start_new_session=False, **environment):
        return subprocess.Popen(
            words,
            cwd=tmp_path,
            env=os.environ | starter.ENVIRONMENT | variables | environment,
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
            text=True,
            start_new_session=start_new_session,
        )

    return call


def show(process, given=""):
    output, errors = process.communicate(given)
    assert errors == "error\n"
    return json.loads(output)


def test_step_has_the_callers_arguments_folder_environment_and_files(start, tmp_path):
    shown = show(start("python", "-m", "steps.step", "show", "a b", "'", NAME="é"), "given\n")
    assert shown == [["show", "a b", "'"], str(tmp_path), "é", "given\n", True]


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "PYTHONWARNINGS"])
def test_other_environment_starts_an_interpreter(start, variable):
    value = {"OMP_NUM_THREADS": "2", "PYTHONWARNINGS": "ignore"}[variable]
    assert show(start("python", "-m", "steps.step", "show", **{variable: value}))[-1] is False


def test_other_module_and_other_options_start_an_interpreter(start):
    assert start("python", "-c", "print('yes')").communicate()[0] == "yes\n"
    assert start("python", "-m", "this").communicate()[0].startswith("The Zen")
    assert start("python", "-V").communicate()[0].startswith("Python")


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["exit", "None"], 0, ""),
        (["exit", "7"], 7, ""),
        (["exit", "'a reason'"], 1, "a reason\n"),
        (["raise"], 1, "ValueError: wrong\n"),
        (["kill"], 128 + signal.SIGKILL, ""),
    ],
)
def test_exit_status_and_message_are_those_of_the_step(start, words, status, message):
    process = start("python", "-m", "steps.step", *words)
    _, errors = process.communicate()
    assert (process.returncode, errors[-len(message) :] if message else errors) == (status, message)


def test_interruption_from_the_keyboard_reaches_the_step_only(folder, start, tmp_path):
    process = start("python", "-m", "steps.step", "interrupted", start_new_session=True)
    wait_for(tmp_path / "waits")
    os.killpg(process.pid, signal.SIGINT)
    os.kill(int((tmp_path / "waits").read_text()), signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (6, "")


def test_step_is_terminated_when_its_caller_is_killed(start, tmp_path):
    process = start("python", "-m", "steps.step", "wait")
    wait_for(tmp_path / "waits")
    process.kill()
    wait_for(tmp_path / "ended")


def wait_for(path):
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def run_command(*words, **variables):
    line = [sys.executable, "-m", "textlvm.runtime.starter", *words]
    environment = os.environ | {"PYTHONPATH": str(WORKFLOW)} | variables
    return subprocess.run(line, capture_output=True, text=True, check=False, env=environment)


def test_command_has_its_output_and_exit_status():
    found = run_command("sh", "-c", "command -v python; kill -9 $$")
    assert found.returncode == 128 + signal.SIGKILL
    assert found.stdout.endswith("/programs/python\n")


def test_command_runs_as_usual_if_no_socket_can_be_created(tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    found = run_command("sh", "-c", "command -v python; exit 5", TMPDIR=str(folder))
    assert (found.returncode, found.stderr) == (5, "")
    assert "programs" not in found.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "usage: python -m textlvm.runtime.starter"),
        (["./no"], "error: there is no program ./no: "),
    ],
)
def test_missing_command_is_one_sentence(words, message):
    found = run_command(*words)
    assert found.returncode == 1
    assert found.stderr.startswith(message)
    assert found.stderr.count("\n") == 1


def test_program_starts_an_interpreter_after_the_end(start):
    with starter.programs([], ["steps"]) as folder:
        client = folder.parent / "client.py"
        text = client.read_text()
    assert not folder.exists()
    words = [sys.executable, "-c", text, "-m", "steps.step", "exit", "4"]
    process = start(*words)
    process.communicate()
    assert process.returncode == 4
