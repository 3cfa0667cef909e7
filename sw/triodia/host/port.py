"""Serial ports, with errors that a person can use."""

import errno

import serial

from .errors import PortError

__all__ = ["Port", "open_port"]

_WAIT = 0.002  # seconds that a read waits for a byte

_HELP = {
    errno.ENOENT: "is not there; plug the board in, or name another port (`ls /dev/tty*`)",
    errno.EACCES: "may not be used by you; join its group, often `sudo usermod -aG dialout $USER`",
    errno.EBUSY: "is used by another program; end that first",
    errno.EAGAIN: "is used by another program; end that first",
}


class Port:
    """Bytes to and from a port; :class:`PortError` when it goes away."""

    def __init__(self, line: serial.SerialBase, name: str) -> None:
        self._line, self.name = line, name

    def read(self) -> bytes:
        """What came; waits a moment for it."""
        try:
            return self._line.read(max(1, self._line.in_waiting))
        except (serial.SerialException, OSError, TypeError) as error:
            raise self._gone() from error

    def write(self, data: bytes) -> None:
        """Send ``data``."""
        try:
            self._line.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> PortError:
        return PortError(f"{self.name} went away; plug the board in and run again")

    def close(self) -> None:
        """Give the port back."""
        self._line.close()


def open_port(name: str, baud: int) -> Port:
    """Open serial port ``name``, for this program alone; :class:`PortError` says why not."""
    try:
        line = serial.serial_for_url(name, baud, timeout=_WAIT, write_timeout=5, do_not_open=True)
        if hasattr(line, "exclusive"):
            line.exclusive = True
        line.open()
    except (serial.SerialException, OSError, ValueError) as error:
        reason = _HELP.get(getattr(error, "errno", None), f"cannot be opened ({error})")
        raise PortError(f"{name} {reason}") from None
    return Port(line, name)
