"""Milliseconds per step, and the time of evaluations, on a GPU and on one core of the same machine.

    python benchmarks/bench_gpu.py [--steps 200] [--data sentences/ptb/data] [--words words.tsv]

Wall time on an otherwise idle machine. The GPU is synchronised only after all steps, so a step takes as long
as its kernels or as the Python code that launches them, whichever is slower. `GPU ms` is the time of the
kernels. Prints tables of: a step of sMIM (512) at Penn Treebank's size, compared with the plain
implementations of sentence_steps; a step of the words paper's rows with the modules; P^(w) of all words per
trajectory; the MELBO under the training posterior.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from bench_marginal import draw
from bench_ngram import made_up_words
from bench_training import ROWS
from measure import show
from sentence_steps import Stepper, initial_model, ours, plain, ptb_like
from torch import Tensor

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.distributions import DiagonalNormal
from textlvm.sentences.data import prepared as data
from textlvm.sentences.evaluation import aggregated_posterior
from textlvm.words.letters import encode
from textlvm.words.marginal import WordSums
from textlvm.words.model import build
from textlvm.words.train import WordSampler, objective

GPU, CPU = torch.device("cuda"), torch.device("cpu")


def wall_milliseconds(step: Callable[[], object], steps: int, warm: int) -> float:
    """Mean wall time of a step, including the GPU's work."""
    for _ in range(warm):
        step()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - began) / steps


def busy_milliseconds(step: Callable[[], object], steps: int) -> float:
    """The GPU's time per step, summed over its kernels."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(steps):
            step()
        torch.cuda.synchronize()
    return sum(event.self_device_time_total for event in profile.key_averages()) / 1e3 / steps


def sentence_steps(sentences: data.SentenceSet, steps: int) -> list[dict[str, object]]:
    """Steps of the sentences paper."""
    rows: list[dict[str, object]] = []
    for device, counts in ((CPU, (20, 2)), (GPU, (steps, 20))):
        for name, make in (
            ("padded to 100, float32", lambda model: plain(model, sentences, 100)),
            ("padded to the longest, float32", lambda model: plain(model, sentences, None)),
            ("ours, float32", lambda model: ours(model, sentences, "float32")),
            ("ours, bfloat16", lambda model: ours(model, sentences, "bfloat16")),
        ):
            training = make(initial_model().to(device))
            row = {"device": device.type, "step": name, "ms": wall_milliseconds(training, *counts)}
            if device is GPU:
                row["GPU ms"] = busy_milliseconds(training, 20)
            rows.append(row)
    for row in rows:
        row["times the CPU's first"] = rows[0]["ms"] / row["ms"]
    return rows


def word_steps(split: WordSplit, steps: int, batch: int = 1024) -> list[dict[str, object]]:
    """Steps of the words paper's rows, with the modules on the GPU and as in training on one core."""
    rows = []
    for name in ("TRIL", "2×TRIL, K=5", "2×TRIL, K=10", "REAL-NVP-[2,3,4,5,6,7]", "BASELINE-8D"):
        row: dict[str, object] = {"row": name}
        for device in (CPU, GPU):
            torch.manual_seed(0)
            model = build(ROWS[name]).to(device)
            loss = objective(model, WordSampler(split, batch, device)).loss
            training = Stepper(model, loss, fused=True, clip=1.0)
            row[f"{device.type} ms"] = wall_milliseconds(
                training, *((20, 2) if device is CPU else (steps, 10))
            )
        row["GPU ms"] = busy_milliseconds(training, 5)
        rows.append(row | {"cpu/cuda": row["cpu ms"] / row["cuda ms"]})
    return rows


def marginal(split: WordSplit, trajectories: int = 8192) -> list[dict[str, object]]:
    """P^(w) of all words, in microseconds per trajectory."""
    lexicon, rows = encode(split.words), []
    for device, n in ((CPU, 1024), (GPU, trajectories)):
        torch.manual_seed(0)
        model, sums = build(ROWS["TRIL"]).to(device), WordSums(lexicon, device)

        def work(n: int = n, model: torch.nn.Module = model, sums: WordSums = sums) -> None:
            with torch.no_grad():
                for log_probs in draw(model, lexicon.codes.shape[1], n):
                    sums(log_probs.transpose(1, 2).contiguous())

        spent = wall_milliseconds(work, 1, 1)
        rows.append({"device": device.type, "words": len(lexicon), "us a trajectory": 1e3 * spent / n})
    return rows


def melbo(size: int = 3761, components: int = 42068, dim: int = 512) -> list[dict[str, object]]:
    """The test codes under the training set's posteriors, in double precision."""
    torch.manual_seed(0)
    rows = []
    for device in (CPU, GPU):
        count = components if device is GPU else components // 8
        posteriors = DiagonalNormal(
            torch.randn(count, dim, device=device), 0.1 * torch.randn(count, dim, device=device)
        )
        z = torch.randn(size, dim, device=device)

        def work(z: Tensor = z, posteriors: DiagonalNormal = posteriors) -> None:
            aggregated_posterior.log_prob(z, posteriors)

        seconds = wall_milliseconds(work, 1, 1 if device is GPU else 0) / 1e3
        rows.append({"device": device.type, "seconds": seconds * components / count})
    return rows


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--steps", type=int, default=200)
    arguments.add_argument("--data", type=Path)
    arguments.add_argument("--words", type=Path)
    options = arguments.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("error: there is no GPU: run this on a machine that has one")
    torch.set_num_threads(1)
    sentences = data.load(options.data, "train") if options.data else ptb_like()
    if options.words:
        split = read_words(options.words)
    else:
        words = made_up_words(99_398)
        split = WordSplit(words, *np.ones((2, len(words)), dtype=np.int64))
    print(f"{torch.cuda.get_device_name()} and one core; PyTorch {torch.__version__}")
    show("gpu_sentences", sentence_steps(sentences, options.steps))
    show("gpu_words", word_steps(split, max(10, options.steps // 4)))
    show("gpu_marginal", marginal(split))
    show("gpu_melbo", melbo())


if __name__ == "__main__":
    main()
