"""The manifest of a finished build: ``build.json`` in its folder."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path

from triodia_hw.compile.contents import memory_shapes
from triodia_hw.compile.options import Options
from triodia_hw.errors import ContractError, TriodiaError
from triodia_hw.files import write_atomic
from triodia_hw.machine.params import MachineParams

from ..board import is_name
from .toolchain import ROUTED, TOOLCHAINS

__all__ = ["BadBuild", "Manifest"]

_FILE, _FORMAT, _SCHEMA = "build.json", "triodia-build", 1


class BadBuild(TriodiaError, ValueError):
    """The folder holds no build, or one that is damaged or of another machine."""


def _plain(value: object) -> object:
    """``value`` as JSON returns it: tuples become lists."""
    return json.loads(json.dumps(value))


def _memories(p: MachineParams) -> list[dict]:
    return _plain([asdict(shape) for shape in memory_shapes(p) if shape.content])


@dataclass(frozen=True)
class Manifest:
    """Inputs of a build.

    ``parameters``: of the machine. ``options``: how it was built. ``memories``: layout of the
    contents that can be exchanged. ``config_sha256``: digest of the routed design. ``triodia``:
    version.
    """

    board: str
    seed: int
    router: str
    parameters: dict
    options: dict
    memories: list
    config_sha256: str
    triodia: str

    @classmethod
    def of(
        cls, p: MachineParams, options: Options, folder: Path, *, board: str, seed: int, router: str
    ) -> "Manifest":
        """Manifest of the routed design in ``folder``."""
        return cls(
            board=board,
            seed=seed,
            router=router,
            parameters=_plain(asdict(p)),
            options=_plain(asdict(options)),
            memories=_memories(p),
            config_sha256=hashlib.sha256((folder / ROUTED).read_bytes()).hexdigest(),
            triodia=version("triodia"),
        )

    @staticmethod
    def remove(folder: Path) -> None:
        """Mark ``folder`` as holding no finished build."""
        (folder / _FILE).unlink(missing_ok=True)

    def save(self, folder: Path) -> None:
        """Mark ``folder`` as holding a finished build."""
        content = {"format": _FORMAT, "schema": _SCHEMA, **asdict(self)}
        write_atomic(folder / _FILE, (json.dumps(content, indent=2) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Manifest of the build in ``folder``; :class:`BadBuild` if it cannot be used."""
        path = folder / _FILE
        if not path.is_file():
            raise BadBuild(
                f"{folder} must be the folder of a finished build, not one without {_FILE}; "
                "`triodia build` makes one"
            )
        content = _content(path)
        names = {field.name: field.type for field in fields(cls)}
        for name, kind in names.items():
            if not isinstance(content.get(name), kind):
                raise BadBuild(f"{path} is damaged: no {name} of type {kind.__name__}; build again")
        if not is_name(content["board"]):
            raise BadBuild(f"{path} must name a board, not {content['board']!r}; build again")
        for option in ("family", "single_port"):
            if option not in content["options"]:
                raise BadBuild(f"{path} is damaged: no {option} in options; build again")
        # A list: values of any type can be looked for in it.
        if (family := content["options"]["family"]) not in list(TOOLCHAINS):
            raise BadBuild(f"{path} must be of {', '.join(TOOLCHAINS)}, not of {family!r}")
        return cls(**{name: content[name] for name in names})

    def machine(self) -> MachineParams:
        """Parameters of the machine; :class:`BadBuild` if this version lays it out differently."""
        stale = BadBuild(
            "the build must have the memory layout of this triodia, not that of another "
            f"{self.triodia}; build again"
        )
        if self.triodia != version("triodia"):
            raise BadBuild(
                f"the build must be of triodia {version('triodia')}, not of {self.triodia}; "
                "build again"
            )
        try:
            p = MachineParams(**self.parameters)
        except (TypeError, ContractError):
            raise stale from None
        if self.memories != _memories(p):
            raise stale
        return p

    def routed(self, folder: Path) -> str:
        """Routed design with placeholders; :class:`BadBuild` if it has changed since the build."""
        path = folder / ROUTED
        if not path.is_file():
            raise BadBuild(f"{path} is missing; build again")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.config_sha256:
            raise BadBuild(f"{path} is not the one that {_FILE} describes; build again")
        return content.decode()


def _content(path: Path) -> dict:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadBuild(f"{path} is damaged: {error}; build again") from error
    found = content.get("format") if isinstance(content, dict) else None
    if found != _FORMAT:
        raise BadBuild(f"{path} must be a {_FORMAT} file, not {found!r}")
    if content.get("schema") != _SCHEMA:
        raise BadBuild(
            f"{path} has schema {content.get('schema')!r} and this version reads {_SCHEMA}; "
            "update triodia or build again"
        )
    return content
