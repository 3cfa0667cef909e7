"""Errors that a user can cause. Each class carries the exit code of the command line."""

__all__ = [
    "CheckFailed",
    "ContractError",
    "FolderInUse",
    "ImageError",
    "MissingTool",
    "ToolError",
    "TriodiaError",
    "WriteError",
    "YosysError",
]


class TriodiaError(Exception):
    """Bad input. The message says what is wrong, which value, and what to do."""

    exit_code = 2


class CheckFailed(TriodiaError):
    """Two results that had to be equal differ."""

    exit_code = 1


class ContractError(TriodiaError, ValueError):
    """Parameters, an image or an event that the machine cannot represent."""


class FolderInUse(TriodiaError):
    """A folder in which another process is at work; the message says what to do."""


class ImageError(TriodiaError, ValueError):
    """A file that is not an image this version can read."""


class WriteError(TriodiaError, OSError):
    """A file that cannot be written; the message names the file and the reason."""


class MissingTool(TriodiaError):
    """A program, package or extra that must be installed first."""

    exit_code = 3


class ToolError(TriodiaError, RuntimeError):
    """A program that Triodia started failed; the message names its log."""

    exit_code = 3


class YosysError(ToolError):
    """Yosys is missing or failed; the message says which, and where its log is."""
