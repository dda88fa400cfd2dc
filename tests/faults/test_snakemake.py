"""Snakemake cut off in the middle, and called again: it goes on, or says the one command that is needed."""

import os
import random
import signal
import time
from subprocess import DEVNULL as NOBODY

import pytest

import tiny
from watching import LIMIT, differing, products, wait_until

pytestmark = pytest.mark.faults


WORDS = f"results/words/{tiny.CORPUS}/standard/words.tsv"


def folder(seed):
    return f"results/words/{tiny.CORPUS}/standard/tril/seed{seed}"


@pytest.fixture(scope="module")
def project(new_project):
    """A project with a run that trains for seconds and saves its state often; each test has its own seed."""
    project = new_project()
    tiny.write(project.root, tiny.words)

    def edit(section):
        section["seeds"] = list(range(8))
        section["training"] |= {"steps": 300, "monitor_every": 300}

    tiny.change(project.root, "words", edit)
    project.run(f"snakemake --cores 2 {WORDS}")
    return project


def command(seed):
    return f"snakemake --cores 1 {folder(seed)}/model.safetensors"


def as_from_a_terminal():
    """Let a process hear what its parent may ignore, such as a test run in the background."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def begin(project, seed):
    """Snakemake, at work on a training that has saved its state."""
    process = project.start(f"exec {command(seed)}", start_new_session=True, preexec_fn=as_from_a_terminal)
    state = project.root / folder(seed) / "checkpoint" / "state.safetensors"
    wait_until(lambda: state.exists() or process.poll() is not None, state)
    assert process.poll() is None, process.communicate()
    return process


def left(project):
    """The files of Snakemake's lock that are there."""
    return sorted((project.root / ".snakemake" / "locks").glob("*.lock"))


INTERRUPTIONS = {
    "Ctrl-C": (os.killpg, signal.SIGINT),
    "a closed terminal": (os.killpg, signal.SIGHUP),
    "a shutdown": (os.killpg, signal.SIGTERM),
    "a kill of all": (os.killpg, signal.SIGKILL),
    "a kill of Snakemake alone": (os.kill, signal.SIGKILL),
}


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_the_same_command_goes_on_where_it_was(project, interruption):
    seed = list(INTERRUPTIONS).index(interruption)
    process = begin(project, seed)
    send, number = INTERRUPTIONS[interruption]
    send(process.pid, number)
    assert process.wait(LIMIT) != 0
    # At once: a training whose Snakemake was killed may still be saving its state.
    assert "resuming after step" in project.run(command(seed))
    assert left(project) == []
    process.communicate()


def test_a_training_does_not_outlive_its_snakemake(project):
    process = begin(project, 5)
    process.kill()
    # Its output ends with the last process that writes to it.
    process.communicate(timeout=LIMIT)
    assert not (project.root / folder(5) / "model.safetensors").exists()


def test_a_second_snakemake_does_not_disturb_the_first(project):
    first = begin(project, 6)
    # Held, so that it is not done before the second one starts.
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        second = project.call(command(6))
        assert second.returncode != 0
        assert "--unlock" in second.stderr
        assert left(project)
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    _, errors = first.communicate(timeout=LIMIT)
    assert first.returncode == 0, errors


def test_a_lock_that_another_machine_may_hold_is_left_to_the_user(project):
    process = begin(project, 7)
    process.kill()
    process.communicate(timeout=LIMIT)
    # What a Snakemake leaves behind that was killed on another machine, or still runs there.
    (project.root / ".snakemake" / "instances" / "elsewhere").write_text("1\n")
    refused = project.call(command(7))
    assert refused.returncode != 0
    assert "or was killed, on elsewhere" in refused.stderr
    assert "--unlock" in refused.stderr
    assert left(project)
    project.run("snakemake --unlock")
    assert "resuming after step" in project.run(command(7))
    # The user has vouched for that machine: what is killed here from now on needs no unlocking.
    (project.root / WORDS).unlink()
    (project.root / ".snakemake" / "locks").mkdir(exist_ok=True)
    (project.root / ".snakemake" / "locks" / "0.output.lock").write_text(f"{WORDS}\n")
    project.run(f"snakemake --cores 1 {WORDS}")


def kill_after(project, files, seconds):
    """Run the experiment until there are so many files, then for so long; then kill everything at once."""
    process = project.start("exec snakemake --cores 2", start_new_session=True, stdout=NOBODY, stderr=NOBODY)
    wait_until(lambda: len(products(project.root)) >= files or process.poll() is not None, "files")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_whatever_is_visible_is_whole_whenever_the_power_fails(new_experiment, finished):
    project, chance = new_experiment(), random.Random(0)
    everything = len(products(finished.root))
    for files in sorted(chance.randrange(everything) for _ in range(5)):
        kill_after(project, files, seconds=chance.random())
        assert differing(project.root, finished.root) == set()
    project.run("snakemake --cores 2")
    assert products(project.root).keys() == products(finished.root).keys()
    assert differing(project.root, finished.root) == set()
