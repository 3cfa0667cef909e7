"""Fingerprint the code a function depends on, so stored results die with the code that made them.

The rule: a function depends on its own source, on the helpers of its file whose names it uses, and
on the modules of this project those names come from. A module depends on every project module it
imports, transitively. Comments, docstrings and decorators do not count. Nothing is imported to find
this out; the sources are parsed. Third-party packages on the way count by version.
"""

import ast
import hashlib
import sys
from collections.abc import Callable, Iterable
from copy import copy
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["closure", "fingerprint", "modules_used"]

PACKAGES = ("triodia", "triodia_hw", "triodia_sim", "triodia_boards", "triodia_studies")
_DATA = (".v", ".cc")  # sources of other languages beside a module


def fingerprint(function: Callable, modules: Iterable[str] = ()) -> dict[str, str]:
    """Digests of the project code ``function`` depends on, and versions of packages it uses.

    ``modules`` declares dependencies that no import shows. Keys are "code" and package names.
    """
    source, used = _own(function.__module__, function.__name__)
    names = closure([*used, *modules])
    content = hashlib.sha256(source.encode())
    for name in names:
        content.update(f"{name}={_digest(name)}".encode())
    tools = sorted({tool for name in names for tool in _imports(name)[1]})
    return {"code": content.hexdigest()[:24]} | {k: v for t in tools for k, v in _version(t)}


def modules_used(function: Callable) -> list[str]:
    """Project modules that ``function`` and the helpers of its own file import names from."""
    return list(_own(function.__module__, function.__name__)[1])


def closure(modules: Iterable[str]) -> list[str]:
    """``modules`` and all project modules they import, transitively, sorted."""
    found: set[str] = set()
    left = list(modules)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _imports(name)[0]
    return sorted(found)


@cache
def _path(module: str) -> Path | None:
    """The file of a project module; ``None`` if there is no such module."""
    top, *rest = module.split(".")
    if top not in PACKAGES:
        return None
    place = Path(find_spec(top).origin).parent.joinpath(*rest)
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _tree(module: str) -> ast.Module:
    """The syntax of a module, without docstrings."""
    tree = ast.parse(_path(module).read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            if isinstance(getattr(body[0].value, "value", None), str):
                body.pop(0)
    return tree


@cache
def _digest(module: str) -> str:
    """Digest of a module's code and of the sources in other languages beside it."""
    content = hashlib.sha256(ast.dump(_tree(module)).encode())
    for path in sorted(_path(module).parent.iterdir()):
        if path.suffix in _DATA:
            content.update(path.name.encode() + path.read_bytes())
    return content.hexdigest()


@cache
def _imports(module: str) -> tuple[list[str], set[str]]:
    """Project modules that ``module`` imports, anywhere in it, and top-level names of others."""
    ours, others = [], set()
    for node in ast.walk(_tree(module)):
        for target in _targets(module, node).values():
            top = target.split(".")[0]
            if top in PACKAGES:
                ours.append(target)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return ours, others


def _targets(module: str, node: ast.AST) -> dict[str, str]:
    """The module that each name comes from which an import statement binds."""
    if isinstance(node, ast.Import):
        return {(a.asname or a.name.split(".")[0]): a.name for a in node.names}
    if not isinstance(node, ast.ImportFrom):
        return {}
    base = node.module or ""
    if node.level:
        package = module.split(".")
        package = package if _path(module).name == "__init__.py" else package[:-1]
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, *([base] if base else [])])
    found = {}
    for alias in node.names:
        inner = f"{base}.{alias.name}"
        found[alias.asname or alias.name] = inner if _path(inner) else base
    return found


def _undecorated(node: ast.stmt) -> ast.stmt:
    """A function without its decorators: labels and costs of a stage change no result."""
    if not isinstance(node, ast.FunctionDef):
        return node
    plain = copy(node)
    plain.decorator_list = []
    return plain


@cache
def _own(module: str, name: str) -> tuple[str, tuple[str, ...]]:
    """Source of a function with the helpers of its file that it uses, and modules they need."""
    defined, imported = {}, {}
    body = [_undecorated(node) for node in _tree(module).body]
    for node in body:
        imported |= _targets(module, node)
        for bound in _bound(node):
            defined.setdefault(bound, []).append(node)
    left, seen, used = [name], set(), set()
    while left:
        current = left.pop()
        if current in seen:
            continue
        seen.add(current)
        if _path(imported.get(current, "")):
            used.add(imported[current])
        for node in defined.get(current, ()):
            left += [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
            inner = [_targets(module, n) for n in ast.walk(node)]
            used |= {m for targets in inner for m in targets.values() if _path(m)}
    nodes = dict.fromkeys(id(n) for s in sorted(seen) for n in defined.get(s, ()))
    source = "\n".join(ast.dump(n) for n in body if id(n) in nodes)
    return source, tuple(sorted(used))


def _bound(node: ast.stmt) -> list[str]:
    """Names that a statement at the top of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)]


@cache
def _version(name: str) -> list[tuple[str, str]]:
    """Versions of the distributions that bring the top-level package ``name``."""
    return [(tool, version(tool)) for tool in sorted(set(_distributions().get(name, ())))]


@cache
def _distributions() -> dict[str, list[str]]:
    return packages_distributions()
