"""Locks of folders, announcements, and the end of a step with its parent."""

import errno
import fcntl
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textlvm.runtime import processes
from textlvm.runtime.errors import UserError
from textlvm.runtime.processes import announce, busy_machines, exclusive

HOLD = """
import sys
from pathlib import Path
from textlvm.runtime.processes import exclusive
with exclusive(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""
STEP = """
import os, signal, sys
from textlvm.runtime.processes import end_with_parent
def end(*_):
    print("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
if sys.argv[1] == "without pidfd":
    del os.pidfd_open
end_with_parent()
print("began", flush=True)
while True:
    signal.pause()
"""


def python(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(processes.__file__).parents[2])} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(tmp_path):
    """Another process that is in the context of `tmp_path`."""
    with python(HOLD, tmp_path) as process:
        assert process.stdout.readline() == "in\n"
        yield process
        process.kill()


def test_folder_is_exclusive_to_one_process(tmp_path, holder):
    other = f"process {holder.pid} on .* is using {tmp_path}: wait until it ends"
    with pytest.raises(UserError, match=other), exclusive(tmp_path, patience=0):
        pass
    holder.communicate()
    with exclusive(tmp_path, patience=0):
        pass


def test_killed_process_leaves_no_lock(tmp_path, holder):
    holder.kill()
    holder.wait()
    with exclusive(tmp_path, patience=0):
        pass


def test_exclusive_waits_for_a_process_that_is_ending(tmp_path, holder, caplog):
    def end(_seconds):
        holder.kill()
        holder.wait()

    with caplog.at_level(logging.INFO), mock.patch.object(processes.time, "sleep", end), exclusive(tmp_path):
        assert f"waiting for process {holder.pid} on" in caplog.text


def test_file_system_without_locks_is_a_warning(tmp_path, caplog):
    with (
        mock.patch.object(fcntl, "flock", side_effect=OSError(errno.ENOLCK, "No locks available")),
        exclusive(tmp_path),
    ):
        assert "No locks available" in caplog.text


class Machines:
    """Simulates processes on several machines that announce themselves in one folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.alive: list[tuple[str, object, object]] = []

    def start(self, machine: str, forget: bool = False) -> list[str]:
        with mock.patch("platform.node", return_value=machine), mock.patch("atexit.register") as register:
            with busy_machines(self.folder, forget) as machines:
                pass
            announce(self.folder)
        leave, file = register.call_args.args
        self.alive.append((machine, leave, file))
        return machines

    def end(self, index: int, normally: bool) -> str:
        machine, leave, file = self.alive.pop(index % len(self.alive))
        if normally:
            leave(file)
        file.close()
        return machine


EVENTS = st.lists(
    st.tuples(st.sampled_from(["start", "end", "kill"]), st.sampled_from("ab"), st.integers(0, 5))
)


@settings(deadline=None)
@given(events=EVENTS)
def test_busy_machines_include_all_with_live_processes(events):
    with tempfile.TemporaryDirectory() as folder:
        machines, killed = Machines(folder), set()
        for event, machine, index in events:
            if event == "start":
                alive = {name for name, _, _ in machines.alive}
                others = set(machines.start(machine))
                assert alive <= others <= alive | (killed - {machine})
                # Locks show that the killed processes of this machine have ended.
                killed.discard(machine)
            elif machines.alive:
                name = machines.end(index, normally=event == "end")
                if event == "kill":
                    killed.add(name)
        for _, _, file in machines.alive:
            file.close()


def test_forget_removes_only_machines_without_a_visible_lock(tmp_path):
    machines = Machines(tmp_path)
    machines.start("killed")
    machines.end(0, normally=False)
    machines.start("alive")
    assert machines.start("here") == ["alive", "killed"]
    assert machines.start("here", forget=True) == ["alive", "here"]
    machines.end(0, normally=True)
    assert machines.start("there") == ["here"]


def test_machine_is_busy_if_the_file_system_has_no_locks(tmp_path):
    with mock.patch.object(fcntl, "flock", side_effect=OSError(errno.ENOLCK, "No locks available")):
        assert Machines(tmp_path).start("here") == ["here"]


@pytest.mark.parametrize("variant", ["with pidfd", "without pidfd"])
def test_step_ends_with_its_parent(variant):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as parent:
        step = python(STEP, variant, TEXTLVM_PARENT=str(parent.pid))
        assert step.stdout.readline() == "began\n"
    output, _ = step.communicate(timeout=60)
    assert output == "saved\n"
    assert step.returncode == 0


def test_step_whose_parent_has_ended_ends_immediately():
    with subprocess.Popen(["true"]) as parent:
        parent.wait()
    output, _ = python(STEP, "", TEXTLVM_PARENT=str(parent.pid)).communicate(timeout=60)
    assert output.splitlines()[-1] == "saved"


def test_step_without_parent_variable_starts_no_thread():
    with python(
        "import threading; from textlvm.runtime import processes as p\n"
        "p.end_with_parent(); print(threading.active_count())"
    ) as step:
        assert step.stdout.read() == "1\n"
