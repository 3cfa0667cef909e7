"""Serial ports, with errors that say what to do."""

import errno

import serial

from .errors import PortError

__all__ = ["Port", "open_port"]

_WAIT = 0.002  # seconds that a read waits for a byte

_HELP = {
    errno.ENOENT: "does not exist. Plug the board in, or name another port (`ls /dev/tty*`).",
    errno.EACCES: "is not accessible to you. Join its group: `sudo usermod -aG dialout $USER`.",
    errno.EBUSY: "is in use by another program; close that first.",
    errno.EAGAIN: "is in use by another program; close that first.",
}


class Port:
    """Bytes to and from a port; raises :class:`PortError` when it is unplugged."""

    def __init__(self, line: serial.SerialBase, name: str) -> None:
        self._line, self.name = line, name

    def read(self) -> bytes:
        """Bytes that arrived; waits a moment for some."""
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
        return PortError(f"{self.name} was unplugged. Plug the board in and run again.")

    def close(self) -> None:
        """Close the port."""
        self._line.close()


def open_port(name: str, baud: int) -> Port:
    """Open serial port ``name`` exclusively; :class:`PortError` says why that fails."""
    try:
        line = serial.serial_for_url(name, baud, timeout=_WAIT, write_timeout=5, do_not_open=True)
        if hasattr(line, "exclusive"):
            line.exclusive = True
        line.open()
    except (serial.SerialException, OSError, ValueError) as error:
        reason = _HELP.get(getattr(error, "errno", None), f"cannot be opened ({error}).")
        raise PortError(f"{name} {reason}") from None
    return Port(line, name)
