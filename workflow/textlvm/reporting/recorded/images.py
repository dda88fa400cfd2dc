"""PNG images in fewer bytes: pixels as places in a palette."""

import io
import struct
import zlib

from PIL import Image

__all__ = ["indexed"]

COLOURS = 256
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def indexed(png: bytes) -> bytes:
    """An opaque PNG of the same size with at most 256 colours, for figures about a third of the bytes.

    Written here chunk by chunk, so that the bytes depend on the pixels and on zlib alone. Transparent pixels
    become white. Raises `OSError` for what is no image.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    image = opaque.quantize(COLOURS, dither=Image.Dither.NONE)
    width, height = image.size
    pixels = image.tobytes()
    # Each row is preceded by its filter, which is none.
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0),
        b"PLTE": bytes(image.getpalette() or ()),
        b"IDAT": zlib.compress(rows, 9),
        b"IEND": b"",
    }
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks.items()
    )
