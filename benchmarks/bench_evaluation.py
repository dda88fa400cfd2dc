"""The expensive parts of the sentences paper's evaluations on one thread, compared with peak performance.

    PYTHONPATH=workflow:benchmarks pytest -s benchmarks/bench_evaluation.py \\
        --benchmark-timer=measure.cpu_seconds

At the paper's sizes: Penn Treebank's 42,068 training and 3,761 test sentences, 10,000 codes, 512 dimensions.
"""

import numpy as np
import torch
from measure import matrix_peak

from textlvm.distributions import DiagonalNormal
from textlvm.sentences.evaluation.aggregated_posterior import log_prob
from textlvm.sentences.evaluation.latent_entropy import nearest_neighbour_entropy

DIMENSIONS = 512
TRAIN, TEST, CODES = 42_068, 3_761, 10_000


def test_melbo_under_the_training_posterior(timed):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    z, loc, log_scale = torch.randn(TEST, DIMENSIONS), *torch.randn(2, TRAIN, DIMENSIONS)
    posteriors = DiagonalNormal(loc, 0.1 * log_scale)
    # A log density is linear in z and z^2: two products in double precision.
    operations = 2 * TEST * TRAIN * 2 * DIMENSIONS
    timed(
        "MELBO, training posterior",
        lambda: log_prob(z, posteriors),
        operations=operations,
        floor=operations / matrix_peak(torch.float64),
        target=60,
    )


def test_kraskov_entropy(timed):
    codes = np.random.default_rng(0).standard_normal((CODES, DIMENSIONS))
    # The maximum norm is not a matrix product: it takes a subtraction, an absolute value and a maximum for
    # each pair. Each is one instruction, where a product does two operations per instruction.
    operations = 3 * CODES * (CODES - 1) // 2 * DIMENSIONS
    timed(
        "Kraskov entropy",
        lambda: nearest_neighbour_entropy(codes),
        operations=operations,
        floor=operations / (matrix_peak(torch.float64) / 2),
        target=30,
    )
