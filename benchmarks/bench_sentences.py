"""Milliseconds per training step of the sentences paper, compared with plain padded implementations.

    python benchmarks/bench_sentences.py [--threads 2] [--steps 20] [--data sentences/ptb/data] \\
        [--learn 300] [--memory 3000]

Penn Treebank's size: batches of 20, vocabulary 9,877, embeddings 300, hidden units 512, 512 codes. The
plain implementations use float32, PyTorch's layers, log_softmax over padded logits and unfused Adam. One pads
every batch to 100 words, the other (packed for the recurrent layers, as is usual) to its longest sentence.
Without --data, sentences are drawn with Penn Treebank's lengths. With --learn, all start from the same
weights and their losses after this number of steps are compared. With --memory, the peak memory of this
number of our steps is measured, each precision in a separate process.
"""

import argparse
import multiprocessing
import statistics
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from measure import cpu_seconds, show
from sentence_steps import MODEL, TRAINING, Stepper, initial_model, ours, plain, ptb_like
from torch import Tensor, nn

from textlvm.runtime import provenance
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.batches import TrainingBatches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import SentenceModel
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.training import precision

CPU = torch.device("cpu")


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Median processor time of all threads, after two warm-up calls."""
    return interleaved({"": run}, repeats)[""]


def interleaved(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """`milliseconds` of each, alternating, so that other work on the machine affects all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 2):
        for name, run in runs.items():
            began = cpu_seconds()
            run()
            times[name].append(1e3 * (cpu_seconds() - began))
    return {name: statistics.median(taken[2:]) for name, taken in times.items()}


def breakdown(model: SentenceModel, batches: TrainingBatches, wanted: str, repeats: int) -> dict[str, float]:
    """Milliseconds of a step's parts, forward and backward, each run separately on a batch of median size."""
    dtype = precision.choose(wanted, CPU)
    by_size = sorted(range(1, 100), key=lambda step: len(batches(step).targets))
    batch, parameters = batches(by_size[len(by_size) // 2]), list(model.parameters())
    optimizer = torch.optim.Adam(parameters, lr=0.0, fused=True)

    def both(forward: Callable[[], Tensor]) -> Callable[[], None]:
        def run() -> None:
            with precision.autocast(CPU, dtype):
                value = forward()
            optimizer.zero_grad()
            value.sum().backward()

        return run

    def leaf(*shape: int) -> Tensor:
        return torch.randn(*shape, requires_grad=True)

    n, size = len(batch.targets), len(batch)
    x, states, z = leaf(n, MODEL.embedding), leaf(n, MODEL.hidden), leaf(size, MODEL.latent)
    output = model.output

    def embed() -> Tensor:
        codes = (batch.encoder_inputs[batch.packing.reversal], batch.decoder_inputs)
        return sum(model.dropout(model.embedding(c)).sum() for c in codes)

    times = {
        "batch": milliseconds(lambda: batches(1), repeats),
        "embedding": milliseconds(both(embed), repeats),
        "encoder": milliseconds(both(lambda: model.encoder(x, batch.packing)), repeats),
        "decoder": milliseconds(both(lambda: model.decoder(x, batch.packing, model.initial(z), z)), repeats),
        "softmax and loss": milliseconds(
            both(lambda: target_log_probs(states, output.weight, output.bias, batch.targets)), repeats
        ),
    }
    for parameter in parameters:
        parameter.grad = torch.full_like(parameter, 1e-3)
    times["clip"] = milliseconds(lambda: nn.utils.clip_grad_norm_(parameters, 0.25, foreach=True), repeats)
    times["Adam"] = milliseconds(optimizer.step, repeats)
    return times


def learn(step: Stepper, steps: int, measured: SentenceSet) -> dict[str, float]:
    """The loss and its parts on `measured` after training, in nats per sentence."""
    for _ in range(steps):
        step()
    spec = replace(TRAINING, precision="float32")
    return objectives.autoencoder(step.model, "smim", spec, measured, measured, seed=0).objective.monitor()


def peak_memory(sentences: SentenceSet, wanted: str, steps: int) -> int:
    """Peak memory of this process, in MiB, after our training steps."""
    torch.set_num_threads(1)
    step = ours(initial_model(), sentences, wanted)
    for _ in range(steps):
        step()
    return provenance.peak_memory_mib()


def memory(sentences: SentenceSet, precisions: Iterable[str], steps: int) -> list[dict[str, object]]:
    """`peak_memory` of each precision, in separate processes."""
    rows: list[dict[str, object]] = []
    for wanted in precisions:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            found = alone.submit(peak_memory, sentences, wanted, steps).result()
        rows.append({f"{steps} steps of ours": wanted, "peak MiB": found})
    return rows


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--data", type=Path)
    for name, default in {"threads": 1, "steps": 20, "learn": 0, "memory": 0}.items():
        arguments.add_argument(f"--{name}", type=int, default=default)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    sentences = data.load(options.data, "train") if options.data else ptb_like()
    native = str(precision.choose("auto", CPU)).removeprefix("torch.")
    systems: dict[str, Callable[[], Stepper]] = {
        "padded to 100, float32": lambda: plain(initial_model(), sentences, 100),
        "padded to the longest, float32": lambda: plain(initial_model(), sentences, None),
        "ours, float32": lambda: ours(initial_model(), sentences, "float32"),
        f"ours, {native}": lambda: ours(initial_model(), sentences, native),
    }
    print(f"{options.threads} thread(s), median of {options.steps} steps of {TRAINING.batch} sentences")
    times = interleaved({name: make() for name, make in systems.items()}, options.steps)
    first, second, *_ = times.values()
    show(
        "sentences",
        [
            {"step": name, "ms": value, "ratio": first / value, "to the longest": second / value}
            for name, value in times.items()
        ],
    )
    batches = TrainingBatches(sentences, TRAINING.batch, TRAINING.order, TRAINING.max_length, seed=0)
    parts = {
        wanted: breakdown(initial_model(), batches, wanted, options.steps)
        for wanted in dict.fromkeys(["float32", native])
    }
    show(
        "sentences_parts",
        [
            {"part of a step of ours": part, **{f"{wanted} ms": parts[wanted][part] for wanted in parts}}
            for part in parts["float32"]
        ],
    )
    if options.memory:
        show("sentences_memory", memory(sentences, parts, options.memory))
    if options.learn:
        rows: list[dict[str, object]] = []
        for name in list(systems)[1:]:
            values = learn(systems[name](), options.learn, sentences.between(0, 500))
            shown = {part: values[f"validation_{part}"] for part in ("loss", "reconstruction")}
            rows.append({f"after {options.learn} steps": name, **shown})
        show("sentences_losses", rows)


if __name__ == "__main__":
    main()
