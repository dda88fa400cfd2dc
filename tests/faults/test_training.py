"""Real trainings that are killed, stopped or fail: nothing is lost, and they end as if left alone."""

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


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    own = Steps(tmp_path_factory.mktemp("steps"))
    yield own
    own.nursery.stdin.close()
    own.nursery.wait()


@pytest.fixture(scope="module")
def new_words(steps, tmp_path_factory):
    """Makes trainings on the words of the language reference."""
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
    """Makes trainings on sentences of the language reference."""
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
def whole(new_words):
    """A training that was left alone."""
    training = new_words("whole")
    training.run()
    return training


def resumed(said: str) -> int:
    """The step after which a training has gone on; none if it began anew."""
    found = re.search(r"resuming after step (\d+)", said)
    return int(found[1]) if found else 0


def test_twenty_kills_change_nothing(new_words, whole):
    cut = new_words("cut")
    moments = random.Random(0)
    inside = step = 0
    resumable = False
    for _ in range(20):
        # What was saved once is never lost again.
        resumable = resumable or cut.has_state()
        said = cut.kill(moments.randint(1, 4), saving=moments.random() < 0.5)
        before, step = step, resumed(said)
        assert (step > 0) == resumable
        assert step >= before
        inside += cut.is_saving()
    assert inside, "no kill hit a save"
    cut.run()
    assert cut.products() == whole.products()
    assert {path.name for path in cut.unfinished.iterdir()} == {"lock", "progress.json"}
    assert cut.measure() == whole.measure()


def test_kills_and_a_flipped_bit_change_nothing(new_sentences):
    whole, cut = new_sentences("whole"), new_sentences("cut")
    whole.run()
    cut.kill(2)
    cut.kill(3, saving=True)
    assert "resuming after step" in cut.kill(3)
    file = cut.unfinished / "state.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    said = cut.run()
    assert f"{file} is damaged" in said
    assert "resuming after step" in said
    assert cut.products() == whole.products()
    assert cut.measure() == whole.measure()


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")])
def test_a_signal_to_all_processes_of_a_job_saves_the_step_and_asks_for_a_rerun(
    new_words, whole, number, name
):
    """Slurm's end of a job, and Ctrl-C; the step is run by a shell, as Snakemake does."""
    cut = new_words(name)
    shell = ["bash", "-c", 'set -euo pipefail; exec "$@"', "bash", *cut.command]
    process = subprocess.Popen(
        shell, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(lambda: cut.entry() or process.poll() is not None, "an entry of the curve")
    os.killpg(process.pid, number)
    # It takes far less than the promised 10 seconds, on a machine that has time for it.
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 128 + number
    step = re.search(
        rf"stopped by {name} after step (\d+), whose state is saved: the same command resumes", said
    )[1]
    assert "Traceback" not in said
    assert f"resuming after step {step}\n" in cut.run()
    assert cut.products() == whole.products()
    assert json.loads((cut.out / "cost.json").read_text())["steps"] == WORDS["training"]["steps"]


@pytest.mark.parametrize(
    ("rate", "what"),
    [(1e18, r"became (nan|-?inf)"), (3.0, r"exploded from [\d.]+ to [\d.e+]+")],
    ids=["no number", "explodes"],
)
def test_a_loss_that_is_nan_or_explodes_is_a_sentence_and_leaves_the_reason(new_words, rate, what):
    failing = new_words(f"failing at {rate}", learning_rate=rate, clip=None, checkpoint_every=1, log_every=1)
    failing.steps.start("words.train", failing.options)
    code, said = failing.steps.end()
    assert code == 2, said
    last = said.splitlines()[-1]
    assert re.fullmatch(
        rf"error: words\.runs\.standard\.tril, seed 0: the loss {what} at step \d+, "
        r"whose batch has '[a-z]+', '[a-z]+', '[a-z]+': "
        r"lower its training\.learning_rate or set its training\.clip in config\.yaml",
        last,
    )
    assert "Traceback" not in said
    failure = json.loads((failing.unfinished / "failure.json").read_text())
    assert failure["status"] == "failed"
    assert failure["reason"] in last
    assert not (failing.out / "model.safetensors").exists()
    # What was saved before is kept, and leads to the same end.
    failing.steps.start("words.train", failing.options)
    code, said = failing.steps.end()
    assert code == 2
    assert "resuming after step" in said
    assert said.splitlines()[-1] == last
