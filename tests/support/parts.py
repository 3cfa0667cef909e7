"""Fields of a network and of its head by name, side by side."""

from dataclasses import fields, replace

from triodia.network.head import Head

HEAD = {f.name for f in fields(Head)}


def changed(net, **changes):
    """``net`` with some of its fields, or of its head's, replaced."""
    head = {name: changes.pop(name) for name in HEAD & changes.keys()}
    if head:
        changes["head"] = replace(net.head, **head)
    return replace(net, **changes)


def array(net, name):
    """A field of ``net`` or of its head; None if there is no head."""
    return getattr(net.head, name, None) if name in HEAD else getattr(net, name)
