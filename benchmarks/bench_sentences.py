"""Milliseconds a training step of the sentences paper, beside plain padded implementations.

    python benchmarks/bench_sentences.py [--threads 2] [--steps 20] [--data sentences/ptb/data] \\
        [--learn 300] [--memory 3000]

Penn Treebank's size: batches of 20, vocabulary 9,877, embeddings 300, hidden units 512, 512 codes. The
plain implementations are float32, PyTorch's layers, log_softmax over padded logits, unfused Adam; one runs
every batch to 100 words, the other (packed for the recurrent layers, as is usual) to its longest sentence.
Without --data, sentences are drawn with Penn Treebank's lengths. With --learn, both learn from the same
weights for so many steps, and their losses are compared. With --memory, the peak memory of so many steps of
ours is measured, each precision in a process of its own.
"""

import argparse
import multiprocessing
import statistics
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from measure import cpu_seconds, show
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textlvm.runtime import provenance
from textlvm.sentences.data import prepared as data
from textlvm.sentences.data.batches import TrainingBatches
from textlvm.sentences.data.prepared import SentenceSet
from textlvm.sentences.data.vocabulary import EOS, PAD, SOS
from textlvm.sentences.models import objectives
from textlvm.sentences.models.autoencoder import LEAST_LOG_VARIANCE, SentenceModel
from textlvm.sentences.models.softmax import target_log_probs
from textlvm.sentences.spec import ModelSpec, TrainingSpec
from textlvm.training import precision

CPU = torch.device("cpu")
MODEL = ModelSpec(
    objective="smim", cell="gru", latent=512, hidden=512, embedding=300, dropout=0.5, encoder_dropout=0.0
)
TRAINING = TrainingSpec(
    optimizer="adam",
    learning_rate=1e-3,
    clip=0.25,
    batch=20,
    order="random",
    epochs=1,
    steps=None,
    monitor_every=None,
    patience=3,
    patience_counts="all",
    decay=0.25,
    min_learning_rate=1e-8,
    kl="closed",
    kl_schedule="logistic",
    kl_offset=0,
    kl_slope=0.0025,
    max_length=100,
    encoder_unk=0.0,
    decoder_unk=0.0,
    precision="auto",
    log_every=100,
    checkpoint_every=1000,
)


def ptb_like(
    n: int = 20_000, vocabulary: int = 9877, mean: float = 21, deviation: float = 10, longest: int = 80
) -> SentenceSet:
    """Sentences with a mean length and spread, Penn Treebank's unless told, words drawn by Zipf's law."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.normal(mean, deviation, size=n), 1, longest).astype(np.int64)
    weights = 1 / np.arange(2, vocabulary - 2)
    tokens = rng.choice(np.arange(4, vocabulary), size=lengths.sum(), p=weights / weights.sum())
    return SentenceSet(tokens.astype(np.int32), np.concatenate([[0], lengths.cumsum()]))


def padded_loss(model: SentenceModel, sentences: list[np.ndarray], width: int | None) -> Tensor:
    """sMIM's loss with PyTorch's layers: every sentence padded to `width`, or to the longest one."""
    lengths = torch.tensor([len(s) + 1 for s in sentences])
    size = (len(sentences), width or int(lengths.max()))
    inputs, backwards, targets = (torch.full(size, PAD) for _ in range(3))
    for i, sentence in enumerate(sentences):
        words = torch.from_numpy(sentence.astype(np.int64))
        inputs[i, : lengths[i]] = torch.cat([torch.tensor([SOS]), words])
        backwards[i, : lengths[i]] = inputs[i, : lengths[i]].flip(0)
        targets[i, : lengths[i]] = torch.cat([words, torch.tensor([EOS])])
    inputs, backwards, targets = (
        codes.to(model.mean.weight.device) for codes in (inputs, backwards, targets)
    )

    def run(layer: nn.GRU, embedded: Tensor, initial: Tensor | None) -> tuple[Tensor, Tensor]:
        if width:
            states, _ = layer(embedded.transpose(0, 1), initial)
            return states.transpose(0, 1), states[lengths - 1, torch.arange(len(lengths))]
        packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
        packed, last = layer(packed, initial)
        return pad_packed_sequence(packed, batch_first=True)[0], last[0]

    _, summary = run(model.encoder.layer, model.encoder_dropout(model.embedding(backwards)), None)
    mean, log_variance = model.mean(summary), model.log_variance(summary).clamp(min=LEAST_LOG_VARIANCE)
    q, anchor = torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0, 1)
    z = q.rsample()
    context = z[:, None].expand(-1, size[1], -1)
    joined = torch.cat([model.dropout(model.embedding(inputs)), context], -1)
    states, _ = run(model.decoder.layer, joined, model.initial(z)[None])
    log_probs = torch.log_softmax(model.output(states), -1)
    error = nn.functional.nll_loss(
        log_probs.flatten(0, 1), targets.flatten(), ignore_index=PAD, reduction="sum"
    )
    return (error - 0.5 * (q.log_prob(z) + anchor.log_prob(z)).sum()) / len(sentences)


def milliseconds(run: Callable[[], object], repeats: int) -> float:
    """Median processor time, of all threads, after two calls to warm up."""
    return interleaved({"": run}, repeats)[""]


def interleaved(runs: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """`milliseconds` of each, by turns, so that what else the machine has to do falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 2):
        for name, run in runs.items():
            began = cpu_seconds()
            run()
            times[name].append(1e3 * (cpu_seconds() - began))
    return {name: statistics.median(taken[2:]) for name, taken in times.items()}


