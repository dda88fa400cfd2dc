"""Milliseconds per training step of the words paper, compared with plain implementations and the floor.

    python benchmarks/bench_training.py [--words words.tsv] [--steps 30] [--batch 256]

`padded` is a straightforward implementation: every word padded to the longest of the vocabulary, the K
samples as additional rows of the batch, masks, a loop over all positions, torch.distributions, unfused Adam.
`modules` is textlvm.words.objective.step_bounds, with packed words and PyTorch's operations; `fused` is the
implementation used in training. All train the same modules on words of the same lengths. The floor is the
time of the matrix products alone at the rate of a large one, measured in the same run.

Times are CPU times of one thread, so other work on the machine matters less. Without --words, words and their
counts come from the language reference in Python.
"""

import argparse
import pydoc_data.topics
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from measure import matrix_peak, show
from torch import Tensor

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.words.baseline import GRUBaseline
from textlvm.words.flows import call_and_ladj
from textlvm.words.fused import build as building
from textlvm.words.letters import END, PackedWords, encode
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.noise import draw_noise
from textlvm.words.objective import step_bounds
from textlvm.words.spec import ModelSpec
from textlvm.words.train import WordSampler, objective
from textlvm.words.transitions import RealNVPTransition

STEPS = 15_000  # of a training
BASE = ModelSpec(
    family="state-space",
    dim=8,
    transition="tril",
    layers=1,
    masks=(),
    order="keep",
    parametrization="inverse",
    width=64,
    delta=0.1,
    initial_state="learned",
    inference="backward",
    samples=1,
)
ROWS = {
    "TRIL": BASE,
    "TRIL, K=2": replace(BASE, samples=2),
    "TRIL, K=5": replace(BASE, samples=5),
    "TRIL, K=10": replace(BASE, samples=10),
    "2×TRIL": replace(BASE, layers=2),
    "2×TRIL, K=5": replace(BASE, layers=2, samples=5),
    "2×TRIL, K=10": replace(BASE, layers=2, samples=10),
    "2×TRIL, K=10, BIDI": replace(BASE, layers=2, samples=10, inference="bidirectional"),
    "REAL-NVP-[2,3,4,5,6,7]": replace(BASE, transition="real-nvp", masks=(2, 3, 4, 5, 6, 7), order="reverse"),
    "DIAG": replace(BASE, transition="diag"),
    "BASELINE-8D": replace(BASE, family="gru"),
    "BASELINE-16D": replace(BASE, family="gru", dim=16),
}


def padded_bound(model: StateSpaceModel, codes: Tensor, lengths: Tensor) -> Tensor:
    """The objective of `textlvm.words.objective`, padded: codes (B, T), lengths (B,); mean nats per word."""
    batch, horizon = codes.shape
    positions = torch.arange(horizon)
    mask = positions < lengths[:, None]
    turn = torch.where(mask, lengths[:, None] - 1 - positions, positions)
    inference = model.inference
    embedded = inference.embedding(codes)
    turned = embedded.gather(1, turn[..., None].expand_as(embedded))
    summary = inference.backward_gru(turned.transpose(0, 1))[0].transpose(0, 1)
    summary = summary.gather(1, turn[..., None].expand_as(summary))
    if inference.forward_gru is not None:
        past = inference.forward_gru(embedded.transpose(0, 1))[0].transpose(0, 1)
        summary = torch.cat([past, summary], -1)
    state, total, samples = model.initial_state(batch), torch.zeros(()), model.samples
    standard = torch.distributions.Normal(torch.zeros(state.shape[1]), torch.ones(state.shape[1]))
    for t in range(horizon):
        repeated = state.repeat_interleave(samples, 0)
        generative = model.generative(repeated)
        noise = torch.randn(len(repeated), 1, state.shape[1])
        proposal = generative(noise) if samples > 1 else None
        context = inference.from_letters(summary[:, t].repeat_interleave(samples, 0))
        parameters = inference(repeated, context, proposal)
        q = torch.distributions.Normal(parameters.loc, parameters.log_scale.exp())
        xi = q.rsample()
        h, log_det_q = call_and_ladj(model.variational(repeated), xi)
        zeta, log_det_inverse = call_and_ladj(generative.inv, h)
        letters = torch.distributions.Categorical(logits=model.emission(h))
        weights = letters.log_prob(codes[:, t].repeat_interleave(samples)[:, None])
        weights = weights + standard.log_prob(zeta).sum(-1) - q.log_prob(xi).sum(-1)
        weights = weights + log_det_q + log_det_inverse
        weights = weights.view(batch, samples)
        total = total + ((weights.logsumexp(1) - np.log(samples)) * mask[:, t]).sum()
        candidates = h.view(batch, samples, -1)
        if samples == 1:
            state = candidates[:, 0]
        else:
            chosen = torch.distributions.Categorical(logits=weights.detach()).sample()
            state = candidates[torch.arange(batch), chosen]
    return total / batch


def padded_log_probs(model: GRUBaseline, codes: Tensor, lengths: Tensor) -> Tensor:
    """The baseline's log-likelihood, padded; mean nats per word."""
    starts = torch.full_like(codes[:, :1], END)
    states = model.gru(model.embedding(torch.cat([starts, codes[:, :-1]], 1)).transpose(0, 1))[0].transpose(
        0, 1
    )
    log_probs = torch.distributions.Categorical(logits=model.output(states)).log_prob(codes)
    return (log_probs * (torch.arange(codes.shape[1]) < lengths[:, None])).sum() / len(codes)


