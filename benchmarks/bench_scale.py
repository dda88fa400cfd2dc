"""Scaling of cost: training with batch size, K, d and cores; counting with the number and size of files.

    python benchmarks/bench_scale.py [--gigabytes 5] [--steps 20] [--save docs/performance]

Rates are per second of processor time, which other work on the machine affects least. The rate of several
cores is the sum over as many simultaneous trainings. The text is the documentation of the installed packages,
repeated up to the size of BooksCorpus, in a temporary folder with enough free space. The table and its figure
are saved in results/bench and, with --save, in SAVE.csv and SAVE.svg.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
import torch
from bench_counting import documentation
from bench_training import ROWS, documentation_words, optimisation
from matplotlib import pyplot as plt
from measure import SAVED, cpu_seconds, show

from textlvm.words.model import build
from textlvm.words.train import WordSampler, objective

MODEL, BATCH = ROWS["2×TRIL, K=5"], 1024
COUNT = """
import sys
from pathlib import Path
from textlvm.corpora.counting import count
count(Path(sys.argv[1]))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
SHARDED = 100  # MB


def words_per_second(samples: int = 5, dim: int = 8, batch: int = BATCH, steps: int = 20) -> float:
    """Words per second in training on one thread."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build(replace(MODEL, samples=samples, dim=dim))
    loss = objective(model, WordSampler(documentation_words(), batch, torch.device("cpu"))).loss
    optimizer = torch.optim.Adam(model.parameters(), fused=True)

    step = optimisation(lambda: loss(1), optimizer)
    for _ in range(2):
        step()
    began = cpu_seconds()
    for _ in range(steps):
        step()
    return batch * steps / (cpu_seconds() - began)


def on_cores(cores: int, steps: int) -> float:
    """Words per second of several simultaneous trainings in total."""
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(words_per_second, steps=steps) for _ in range(cores)]
        return sum(job.result() for job in jobs)


def training(steps: int) -> Iterator[dict[str, Any]]:
    """The lines of training for the words paper."""
    axes = {"batch": (64, 256, 1024, 4096), "samples": (1, 2, 5, 10, 20), "dim": (4, 8, 16, 32)}
    names = {"batch": "words a step", "samples": "K", "dim": "d"}
    for axis, values in axes.items():
        for value in values:
            yield line("words/s", names[axis], value, words_per_second(**{axis: value}, steps=steps))
    for cores in range(1, (cpu_count() or 1) + 1):
        yield line("words/s", "cores", cores, on_cores(cores, steps))


def counting(folder: Path, gigabytes: float) -> Iterator[dict[str, Any]]:
    """The lines of counting, by size of text and by number of files."""
    free = shutil.disk_usage(folder).free
    if free < 1.1e9 * gigabytes:
        sys.exit(f"error: {folder} has {free / 1e9:.1f} GB, too few for {gigabytes:g} GB of text: set TMPDIR")
    original, text = documentation(folder).read_bytes(), folder / "text.txt"
    for megabytes in (1000 * gigabytes / 10**i for i in (3, 2, 1, 0)):
        repeat(original, text, int(1e6 * megabytes))
        seconds, memory = counted(text)
        yield line("MB/s", "MB of text", megabytes, megabytes / seconds)
        yield line("MB of memory", "MB of text", megabytes, memory)
    for shards in (1, 2, 4, 8):
        files = [folder / f"shard{i}.txt" for i in range(shards)]
        for file in files:
            repeat(original, file, int(1e6 * SHARDED / shards))
        seconds = sum(counted(file)[0] for file in files)
        yield line("MB/s", f"files, {SHARDED} MB in all", shards, SHARDED / seconds)


def repeat(text: bytes, path: Path, size: int) -> None:
    """Write `size` bytes of the text, repeated as often as needed."""
    with path.open("wb") as file:
        while (left := size - file.tell()) > 0:
            file.write(text[:left])


def counted(text: Path) -> tuple[float, float]:
    """Seconds and peak MB of memory for counting a file in a separate process."""
    began = cpu_seconds()
    done = subprocess.run([sys.executable, "-c", COUNT, text], check=True, stdout=subprocess.PIPE, text=True)
    return cpu_seconds() - began, int(done.stdout) * 1024 / 1e6


def line(measure: str, against: str, value: float, result: float) -> dict[str, Any]:
    row = {"measure": measure, "against": against, "value": value, "result": result}
    print(row, flush=True)
    return row


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw a panel for each pair of measure and variable."""
    table = pd.DataFrame(rows)
    table["panel"] = table["measure"] + " against " + table["against"]
    with sns.axes_style("whitegrid"), plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "textlvm"}):
        grid = sns.relplot(
            table,
            x="value",
            y="result",
            col="panel",
            col_wrap=4,
            kind="line",
            marker="o",
            height=2.2,
            aspect=1.1,
            facet_kws={"sharex": False, "sharey": False},
        )
        grid.set(xscale="log", ylabel="", xlabel="", ylim=(0, None))
        grid.set_titles("{col_name}", size=9)
        for panel, axes in grid.axes_dict.items():
            values = sorted(table.loc[table["panel"] == panel, "value"])
            axes.set_xticks(values, [f"{value:g}" for value in values])
            axes.minorticks_off()
        grid.savefig(path, metadata={"Date": None})


def main() -> None:
    """Measure, print, save and draw."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--gigabytes", type=float, default=1.0, help="maximum size of the text")
    arguments.add_argument("--steps", type=int, default=20, help="steps of every training")
    arguments.add_argument("--save", type=Path, help="path without suffix for a copy of table and figure")
    options = arguments.parse_args()
    rows = list(training(options.steps))
    with tempfile.TemporaryDirectory() as folder:
        rows += counting(Path(folder), options.gigabytes)
    show("scale", rows)
    draw(rows, SAVED / "scale.svg")
    if options.save:
        for suffix in (".csv", ".svg"):
            shutil.copy(SAVED / f"scale{suffix}", options.save.with_suffix(suffix))


if __name__ == "__main__":
    main()
