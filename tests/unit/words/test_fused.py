"""The fused pass against the Python modules: the same noise gives the same value and gradients."""

import logging
from dataclasses import replace

import pytest
import torch
from specs import BASE

from textlvm.words import fused
from textlvm.words.fused import build as building
from textlvm.words.letters import encode, pack
from textlvm.words.model import build
from textlvm.words.noise import Noise, draw_noise
from textlvm.words.objective import bound, log_likelihood, step_bounds

pytestmark = pytest.mark.skipif(building.library() is None, reason="there is no C++ compiler")

# A power of two: the buffer that moves diagonals is float32 whatever the model's type.
SPEC = replace(BASE, delta=0.125)
NVP = {"transition": "real-nvp", "masks": (2, 5, 7), "order": "reverse"}
MODELS = {
    "tril": {},
    "tril-k3": {"samples": 3},
    "2xtril-k5": {"layers": 2, "samples": 5},
    "2xtril-k2-bidi": {"layers": 2, "samples": 2, "inference": "bidirectional"},
    "3xtril-reversed": {"layers": 3, "samples": 2, "order": "reverse"},
    "forward": {"layers": 2, "samples": 3, "order": "reverse", "parametrization": "forward"},
    "diag": {"transition": "diag"},
    "diag-forward-k4": {"transition": "diag", "samples": 4, "parametrization": "forward"},
    "nvp": NVP,
    "nvp-kept-k2": NVP | {"order": "keep", "samples": 2},
    "nvp-forward-bidi": NVP | {"samples": 3, "parametrization": "forward", "inference": "bidirectional"},
    "odd-sizes": {"dim": 5, "width": 13, "samples": 2, "layers": 2, "initial_state": "zero"},
    "one-dimension": {"dim": 1, "samples": 7},
}
LETTERS = "etaoinshrdlu"


def model_of(changes, dtype=torch.float64):
    torch.manual_seed(4)
    model = build(replace(SPEC, **changes)).to(dtype)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def batch_of(n, seed=0):
    """n words of 0 to 12 letters."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(13, (n,), generator=generator).tolist()
    words = ["".join(LETTERS[i] for i in torch.randint(12, (k,), generator=generator)) for k in lengths]
    return pack(encode(words), torch.arange(n))


def gradients(model, value):
    names, parameters = zip(*model.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(value, parameters), strict=True))


@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
# One word, a block and a bit, and several blocks of words.
@pytest.mark.parametrize("n", [1, 17, 150])
def test_value_and_gradients_are_those_of_the_modules(changes, n):
    model, batch = model_of(changes), batch_of(n)
    noise = draw_noise(model, batch)
    expected, found = step_bounds(model, batch, noise).sum(), fused.summed_bounds(model, batch, noise)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=0)
    reference = gradients(model, expected)
    for name, gradient in gradients(model, found).items():
        torch.testing.assert_close(gradient, reference[name], rtol=1e-9, atol=1e-9, msg=name)


@pytest.mark.parametrize("dim", [8, 16, 3])
@pytest.mark.parametrize("n", [1, 17, 150])
def test_the_baseline_is_that_of_the_modules(dim, n):
    model, batch = model_of({"family": "gru", "dim": dim}), batch_of(n)
    expected, found = model.log_probs(batch).sum(), log_likelihood(model, batch)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    reference = gradients(model, expected)
    for name, gradient in gradients(model, found).items():
        torch.testing.assert_close(gradient, reference[name], rtol=1e-10, atol=1e-10, msg=name)
    with torch.no_grad():
        assert log_likelihood(model, batch) == found.detach()


@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
def test_single_precision_differs_by_rounding(changes):
    model, batch = model_of(changes, torch.float32), batch_of(150)
    noise = draw_noise(model, batch)
    expected, found = step_bounds(model, batch, noise).sum(), fused.summed_bounds(model, batch, noise)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    reference = gradients(model, expected)
    for name, gradient in gradients(model, found).items():
        scale = float(reference[name].abs().max())
        torch.testing.assert_close(gradient, reference[name], rtol=0, atol=1e-4 * scale, msg=name)


def test_without_gradients_the_value_is_the_same():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    value = fused.summed_bounds(model, batch, noise)
    with torch.no_grad():
        assert fused.summed_bounds(model, batch, noise) == value.detach()


def test_gradients_scale_with_what_follows_and_skip_what_is_frozen():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    reference = gradients(model, fused.summed_bounds(model, batch, noise))
    model.emission.bias.requires_grad_(False)
    (-3 * fused.summed_bounds(model, batch, noise)).backward()
    assert model.emission.bias.grad is None
    torch.testing.assert_close(model.inference.head.weight.grad, -3 * reference["inference.head.weight"])


def test_no_number_stays_no_number():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    for hurt in (model.generative.networks[0][0].weight, model.emission.bias, model.inference.head.bias):
        with torch.no_grad():
            kept, hurt.flatten()[0] = hurt.flatten()[0].clone(), float("nan")
            assert torch.isnan(fused.summed_bounds(model, batch, noise))
            hurt.flatten()[0] = kept


def test_words_do_not_depend_on_each_other():
    """The sum over a batch is that of its words one by one, whatever block they fall into."""
    model, n = model_of({"samples": 2, "layers": 2}), 70
    batch = batch_of(n)
    noise = draw_noise(model, batch)
    total = 0.0
    with torch.no_grad():
        for word in range(n):
            rows = batch.word == word
            alone = pack(encode([""]), torch.zeros(1, dtype=torch.long))
            length = int(rows.sum())
            alone = replace(
                alone,
                letters=batch.letters[rows],
                batch_sizes=(1,) * length,
                reversal=torch.arange(length).flip(0),
                word=torch.zeros(length, dtype=torch.long),
            )
            its = Noise(noise.draws[rows], noise.moves[rows], noise.gumbel[rows])
            total += float(fused.summed_bounds(model, alone, its))
        assert total == pytest.approx(float(fused.summed_bounds(model, batch, noise)), rel=1e-12)


def test_without_a_compiler_the_modules_do_it(monkeypatch, caplog):
    monkeypatch.setattr(building.shutil, "which", lambda _: None)
    building.library.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            model, batch = model_of({}), batch_of(5)
            torch.manual_seed(1)
            value = bound(model, batch)
        assert "no C++ compiler" in caplog.text
        torch.manual_seed(1)
        assert value == step_bounds(model, batch, draw_noise(model, batch)).sum()
    finally:
        building.library.cache_clear()


def test_a_compiler_that_fails_is_named_once(monkeypatch, caplog, tmp_path):
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\n[ $1 = --version ] || { echo no such flag >&2; exit 1; }\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    building.library.cache_clear()
    try:
        with caplog.at_level(logging.WARNING):
            assert building.library() is building.library() is None
        assert caplog.text.count("no such flag") == 1
    finally:
        building.library.cache_clear()


def test_it_is_compiled_once_for_a_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = building._compiled(building.shutil.which("g++") or building.shutil.which("c++"))
    written = first.stat().st_mtime_ns
    assert first.parent == tmp_path / "textlvm"
    assert building._compiled(building.shutil.which("g++") or building.shutil.which("c++")) == first
    assert first.stat().st_mtime_ns == written
    assert list(first.parent.iterdir()) == [first]