@dataclass(frozen=True)
class Row:
    """CPU milliseconds per step."""

    floor: float
    padded: float
    modules: float
    fused: float

    def ratios(self) -> dict[str, float]:
        """Speed-up over the padded step, and slow-down from the floor."""
        return {"padded/fused": self.padded / self.fused, "fused/floor": self.fused / self.floor}


def operations(model: StateSpaceModel | GRUBaseline, batch: PackedWords) -> float:
    """Floating-point operations of a step's matrix products, with gradients and without padding."""
    # A multiplication and an addition for each of the value, the inputs' gradient and the weights' gradient.
    return 2 * 3 * products(model) * len(batch.letters)


def products(model: StateSpaceModel | GRUBaseline) -> int:
    """Multiplications in the matrix products of the forward pass, per letter."""
    if isinstance(model, GRUBaseline):
        return model.gru.weight_hh_l0.numel() + model.output.weight.numel()
    inference, generative, samples = model.inference, model.generative, model.samples
    grus = [gru for gru in (inference.forward_gru, inference.backward_gru) if gru is not None]
    once = [*(gru.weight_hh_l0 for gru in grus), inference.from_letters.weight, inference.from_state.weight]
    once += weights(model.variational)
    each = [inference.head.weight, model.emission.weight]
    passes = 1 if samples == 1 else 2  # of F_g
    if samples > 1:
        each.append(inference.from_proposal.weight)
    if isinstance(generative, RealNVPTransition):
        each += passes * weights(generative)
    else:
        once += weights(generative)
    return sum(weight.numel() for weight in once) + samples * sum(weight.numel() for weight in each)


def weights(module: torch.nn.Module) -> list[Tensor]:
    return [parameter for parameter in module.parameters() if parameter.dim() == 2]


def cpu_milliseconds(call: Callable[[], object], repeats: int) -> float:
    """Median CPU time of this thread after two warm-up calls."""
    times = []
    for _ in range(repeats + 2):
        began = time.thread_time()
        call()
        times.append(1e3 * (time.thread_time() - began))
    return statistics.median(times[2:])


def optimisation(loss: Callable[[], Tensor], optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """A training step: loss, gradient and update."""

    def step() -> None:
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return step


def measure(spec: ModelSpec, split: WordSplit, batch: int, steps: int, rate: float) -> Row:
    """A row of the table."""
    torch.manual_seed(0)
    sampler = WordSampler(split, batch, torch.device("cpu"))
    horizon = int(sampler.lexicon.lengths.max())
    cumulative, lexicon = sampler.cumulative, sampler.lexicon
    model = build(spec)

    def padded() -> Tensor:
        index = torch.searchsorted(cumulative, torch.rand(batch, dtype=torch.float64) * cumulative[-1])
        plain = padded_log_probs if isinstance(model, GRUBaseline) else padded_bound
        return -plain(model, lexicon.codes[index, :horizon], lexicon.lengths[index])

    def modules() -> Tensor:
        words = sampler()
        if isinstance(model, GRUBaseline):
            return -model.log_probs(words).sum() / batch
        return -step_bounds(model, words, draw_noise(model, words)).sum() / batch

    loss = objective(model, sampler).loss
    unfused = torch.optim.Adam(model.parameters(), fused=False, foreach=False)
    fused = torch.optim.Adam(model.parameters(), fused=True)
    return Row(
        floor=1e3 * operations(model, sampler()) / rate,
        padded=cpu_milliseconds(optimisation(padded, unfused), steps),
        modules=cpu_milliseconds(optimisation(modules, fused), steps),
        fused=cpu_milliseconds(optimisation(lambda: loss(1), fused), steps),
    )


def documentation_words() -> WordSplit:
    """Words of the language reference in Python, with their counts."""
    text = " ".join(pydoc_data.topics.topics.values()).lower()
    counts = Counter(re.findall(r"\b[a-z]{2,12}\b", text))
    words = sorted(counts)
    train = np.array([counts[word] for word in words])
    return WordSplit(words, train, np.ones_like(train))


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--words", type=Path)
    arguments.add_argument("--steps", type=int, default=30)
    arguments.add_argument("--batch", type=int, default=256)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    if building.library() is None:
        raise SystemExit("error: the fused pass does not compile here: see the message above")
    split = read_words(options.words) if options.words else documentation_words()
    share = split.train / split.train.sum()
    mean = float(share @ (encode(split.words).lengths.numpy()))
    rate = matrix_peak()
    print(f"batch {options.batch}, {mean:.2f} symbols a word of {max(map(len, split.words)) + 1}, one thread")
    print(f"a large matrix product: {rate / 1e9:.0f} GFLOP/s; milliseconds of CPU a step")
    rows = {name: measure(spec, split, options.batch, options.steps, rate) for name, spec in ROWS.items()}
    show("training", [{"row": name, **asdict(row), **row.ratios()} for name, row in rows.items()])
    total = sum(row.fused for row in rows.values())
    print(f"all of them, {STEPS:,} steps each: {total * STEPS / 60_000:.0f} minutes of one core")


if __name__ == "__main__":
    main()
