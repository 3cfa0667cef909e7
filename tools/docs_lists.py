"""Docstrings for the documentation site: what a section lists becomes a list."""

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
    """Sections of a docstring (Parameters, Members, …) as lists, an item a line that starts one."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change the docstring of each object that is loaded."""
        if obj.docstring:
            obj.docstring.value = _SECTION.sub(_listed, obj.docstring.value)
