"""Renders templates into pages that include all style sheets and scripts."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

__all__ = ["ASSETS", "render_template", "subscripts"]

HERE = Path(__file__).parent
ASSETS = HERE / "assets"


def render_template(
    template: str,
    data: Mapping[str, Any],
    values: Mapping[str, Any],
    folder: Path | None = None,
    styles: Sequence[Path] = (),
    scripts: Sequence[Path] = (),
) -> str:
    """Render a template of this package, or of `folder`, which may extend and include those of this package.

    `data` are the data of the scripts, by name; `values` are the variables of the template. `styles` are
    included after page.css, `scripts` before page.js.
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
    """A heading as HTML; letters after an underscore become a subscript, as in `H_gap`."""
    return re.sub(r"_([\w-]+)", r"<sub>\1</sub>", html.escape(heading))


def _read(path: Path) -> str:
    """The text of a file, for a style or script element."""
    return path.read_text(encoding="utf-8")


def _hash(script: str) -> str:
    """The hash with which the content security policy allows a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """JSON that is safe inside a script element, whatever texts it contains."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
