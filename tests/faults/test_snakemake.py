"""An interrupted Snakemake resumes when called again, or names the one command that is needed first."""

import os
import random
import signal
import time
from subprocess import DEVNULL

import pytest

import tiny
from watching import LIMIT, differing, products, wait_until

pytestmark = pytest.mark.faults


WORDS = f"results/words/{tiny.CORPUS}/standard/words.tsv"


def folder(seed):
    return f"results/words/{tiny.CORPUS}/standard/tril/seed{seed}"


@pytest.fixture(scope="module")
def project(new_project):
    """A project with a run that trains for seconds and saves its state often; each test uses another seed."""
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


def start(project, seed):
    """Start Snakemake, and wait until its training has saved a state."""
    process = project.start(f"exec {command(seed)}", start_new_session=True)
    state = project.root / folder(seed) / "checkpoint" / "state.safetensors"
    wait_until(lambda: state.exists() or process.poll() is not None, state)
    assert process.poll() is None, process.communicate()
    return process


def locks(project):
    """The files of Snakemake's lock."""
    return sorted((project.root / ".snakemake" / "locks").glob("*.lock"))


INTERRUPTIONS = {
    "Ctrl-C": (os.killpg, signal.SIGINT),
    "a closed terminal": (os.killpg, signal.SIGHUP),
    "a shutdown": (os.killpg, signal.SIGTERM),
    "a kill of all": (os.killpg, signal.SIGKILL),
    "a kill of Snakemake alone": (os.kill, signal.SIGKILL),
}


@pytest.mark.parametrize("interruption", INTERRUPTIONS)
def test_same_command_resumes_after_an_interruption(project, interruption):
    seed = list(INTERRUPTIONS).index(interruption)
    process = start(project, seed)
    send, number = INTERRUPTIONS[interruption]
    send(process.pid, number)
    assert process.wait(LIMIT) != 0
    # Without a wait: the training of a killed Snakemake may still be saving its state.
    assert "resuming after step" in project.run(command(seed))
    assert locks(project) == []
    process.communicate()


def test_training_does_not_outlive_its_snakemake(project):
    process = start(project, 5)
    process.kill()
    # communicate() returns when the last process with this output has ended.
    process.communicate(timeout=LIMIT)
    assert not (project.root / folder(5) / "model.safetensors").exists()


def test_second_snakemake_does_not_disturb_the_first(project):
    first = start(project, 6)
    # Stopped, so that it does not finish before the second one starts.
    os.killpg(first.pid, signal.SIGSTOP)
    try:
        second = project.call(command(6))
        assert second.returncode != 0
        assert "--unlock" in second.stderr
        assert locks(project)
    finally:
        os.killpg(first.pid, signal.SIGCONT)
    _, errors = first.communicate(timeout=LIMIT)
    assert first.returncode == 0, errors


def test_lock_of_another_machine_requires_unlock(project):
    process = start(project, 7)
    process.kill()
    process.communicate(timeout=LIMIT)
    # The file of an instance that was killed on another machine or still runs there.
    (project.root / ".snakemake" / "instances" / "elsewhere").write_text("1\n")
    refused = project.call(command(7))
    assert refused.returncode != 0
    assert "or was killed, on elsewhere" in refused.stderr
    assert "--unlock" in refused.stderr
    assert locks(project)
    project.run("snakemake --unlock")
    assert "resuming after step" in project.run(command(7))
    # --unlock has removed the file of that machine: locks of local instances need no unlocking.
    (project.root / WORDS).unlink()
    (project.root / ".snakemake" / "locks").mkdir(exist_ok=True)
    (project.root / ".snakemake" / "locks" / "0.output.lock").write_text(f"{WORDS}\n")
    project.run(f"snakemake --cores 1 {WORDS}")


def kill_after(project, files, seconds):
    """Run until there are `files` products and for some seconds more; then kill all processes at once."""
    process = project.start(
        "exec snakemake --cores 2", start_new_session=True, stdout=DEVNULL, stderr=DEVNULL
    )
    wait_until(lambda: len(products(project.root)) >= files or process.poll() is not None, "files")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_visible_files_are_complete_whenever_the_power_fails(new_experiment, finished):
    project, chance = new_experiment(), random.Random(0)
    everything = len(products(finished.root))
    for files in sorted(chance.randrange(everything) for _ in range(5)):
        kill_after(project, files, seconds=chance.random())
        assert differing(project.root, finished.root) == set()
    project.run("snakemake --cores 2")
    assert products(project.root).keys() == products(finished.root).keys()
    assert differing(project.root, finished.root) == set()
