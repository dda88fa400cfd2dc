import io

import numpy as np
import pytest
from PIL import Image

from textlvm.reporting.recorded.images import indexed


def png(pixels, mode):
    file = io.BytesIO()
    Image.fromarray(pixels, mode).save(file, "PNG")
    return file.getvalue()


def decoded(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def test_few_colours_are_unchanged():
    pixels = (
        np.random.default_rng(0)
        .choice([[0, 0, 0], [255, 255, 255], [200, 40, 10]], size=(7, 13))
        .astype(np.uint8)
    )
    content = indexed(png(pixels, "RGB"))
    assert (decoded(content) == pixels).all()
    assert indexed(png(pixels, "RGB")) == content


def test_many_colours_are_approximated():
    ramp = np.linspace(0, 255, 600, dtype=np.uint8)
    pixels = np.stack([*np.meshgrid(ramp, ramp[:400]), np.zeros((400, 600), np.uint8)], axis=-1)
    before = png(pixels, "RGB")
    after = indexed(before)
    assert np.abs(decoded(after).astype(int) - pixels).max() <= 24
    assert len(np.unique(decoded(after).reshape(-1, 3), axis=0)) <= 256
    assert Image.open(io.BytesIO(after)).size == (600, 400)


def test_transparent_pixels_become_white():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    assert decoded(indexed(png(pixels, "RGBA"))).tolist() == [
        [[10, 20, 30], [255, 255, 255]],
        [[255, 255, 255], [255, 255, 255]],
    ]


def test_invalid_image_is_rejected():
    with pytest.raises(OSError, match="cannot identify image"):
        indexed(b"text")
