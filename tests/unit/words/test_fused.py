"""The fused pass compared with the Python modules: equal noise gives equal values and gradients."""

import logging
import platform
from functools import partial
from pathlib import Path

import pytest
import torch
from specs import MODELS, batch_of, gradients, model_of, needs_compiler
from torch import nn

from textlvm.packing import pack_lengths
from textlvm.words import fused
from textlvm.words.engine import bound, is_fused, log_likelihood
from textlvm.words.fused import build as building
from textlvm.words.fused import marginal as fused_marginal
from textlvm.words.letters import PackedWords, encode
from textlvm.words.marginal import WordSums
from textlvm.words.noise import Noise, draw_noise
from textlvm.words.objective import step_bounds
from textlvm.words.transitions import TrilTransition

# Fast to compile, without instructions of the current processor.
PLAIN = ("-std=c++17", "-O1", "-fPIC", "-shared", "-w")


def assert_gradients(model, found, expected, rtol=0.0, atol=0.0, scaled=False):
    """Compare gradients by name; with `scaled`, `atol` is relative to the largest entry of each."""
    for name, gradient in gradients(model, found).items():
        limit = atol * (float(expected[name].abs().max()) if scaled else 1)
        message = partial("{}: {}".format, name)
        torch.testing.assert_close(gradient, expected[name], rtol=rtol, atol=limit, msg=message)


@needs_compiler
@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
# One word, one more than the number of lanes, and several blocks of words.
@pytest.mark.parametrize("n", [1, 17, 150])
@pytest.mark.parametrize("estimator", ["full", "path"])
def test_value_and_gradients_equal_the_modules(changes, n, estimator):
    model, batch = model_of(changes), batch_of(n)
    noise = draw_noise(model, batch)
    expected = step_bounds(model, batch, noise, estimator).sum()
    found = fused.summed_bounds(model, batch, noise, estimator)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=0)
    assert_gradients(model, found, gradients(model, expected), rtol=1e-9, atol=1e-9)


@needs_compiler
@pytest.mark.parametrize("dim", [8, 16, 3])
@pytest.mark.parametrize("n", [1, 17, 150])
def test_baseline_equals_the_modules(dim, n):
    model, batch = model_of({"family": "gru", "dim": dim}), batch_of(n)
    expected, found = model.log_probs(batch).sum(), log_likelihood(model, batch)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    assert_gradients(model, found, gradients(model, expected), rtol=1e-10, atol=1e-10)
    with torch.no_grad():
        assert log_likelihood(model, batch) == found.detach()


@needs_compiler
@pytest.mark.parametrize("changes", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("estimator", ["full", "path"])
def test_single_precision_differs_only_by_rounding(changes, estimator):
    model, batch = model_of(changes, torch.float32), batch_of(150)
    noise = draw_noise(model, batch)
    expected = step_bounds(model, batch, noise, estimator).sum()
    found = fused.summed_bounds(model, batch, noise, estimator)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=0)
    assert_gradients(model, found, gradients(model, expected), atol=1e-4, scaled=True)


@needs_compiler
def test_value_does_not_depend_on_grad_mode():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    value = fused.summed_bounds(model, batch, noise)
    with torch.no_grad():
        assert fused.summed_bounds(model, batch, noise) == value.detach()


@needs_compiler
def test_gradients_follow_the_chain_rule_and_skip_frozen_parameters():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    reference = gradients(model, fused.summed_bounds(model, batch, noise))
    model.emission.bias.requires_grad_(False)
    (-3 * fused.summed_bounds(model, batch, noise)).backward()
    assert model.emission.bias.grad is None
    torch.testing.assert_close(model.inference.head.weight.grad, -3 * reference["inference.head.weight"])


@needs_compiler
def test_nan_parameter_gives_nan():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    for parameter in (model.generative.networks[0][0].weight, model.emission.bias, model.inference.head.bias):
        with torch.no_grad():
            original, parameter.flatten()[0] = parameter.flatten()[0].clone(), float("nan")
            assert torch.isnan(fused.summed_bounds(model, batch, noise))
            parameter.flatten()[0] = original


@needs_compiler
def test_words_are_independent():
    """The sum over a batch equals the sum over its words, computed separately."""
    model, n = model_of({"samples": 2, "layers": 2}), 70
    batch = batch_of(n)
    noise = draw_noise(model, batch)
    total = 0.0
    with torch.no_grad():
        for word in range(n):
            rows = batch.packing.sequence == word
            alone = PackedWords(pack_lengths(rows.sum()[None]), batch.letters[rows])
            word_noise = Noise(*(array[rows] for array in noise))
            total += float(fused.summed_bounds(model, alone, word_noise))
        assert total == pytest.approx(float(fused.summed_bounds(model, batch, noise)), rel=1e-12)


@needs_compiler
def test_memory_layout_does_not_matter():
    model, batch = model_of({"samples": 3}), batch_of(40)
    noise = draw_noise(model, batch)
    value = fused.summed_bounds(model, batch, noise)
    reference = gradients(model, value)
    transposed = Noise(*(array.transpose(0, 1).contiguous().transpose(0, 1) for array in noise))
    weight = model.inference.head.weight
    weight.data = weight.data.T.contiguous().T
    again = fused.summed_bounds(model, batch, transposed)
    assert again == value
    assert_gradients(model, again, reference)