class Stepper:
    """Full optimisation steps of a model, one batch after the other."""

    def __init__(
        self, model: nn.Module, loss: Callable[[int], Tensor], fused: bool, clip: float | None = TRAINING.clip
    ) -> None:
        self.model, self.loss, self.clip, self.step = model, loss, clip, 0
        self.parameters = list(model.parameters())
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, fused=fused, foreach=False)

    def __call__(self) -> None:
        self.step += 1
        loss = self.loss(self.step)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, self.clip, foreach=True)
        # Nothing is read back, as in the trainer: a GPU would be waited for.
        self.optimizer.step()


def ours(model: SentenceModel, sentences: SentenceSet, wanted: str) -> Stepper:
    """The project's own training steps in the given precision."""
    spec = replace(TRAINING, precision=wanted)
    trained = objectives.autoencoder(model, "smim", spec, sentences, sentences, seed=0)
    return Stepper(model, trained.objective.loss, fused=True)


def plain(model: SentenceModel, sentences: SentenceSet, width: int | None) -> Stepper:
    """The plain steps; batches are drawn from all sentences, without regard to length."""
    order = np.random.default_rng(0).permutation(len(sentences))

    def loss(step: int) -> Tensor:
        first = TRAINING.batch * (step - 1) % (len(order) - TRAINING.batch)
        return padded_loss(model, [sentences[i][:99] for i in order[first : first + TRAINING.batch]], width)

    return Stepper(model, loss, fused=False)


def breakdown(model: SentenceModel, batches: TrainingBatches, wanted: str, repeats: int) -> dict[str, float]:
    """Milliseconds of a step's parts, forward and backward, each run alone on a batch of median size."""
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


def fresh(weights: dict[str, Tensor] | None = None) -> SentenceModel:
    """A model at Penn Treebank's size."""
    torch.manual_seed(0)
    model = SentenceModel(MODEL, 9877)
    if weights:
        model.load_state_dict(weights)
    return model


def learn(step: Stepper, steps: int, measured: SentenceSet) -> dict[str, float]:
    """The loss and its parts on `measured` after so many steps, in nats a sentence."""
    for _ in range(steps):
        step()
    spec = replace(TRAINING, precision="float32")
    return objectives.autoencoder(step.model, "smim", spec, measured, measured, seed=0).objective.monitor()


def peak_memory(sentences: SentenceSet, wanted: str, steps: int) -> int:
    """MiB held at most by this process, which has done little else, in so many steps of ours."""
    torch.set_num_threads(1)
    step = ours(fresh(), sentences, wanted)
    for _ in range(steps):
        step()
    return provenance.peak_memory_mib()


def memory(sentences: SentenceSet, precisions: Iterable[str], steps: int) -> list[dict[str, object]]:
    """`peak_memory` of each precision, in a process of its own."""
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
        "padded to 100, float32": lambda: plain(fresh(), sentences, 100),
        "padded to the longest, float32": lambda: plain(fresh(), sentences, None),
        "ours, float32": lambda: ours(fresh(), sentences, "float32"),
        f"ours, {native}": lambda: ours(fresh(), sentences, native),
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
        wanted: breakdown(fresh(), batches, wanted, options.steps)
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
