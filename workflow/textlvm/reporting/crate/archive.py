"""Writes a crate as an archive whose bytes depend only on its content."""

import logging
import zipfile
from collections import defaultdict
from pathlib import Path

from rocrate.rocrate import ROCrate

from textlvm.runtime.files import replacing

__all__ = ["pack"]

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The modification time of all files: the earliest that ZIP supports."""
UNIX = 3
READABLE = 0o644 << 16


def pack(crate: ROCrate, out: Path) -> None:
    """Write a crate to `out` atomically, with its files sorted by name."""
    contents: dict[str, bytearray] = defaultdict(bytearray)
    for entity in [*crate.data_entities, *crate.default_entities]:
        for name, chunk in entity.stream():
            contents[name] += chunk
    with replacing(out) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(contents):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = UNIX, READABLE
            archive.writestr(entry, bytes(contents[name]), zipfile.ZIP_DEFLATED)
    logging.info("%s: %d files, %.1f MB", out, len(contents), out.stat().st_size / 1e6)
