"""Real trainings that are killed, stopped or fail: nothing is lost, and they end as if left alone."""

import contextlib
import json
import os
import pydoc_data.topics
import random
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from watching import LIMIT, OF_THE_PROCESS, wait_until

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
TEXT = " ".join(pydoc_data.topics.topics.values()).lower()
WORDS: dict[str, Any] = {
    "model": CONFIG["words"]["model"] | {"dim": 3, "width": 8, "samples": 2},
    "training": CONFIG["words"]["training"]
    | {"steps": 320, "batch": 16, "log_every": 5, "monitor_every": 60, "checkpoint_every": 8},
    "evaluation": CONFIG["words"]["evaluation"]
    | {"trajectories": 256, "bootstrap": 5, "samples": 100, "entropy_trajectories": 10}
    | {"importance_words": 20, "importance_draws": 10},
}
SENTENCES: dict[str, Any] = {
    "model": CONFIG["sentences"]["model"] | {"latent": 4, "hidden": 12, "embedding": 8, "dropout": 0.3},
    "training": CONFIG["sentences"]["training"]
    | {
        "batch": 8,
        "steps": 100,
        "monitor_every": 20,
        "log_every": 7,
        "checkpoint_every": 6,
        "encoder_unk": 0.1,
        "decoder_unk": 0.1,
        "max_length": 8,
        "precision": "float32",
    },
    "evaluation": CONFIG["sentences"]["evaluation"] | {"repeats": 2, "max_length": 5},
}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}


def arguments(options):
    """A step's options as its command line has them."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *(json.dumps(v) if isinstance(v, dict) else str(v) for v in values)]
    return words


# A process that has imported what takes long, and forks to become a step: without it a test of many steps
# would spend its time on imports.
NURSERY = """
import json, os, runpy, sys
import textlvm.sentences.evaluation.measures, textlvm.sentences.models.objectives
import textlvm.training.run, textlvm.words.objective

for line in sys.stdin:
    module, words, said = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        sys.argv = [module, *words]
        code = 0
        try:
            runpy.run_module(module, run_name="__main__")
        except SystemExit as end:
            code = end.code or 0
        os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Steps:
    """Runs steps, one at a time, each in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.said = folder / "said.txt"
        self.nursery = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, module: str, options: dict[str, Any]) -> int:
        """The number of the process of a step that has begun."""
        call = [f"textlvm.{module}", arguments(options), str(self.said)]
        print(json.dumps(call), file=self.nursery.stdin, flush=True)
        return int(self.nursery.stdout.readline())

    def is_running(self) -> bool:
        return not select.select([self.nursery.stdout], [], [], 0)[0]

    def end(self) -> tuple[int, str]:
        """Wait for the step; its exit code and what it said."""
        return int(self.nursery.stdout.readline()), self.said.read_text(encoding="utf-8")

    def run(self, module: str, options: dict[str, Any]) -> str:
        """What a step said that must succeed."""
        self.start(module, options)
        code, said = self.end()
        assert code == 0, said[-3000:]
        return said


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    own = Steps(tmp_path_factory.mktemp("steps"))
    yield own
    own.nursery.stdin.close()
    own.nursery.wait()


@dataclass(frozen=True)
class Training:
    """A training in a folder of its own, as its rule calls it."""

    steps: Steps
    paper: str
    data: dict[str, Path]
    name: str
    settings: dict[str, Any]
    out: Path

    @property
    def unfinished(self) -> Path:
        return self.out / "checkpoint"

    @property
    def options(self) -> dict[str, Any]:
        spec = {part: self.settings[part] for part in ("model", "training")}
        named = {"name": self.name, "seed": 0, "spec": spec}
        return self.data | named | {"checkpoint": self.unfinished, "out": self.out, "gpus": 0}

    @property
    def measurement(self) -> dict[str, Any]:
        metrics = self.out.with_name(f"{self.out.name}-measured") / "metrics.json"
        settings = {"settings": self.settings["evaluation"], "out": metrics}
        return self.data | {"run": self.out, "gpus": 0} | settings

    @property
    def command(self) -> list[str]:
        """Its command line."""
        return [sys.executable, "-m", f"textlvm.{self.paper}.train", *arguments(self.options)]

    def run(self) -> str:
        return self.steps.run(f"{self.paper}.train", self.options)

    def kill(self, entries: int, saving: bool = False) -> str:
        """Run until there are so many more entries of the curve; then, or in the next save, kill it."""
        child = self.steps.start(f"{self.paper}.train", self.options)
        last = self.entry()
        end = time.monotonic() + LIMIT
        while self.steps.is_running():
            assert time.monotonic() < end
            if entries:
                now = self.entry()
                entries -= now != last
                last = now
            elif not saving or self.is_saving():
                os.kill(child, signal.SIGKILL)
                break
            time.sleep(0.001)
        code, said = self.steps.end()
        assert code == -signal.SIGKILL, said
        return said

    def measure(self) -> bytes:
        """Its metrics, measured in a folder beside its own."""
        self.steps.run(f"{self.paper}.evaluate", self.measurement)
        return self.measurement["out"].read_bytes()

    def products(self) -> dict[str, bytes]:
        """What must not depend on interruptions."""
        files = (path for path in self.out.iterdir() if path.is_file() and path.name not in OF_THE_PROCESS)
        return {path.name: path.read_bytes() for path in files}

    def has_state(self) -> bool:
        return any(self.unfinished.glob("state.*"))

    def entry(self) -> int:
        """A number that is another one after every entry of the curve."""
        with contextlib.suppress(FileNotFoundError):
            return (self.unfinished / "progress.json").stat().st_mtime_ns
        return 0

    def is_saving(self) -> bool:
        return any(self.unfinished.glob(".state-*"))


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
    steps.run("sentences.prepare", given)

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
    found = re.search(r"going on after step (\d+)", said)
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
    assert "going on after step" in cut.kill(3)
    file = cut.unfinished / "state.safetensors"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    said = cut.run()
    assert f"{file} is damaged" in said
    assert "going on after step" in said
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
    step = re.search(rf"stopped by {name} after step (\d+), which is saved: the same command goes on", said)[
        1
    ]
    assert "Traceback" not in said
    assert f"going on after step {step}\n" in cut.run()
    assert cut.products() == whole.products()
    assert json.loads((cut.out / "cost.json").read_text())["steps"] == WORDS["training"]["steps"]


@pytest.mark.parametrize(
    ("rate", "what"),
    [(1e18, r"became (nan|-?inf)"), (3.0, r"exploded from [\d.]+ to [\d.e+]+")],
    ids=["no number", "explodes"],
)
def test_a_loss_that_is_no_number_or_explodes_is_a_sentence_and_leaves_the_reason(new_words, rate, what):
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
    assert "going on after step" in said
    assert said.splitlines()[-1] == last
