"""Smaller PNG images: pixels are indices into a palette."""

import io

from PIL import Image

__all__ = ["indexed"]


def indexed(png: bytes) -> bytes:
    """Convert an image to an opaque PNG with at most 256 colours; figures shrink to about a third.

    Transparent pixels become white. Raises `OSError` if `png` is not an image.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    result = io.BytesIO()
    opaque.quantize(256, dither=Image.Dither.NONE).save(result, "PNG", optimize=True)
    return result.getvalue()
