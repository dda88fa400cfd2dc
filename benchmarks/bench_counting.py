"""Counting compared with a shell pipeline, on the same file and one core.

    python benchmarks/bench_counting.py [--file TEXT] [--repeats 3]

Prints the best MB/s of both and their ratio. The shell pipeline runs in the current locale and in the C
locale, where `sort` is fastest. Without --file, the text is the documentation corpus of this environment.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measure import show

from textlvm.corpora.counting import count

PIPELINE = 'tr -cs "A-Za-z0-9\'" \'\\n\' < "$1" | tr A-Z a-z | sort | uniq -c > /dev/null'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, help="plain text to count")
    parser.add_argument("--repeats", type=int, default=3, help="repetitions; the best is printed")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        text = options.file or documentation(Path(folder))
        ways: dict[str, Callable[[], object]] = {
            "textlvm": lambda: count(text),
            "shell": lambda: shell(text, {}),
            "shell, LC_ALL=C": lambda: shell(text, {"LC_ALL": "C"}),
        }
        megabytes = text.stat().st_size / 1e6
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        # Alternating, so that other work on the machine slows all of them down equally.
        for _ in range(options.repeats):
            for name, way in ways.items():
                begin = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - begin)
    best = {name: min(times) for name, times in seconds.items()}
    print(f"{megabytes:.0f} MB, one core")
    show(
        "counting",
        [
            {"way": name, "MB/s": megabytes / time, "times ours": time / best["textlvm"]}
            for name, time in best.items()
        ],
    )


def documentation(folder: Path) -> Path:
    text = folder / "documentation.txt"
    subprocess.run([sys.executable, "-m", "textlvm.corpora.documentation", "--out", text], check=True)
    return text


def shell(text: Path, locale: dict[str, str]) -> None:
    subprocess.run(["sh", "-c", PIPELINE, "sh", text], check=True, env=os.environ | locale)


if __name__ == "__main__":
    main()