@needs_compiler
def test_mixed_and_unsupported_types_are_rejected():
    model, batch = model_of({}, torch.float32), batch_of(4)
    noise = draw_noise(model, batch)
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(TypeError, match="one type"):
        fused.summed_bounds(model, batch, noise)
    with pytest.raises(TypeError, match="one type"):
        fused.summed_bounds(model, batch, Noise(noise.posterior.double(), None, None))
    assert fused.can_fuse(model)
    assert not fused.can_fuse(model.bfloat16())


class CustomTransition(TrilTransition):
    """A user-defined transition."""


def deepen(model):
    model.generative.networks[0] = nn.Sequential(
        nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 44)
    )


def change_class(model):
    model.generative.__class__ = CustomTransition


@needs_compiler
@pytest.mark.parametrize("change", [deepen, change_class])
def test_unsupported_model_uses_the_modules(change, caplog):
    model, batch = model_of({"samples": 2}, torch.float32), batch_of(4)
    assert is_fused(model)
    model = model_of({"samples": 2}, torch.float32)
    change(model)
    assert not is_fused(model)
    torch.manual_seed(1)
    value = bound(model, batch)
    torch.manual_seed(1)
    assert value == step_bounds(model, batch, draw_noise(model, batch)).sum()


@needs_compiler
def test_second_derivative_is_not_available():
    model, batch = model_of({}), batch_of(4)
    value = fused.summed_bounds(model, batch, draw_noise(model, batch))
    (gradient,) = torch.autograd.grad(value, [model.initial], create_graph=True)
    assert not gradient.requires_grad


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache of compiled code."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    building.library.cache_clear()
    yield tmp_path / "textlvm"
    building.library.cache_clear()


def test_modules_are_used_without_a_compiler(monkeypatch, caplog, cache):
    monkeypatch.setattr(building.shutil, "which", lambda _: None)
    with caplog.at_level(logging.WARNING):
        model, batch = model_of({}), batch_of(5)
        torch.manual_seed(1)
        value = bound(model, batch)
    assert "no C++ compiler" in caplog.text
    torch.manual_seed(1)
    assert value == step_bounds(model, batch, draw_noise(model, batch)).sum()


def test_compiler_error_is_logged_once(monkeypatch, caplog, tmp_path, cache):
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\n[ $1 = --version ] || { echo no such flag >&2; exit 1; }\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    with caplog.at_level(logging.WARNING):
        assert building.library() is building.library() is None
    assert caplog.text.count("no such flag") == 1


@needs_compiler
def test_library_is_cached_and_recompiled_when_damaged(monkeypatch, cache):
    building.load(building.compiler(), PLAIN)
    (cached,) = cache.iterdir()
    commands = []
    run = building.subprocess.run
    monkeypatch.setattr(
        building.subprocess, "run", lambda command, **more: commands.append(command) or run(command, **more)
    )
    building.load(building.compiler(), PLAIN)
    assert [command[-1] for command in commands] == ["--version"]
    content = cached.read_bytes()
    # The loaded file itself must not change: replace it.
    cached.unlink()
    cached.write_bytes(content[: len(content) // 2])
    assert building.load(building.compiler(), PLAIN) is not None
    assert len(commands) == 3
    assert cached.read_bytes() == content


@needs_compiler
@pytest.mark.parametrize("home", ["no home", "file in place of the folder"])
def test_library_is_compiled_without_a_cache_folder(monkeypatch, tmp_path, cache, home):
    if home == "no home":
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    else:
        (tmp_path / "textlvm").write_text("a file where the folder should be")
    assert building.load(building.compiler(), PLAIN) is not None
    assert not cache.is_dir()


@needs_compiler
@pytest.mark.skipif(platform.machine() != "x86_64", reason="needs x86-64")
def test_result_does_not_depend_on_the_vector_length(monkeypatch, cache):
    """As on a processor without AVX-512; only the order of summation differs."""
    model, batch = model_of({"samples": 3, "layers": 2}, torch.float32), batch_of(40)
    noise = draw_noise(model, batch)
    expected = fused.summed_bounds(model, batch, noise).detach()
    shorter = building.load(building.compiler(), PLAIN)
    monkeypatch.setattr(fused, "library", lambda: shorter)
    found = fused.summed_bounds(model, batch, noise)
    torch.testing.assert_close(found.detach(), expected, rtol=1e-6, atol=0)
    reference = gradients(model, step_bounds(model, batch, noise).sum())
    assert_gradients(model, found, reference, atol=1e-4, scaled=True)
    log_probs = torch.randn(4, 27, 50).log_softmax(1)
    sums = WordSums(encode(["to", "toe", "ate", "a"]), torch.device("cpu"), compiled=True)
    expected = sums(log_probs)
    monkeypatch.setattr(fused_marginal, "library", lambda: shorter)
    torch.testing.assert_close(sums(log_probs), expected, rtol=1e-6, atol=1e-6)
