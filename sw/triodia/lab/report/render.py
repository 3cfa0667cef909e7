"""Render the templates of this folder; pages are self-contained: no network, no other file."""

import json

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

__all__ = ["render"]

_TEMPLATES = Environment(
    loader=PackageLoader("triodia.lab.report"),
    autoescape=lambda name: name is not None and ".html" in name,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, *, data: dict | None = None, **values: object) -> str:
    """Text of ``template``; ``data`` is what the scripts of an HTML page read."""
    text = json.dumps(data or {"rows": [], "charts": {}}, separators=(",", ":"))
    script = Markup(text.replace("<", "\\u003c"))  # no end of a script inside a script
    return _TEMPLATES.get_template(template).render(data=script, **values)
