"""Griffe extension: show the sections of a docstring as lists."""

import re
from typing import Any

import griffe

_SECTION = re.compile(
    r"^(Parameters|Members|Raises|Returns)\n-+\n(.*?)(?=^\S+\n-+\n|\Z)", re.M | re.S
)
_ITEM = re.compile(r"^(?=\S)", re.M)


def _listed(section: re.Match) -> str:
    items = _ITEM.sub("- ", section[2].strip())
    return f"**{section[1]}**\n\n{items}\n\n"


class ListSections(griffe.Extension):
    """Turn sections (Parameters, Members, …) into lists, one item per unindented line."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of each loaded object."""
        if obj.docstring:
            obj.docstring.value = _SECTION.sub(_listed, obj.docstring.value)
