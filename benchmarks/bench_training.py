"""Milliseconds a training step of the words paper, beside a plain padded implementation.

    python benchmarks/bench_training.py [--words words.tsv] [--steps 30]

The baseline is what one writes first: every word padded to the longest of the vocabulary, the K samples
as more rows of the batch, masks, a loop over all positions, torch.distributions, unfused Adam. Both
train the same modules on words of the same lengths, on one thread. Without --words, words and their
counts come from the language reference that is part of Python.
"""

import argparse
import pydoc_data.topics
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from textlvm.corpora.splits import WordSplit, read_words
from textlvm.words.letters import encode
from textlvm.words.model import StateSpaceModel, build
from textlvm.words.spec import ModelSpec
from textlvm.words.train import WordSampler, objective

BATCH = 256
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
    "TRIL, K=5": replace(BASE, samples=5),
    "2×TRIL": replace(BASE, layers=2),
    "2×TRIL, K=5": replace(BASE, layers=2, samples=5),
    "2×TRIL, K=10": replace(BASE, layers=2, samples=10),
    "2×TRIL, K=10, BIDI": replace(BASE, layers=2, samples=10, inference="bidirectional"),
    "REAL-NVP-[2,3,4,5,6,7]": replace(BASE, transition="real-nvp", masks=(2, 3, 4, 5, 6, 7), order="reverse"),
}


def padded_bound(model: StateSpaceModel, codes: Tensor, lengths: Tensor) -> Tensor:
    """The objective of `textlvm.words.objective`, padded: codes (B, T), lengths (B,); mean nats a word."""
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
        reachable = generative.forward(noise)[0] if samples > 1 else None
        context = inference.from_letters(summary[:, t].repeat_interleave(samples, 0))
        parameters = inference(repeated, context, reachable)
        q = torch.distributions.Normal(parameters.loc, parameters.log_scale.exp())
        xi = q.rsample()
        h, log_det_q = model.variational(repeated).forward(xi)
        zeta, log_det_g = generative.inverse(h)
        letters = torch.distributions.Categorical(logits=model.emission(h))
        weights = letters.log_prob(codes[:, t].repeat_interleave(samples)[:, None])
        weights = weights + standard.log_prob(zeta).sum(-1) - q.log_prob(xi).sum(-1) + log_det_q - log_det_g
        weights = weights.view(batch, samples)
        total = total + ((weights.logsumexp(1) - np.log(samples)) * mask[:, t]).sum()
        candidates = h.view(batch, samples, -1)
        if samples == 1:
            state = candidates[:, 0]
        else:
            chosen = torch.distributions.Categorical(logits=weights.detach()).sample()
            state = candidates[torch.arange(batch), chosen]
    return total / batch


def milliseconds(step: Callable[[], Tensor], optimizer: torch.optim.Optimizer, steps: int) -> float:
    """Median time of a full optimisation step after two to warm up."""
    times = []
    for _ in range(steps + 2):
        began = time.perf_counter()
        loss = step()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times[2:])


def compare(spec: ModelSpec, split: WordSplit, steps: int) -> tuple[float, float]:
    """(padded, ours) in milliseconds a step."""
    torch.manual_seed(0)
    sampler = WordSampler(split, BATCH, torch.device("cpu"))
    horizon = int(sampler.lexicon.lengths.max())
    cumulative, lexicon = sampler.cumulative, sampler.lexicon
    model = build(spec)

    def padded() -> Tensor:
        index = torch.searchsorted(cumulative, torch.rand(BATCH, dtype=torch.float64) * cumulative[-1])
        return -padded_bound(model, lexicon.codes[index, :horizon], lexicon.lengths[index])

    slow = milliseconds(padded, torch.optim.Adam(model.parameters(), fused=False, foreach=False), steps)
    model = build(spec)
    loss = objective(model, sampler).loss
    return slow, milliseconds(lambda: loss(1), torch.optim.Adam(model.parameters(), fused=True), steps)


def documentation_words() -> WordSplit:
    """Words of the language reference that comes with Python, with their counts."""
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
    options = arguments.parse_args()
    torch.set_num_threads(1)
    split = read_words(options.words) if options.words else documentation_words()
    weight = split.train / split.train.sum()
    mean = float(weight @ (encode(split.words).lengths.numpy()))
    print(f"batch {BATCH}, {mean:.2f} symbols a word of {max(map(len, split.words)) + 1}, one thread")
    print(f"{'row':26} {'padded ms':>10} {'ours ms':>8} {'ratio':>6}")
    for row, spec in ROWS.items():
        slow, fast = compare(spec, split, options.steps)
        print(f"{row:26} {slow:10.1f} {fast:8.1f} {slow / fast:6.1f}", flush=True)


if __name__ == "__main__":
    main()
