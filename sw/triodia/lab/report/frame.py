"""Self-contained HTML: a page's frame and tables; no network, no scripts."""

import html
from collections.abc import Iterable, Mapping

from ...cli.console import number

__all__ = ["STYLE", "figures", "page", "table"]

STYLE = """
:root { color-scheme: light dark; --ink: #1d1d1f; --paper: #fdfcf9; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e1; --paper: #17181a; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.lead { font-size: 1.1rem; border-left: 4px solid #d9822b; padding-left: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .55rem; border-bottom: 1px solid var(--line); text-align: right; }
td { white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; max-width: 6rem; font-size: .9rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .5rem; }
figure { margin: .5rem 0; }
.plots svg, .wide svg { width: 100%; height: auto; }
.wide svg { max-width: 50rem; }
code { background: #8882; padding: .1rem .3rem; border-radius: 3px; overflow-wrap: anywhere; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem 1rem; }
"""


_PERCENT = ("synapses_kept", "nodes_kept", "metric_float", "metric_integer")


def page(title: str, body: str) -> str:
    """A whole page of ``title``, which is plain text, and ``body``, which is HTML."""
    title = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{title}</h1>{body}</body></html>"
    )


def table(rows: Iterable[Mapping], headings: Mapping[str, str]) -> str:
    """``rows`` as a table; the keys of ``headings`` are its columns."""
    head = "".join(f"<th>{heading}</th>" for heading in headings.values())
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_shown(key, row.get(key)))}</td>" for key in headings)
        for row in rows
    )
    return f"<div class=scroll><table><tr>{head}</tr>{body}</table></div>"


def _shown(key: str, value: object) -> str:
    return number(value) if value is None or key not in _PERCENT else f"{value * 100:.4g} %"


def figures(pictures: Iterable[str], *, wide: bool = False) -> str:
    """Pictures (SVG) side by side, or ``wide`` ones below each other."""
    inside = "".join(f"<figure>{picture}</figure>" for picture in pictures if picture)
    return f'<div class="{"wide" if wide else "plots"}">{inside}</div>'
