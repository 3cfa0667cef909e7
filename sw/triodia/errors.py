"""Errors that a user can cause; the command line turns each into its exit code."""

__all__ = ["CheckFailed", "MissingTool", "TriodiaError"]


class TriodiaError(Exception):
    """Bad input; the message is one sentence that says what would help."""

    exit_code = 2


class MissingTool(TriodiaError):
    """Something that has to be installed first is not there."""

    exit_code = 3


class CheckFailed(TriodiaError):
    """A comparison that had to be equal was not."""

    exit_code = 1
