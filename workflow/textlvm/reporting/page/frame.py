"""The parts of every page: templates, style sheets and scripts, all included in the page."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["ASSETS", "filled", "subscripts"]

HERE = Path(__file__).parent
ASSETS = HERE / "assets"


def filled(
    template: str,
    data: Mapping[str, Any],
    values: Mapping[str, Any],
    folder: Path | None = None,
    styles: Sequence[Path] = (),
    scripts: Sequence[Path] = (),
) -> str:
    """A page from a template of this package, or of `folder`, which may extend and include those here.

    `data` is what its scripts read, by name; `values` is what the template does. `styles` follow the page's
    own, `scripts` come before page.js.
    """
    folders = [*([folder] if folder else []), HERE / "templates"]
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["subscripts"] = subscripts
    texts = [_read(path) for path in (ASSETS / "uplot.min.js", *scripts, ASSETS / "page.js")]
    frame = {
        "styles": [_read(path) for path in (ASSETS / "uplot.min.css", ASSETS / "page.css", *styles)],
        "scripts": texts,
        "script_hashes": [_hash(text) for text in texts],
        "licence": _read(ASSETS / "uplot.LICENSE"),
        "data": {name: _json(value) for name, value in data.items()},
    }
    return environment.get_template(template).render(frame | dict(values))


def subscripts(heading: str) -> str:
    """A heading as HTML, with what follows an underscore set below the line, `H_gap`."""
    return re.sub(r"_([\w-]+)", r"<sub>\1</sub>", html.escape(heading))


def _read(path: Path) -> str:
    """A file of the project for a style or script element, unescaped."""
    return path.read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """By what the page's policy knows a script: no other is run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """JSON that is inert inside a script element, whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
