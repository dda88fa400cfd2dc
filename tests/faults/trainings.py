"""Small trainings of both papers, called as by their rules, which can be killed at any moment."""

import contextlib
import json
import os
import pydoc_data.topics
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from watching import LIMIT, VARYING

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
    | {"batch": 8, "steps": 100, "monitor_every": 20, "log_every": 7, "checkpoint_every": 6}
    | {"encoder_unk": 0.1, "decoder_unk": 0.1, "max_length": 8, "precision": "float32"},
    "evaluation": CONFIG["sentences"]["evaluation"] | {"repeats": 2, "max_length": 5},
}
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "OMP_NUM_THREADS": "1"}


def arguments(options):
    """The command line of a step's options."""
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *(json.dumps(v) if isinstance(v, dict) else str(v) for v in values)]
    return words


# A process that has imported the slow modules and forks for each step. Otherwise, a test of many steps would
# spend its time on imports.
SERVER = """
import json, os, runpy, sys
import textlvm.sentences.evaluation.measures, textlvm.sentences.models.objectives
import textlvm.training.run, textlvm.words.engine

for line in sys.stdin:
    module, words, log = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
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
    """Runs steps one at a time, each in a separate process."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "log.txt"
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, module: str, options: dict[str, Any]) -> int:
        """Start a step; returns its process ID."""
        call = [f"textlvm.{module}", arguments(options), str(self.log)]
        print(json.dumps(call), file=self.server.stdin, flush=True)
        return int(self.server.stdout.readline())

    def is_running(self) -> bool:
        return not select.select([self.server.stdout], [], [], 0)[0]

    def end(self) -> tuple[int, str]:
        """Wait for the step; returns its exit status and standard error."""
        return int(self.server.stdout.readline()), self.log.read_text(encoding="utf-8")

    def run(self, module: str, options: dict[str, Any]) -> str:
        """Run a step, which must succeed; returns its standard error."""
        self.start(module, options)
        code, errors = self.end()
        assert code == 0, errors[-3000:]
        return errors


@dataclass(frozen=True)
class Training:
    """A training in a separate folder, called as by its rule."""

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
        """Kill the training after so many new entries of its curve; with `saving`, during the next save."""
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
        code, errors = self.steps.end()
        assert code == -signal.SIGKILL, errors
        return errors

    def measure(self) -> bytes:
        """Evaluate the run in another folder; returns the content of metrics.json."""
        self.steps.run(f"{self.paper}.evaluate", self.measurement)
        return self.measurement["out"].read_bytes()

    def products(self) -> dict[str, bytes]:
        """The files that must not depend on interruptions."""
        files = (path for path in self.out.iterdir() if path.is_file() and path.name not in VARYING)
        return {path.name: path.read_bytes() for path in files}

    def has_state(self) -> bool:
        return any(self.unfinished.glob("state.*"))

    def entry(self) -> int:
        """A number that changes with every entry of the curve."""
        with contextlib.suppress(FileNotFoundError):
            return (self.unfinished / "progress.json").stat().st_mtime_ns
        return 0

    def is_saving(self) -> bool:
        return any(self.unfinished.glob(".state-*"))
