"""Render the templates of this folder; pages are self-contained: no network, no other file."""

import json
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render"]


def _environment(folder: Path | None) -> Environment:
    own = PackageLoader("triodia.lab.report")
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder), own]) if folder else own,
        autoescape=lambda name: name is not None and not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    template: str, *, data: dict | None = None, folder: Path | None = None, **values: object
) -> str:
    """Text of ``template``, which is in ``folder`` or here.

    ``data`` is what the scripts of an HTML page read. Text is escaped in HTML, not in Markdown.
    """
    text = json.dumps(data or {"rows": [], "charts": {}}, separators=(",", ":"))
    script = Markup(text.replace("<", "\\u003c"))  # no end of a script inside a script
    return _environment(folder).get_template(template).render(data=script, **values)
