"""Training processes that are killed or stopped resume with identical results; failures report the reason."""

import json
import os
import random
import re
import signal
import subprocess
from collections import Counter

import pytest

from faults.trainings import ENVIRONMENT, SENTENCES, TEXT, WORDS, Steps, Training
from watching import wait_until

# The same properties are tested within one process in tests/unit/training.
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    runner = Steps(tmp_path_factory.mktemp("steps"))
    yield runner
    runner.server.stdin.close()
    runner.server.wait()


@pytest.fixture(scope="module")
def new_words(steps, tmp_path_factory):
    """A function that creates a training on the words of the language reference."""
    folder = tmp_path_factory.mktemp("words")
    counts = Counter(re.findall(r"\b[a-z]{2,9}\b", TEXT)).most_common(120)
    lines = [f"{word}\t{count}\t{1 + count // 10}\n" for word, count in sorted(counts)]
    (folder / "words.tsv").write_text("word\ttrain\ttest\n" + "".join(lines))

    def make(name, **changes):
        settings = WORDS | {"training": WORDS["training"] | changes}
        data = {"words": folder / "words.tsv"}
        return Training(steps, "words", data, "words/topics/standard/tril", settings, folder / name)

    return make


@pytest.fixture(scope="module")
def new_sentences(steps, tmp_path_factory):
    """A function that creates a training on sentences of the language reference."""
    folder = tmp_path_factory.mktemp("sentences")
    sentences = [line for line in TEXT.splitlines() if 3 < len(line.split()) < 12]
    for split, part in (("train", slice(0, 200)), ("valid", slice(200, 240)), ("test", slice(240, 280))):
        (folder / f"{split}.txt").write_text("\n".join(sentences[part]) + "\n", encoding="utf-8")
    sources = [f"{split}={folder / split}.txt" for split in ("train", "valid", "test")]
    settings = {"corpus": "topics", "format": "lines", "vocabulary": {"min_count": 2}}
    data = folder / "data"
    given = {"dataset": "ptb", "settings": settings, "sources": sources, "out": data}
    steps.run("sentences.data.prepare", given)

    def make(name, **changes):
        settings = SENTENCES | {"model": SENTENCES["model"] | changes}
        return Training(steps, "sentences", {"data": data}, "sentences/ptb/smim", settings, folder / name)

    return make


@pytest.fixture(scope="module")
def uninterrupted(new_words):
    """An uninterrupted training."""
    training = new_words("uninterrupted")
    training.run()
    return training


def resumed(output: str) -> int:
    """The step after which a training has resumed; 0 if it has started from the beginning."""
    found = re.search(r"resuming after step (\d+)", output)
    return int(found[1]) if found else 0


def test_results_are_identical_after_twenty_kills(new_words, uninterrupted):
    interrupted = new_words("interrupted")
    moments = random.Random(0)
    inside = step = 0
    resumable = False
    for _ in range(20):
        # A checkpoint is never lost.
        resumable = resumable or interrupted.has_state()
        output = interrupted.kill(moments.randint(1, 4), saving=moments.random() < 0.5)
        before, step = step, resumed(output)
        assert (step > 0) == resumable
        assert step >= before
        inside += interrupted.is_saving()
    assert inside, "no kill hit a save"
    interrupted.run()
    assert interrupted.products() == uninterrupted.products()
    assert {path.name for path in interrupted.unfinished.iterdir()} == {"lock", "progress.json"}
    assert interrupted.measure() == uninterrupted.measure()


def test_results_are_identical_after_kills_and_a_flipped_bit(new_sentences):
    uninterrupted, interrupted = new_sentences("uninterrupted"), new_sentences("interrupted")
    uninterrupted.run()
    interrupted.kill(2)
    interrupted.kill(3, saving=True)
    assert "resuming after step" in interrupted.kill(3)
    file = interrupted.unfinished / "state.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    output = interrupted.run()
    assert f"{file} is damaged" in output
    assert "resuming after step" in output
    assert interrupted.products() == uninterrupted.products()
    assert interrupted.measure() == uninterrupted.measure()


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")])
def test_training_stopped_by_a_signal_saves_its_step_and_resumes(new_words, uninterrupted, number, name):
    """Slurm and Ctrl-C signal all processes of a job; a shell runs the step, as in Snakemake."""
    interrupted = new_words(name)
    shell = ["bash", "-c", 'set -euo pipefail; exec "$@"', "bash", *interrupted.command]
    process = subprocess.Popen(
        shell, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: interrupted.entry() or process.poll() is not None, "an entry of the curve")
    os.killpg(process.pid, number)
    # The promised limit of 10 seconds does not hold on a busy machine.
    output = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number
    step = re.search(
        rf"stopped by {name} after step (\d+), whose state is saved: the same command resumes", output
    )[1]
    assert "Traceback" not in output
    assert f"resuming after step {step}\n" in interrupted.run()
    assert interrupted.products() == uninterrupted.products()
    assert json.loads((interrupted.out / "cost.json").read_text())["steps"] == WORDS["training"]["steps"]


@pytest.mark.parametrize(
    ("rate", "what"),
    [(1e18, r"became (nan|-?inf)"), (3.0, r"exploded from [\d.]+ to [\d.e+]+")],
    ids=["NaN", "explosion"],
)
def test_training_with_a_loss_that_is_nan_or_explodes_reports_the_reason(new_words, rate, what):
    failing = new_words(f"failing at {rate}", learning_rate=rate, clip=None, checkpoint_every=1, log_every=1)
    failing.steps.start("words.train", failing.options)
    code, output = failing.steps.end()
    assert code == 2, output
    last = output.splitlines()[-1]
    assert re.fullmatch(
        rf"error: words\.runs\.standard\.tril, seed 0: the loss {what} at step \d+, "
        r"whose batch has '[a-z]+', '[a-z]+', '[a-z]+': "
        r"lower its training\.learning_rate or set its training\.clip in config\.yaml",
        last,
    )
    assert "Traceback" not in output
    failure = json.loads((failing.unfinished / "failure.json").read_text())
    assert failure["status"] == "failed"
    assert failure["reason"] in last
    assert not (failing.out / "model.safetensors").exists()
    # The last checkpoint is kept, and leads to the same error.
    failing.steps.start("words.train", failing.options)
    code, output = failing.steps.end()
    assert code == 2
    assert "resuming after step" in output
    assert output.splitlines()[-1] == last
