"""When an SDRAM's controller begins each burst: exact, refreshes included, from its first reset."""

from ..compile.sdram import ADDRESS_BITS, BANK_BITS, COLUMN_BITS, SdramTiming

__all__ = ["SdramTimeline"]

_NEVER = 1 << 62


class SdramTimeline:
    """Commands of :class:`triodia_hw.gateware.sdram.Sdram`, whose first cycle is ``start``.

    ``refresh_count`` counts refreshes since the start-up. Times are clock cycles.
    """

    def __init__(self, timing: SdramTiming, start: int = 0) -> None:
        self.timing = timing
        self._rows: list[int | None] = [None] * 4
        self._holds, self._waits = [0] * 4, [0] * 4  # until a bank may be closed; opened or read
        self._apart = 0  # until another bank may be opened
        self._bank, self.free = 0, 0  # of the last burst, and when it is over
        self.refresh_count = 0
        t = timing
        booted = start + t.power_up + t.precharge + t.boot_refreshes * t.refresh + t.mode
        self._due = booted + t.refresh_every if t.refresh_every else _NEVER
        self.ready = self._test(booted)  # first cycle in which a reader is served

    def burst(self, asked: int, address: int, words: int, *, write: bool = False) -> int:
        """Cycle in which a burst begins that is asked for from cycle ``asked`` on.

        It is looked at for a cycle first.
        """
        page, t = address >> COLUMN_BITS, self.timing
        bank, row = page & ((1 << BANK_BITS) - 1), page >> BANK_BITS
        now = self._idle(asked + 1)
        while True:
            if self._rows[bank] == row:
                at = max(now, self._waits[bank], self.free)
            elif self._rows[bank] is not None:
                at = max(now, self._holds[bank], self.free if bank == self._bank else 0)
            else:
                at = max(now, self._waits[bank], self._apart)
            if max(self._due, self.free) <= at:
                now = self._refresh(max(self._due, self.free, now))
            elif self._rows[bank] == row:
                break
            elif self._rows[bank] is not None:
                self._rows[bank], self._waits[bank] = None, at + t.precharge
                now = at + 1
            else:
                self._rows[bank], self._waits[bank] = row, at + t.activate_to_read
                self._holds[bank] = at + t.activate_to_precharge
                self._apart, now = at + t.between_banks, at + 1
        if write:
            self._holds[bank] = max(self._holds[bank], at + t.write_recovery)
        self._bank, self.free = bank, at + words
        return at

    def _idle(self, until: int) -> int:
        """Refreshes that come before a request; the cycle in which it is looked at."""
        now = until
        while max(self._due, self.free) < until:
            now = max(until, self._refresh(max(self._due, self.free)))
        return now

    def _refresh(self, now: int) -> int:
        """Close all banks from ``now`` on and refresh; the first cycle after it."""
        closed = max(now, *self._holds)
        self._rows = [None] * 4
        self._due += self.timing.refresh_every
        self.refresh_count += 1
        return closed + self.timing.precharge + self.timing.refresh

    def _test(self, now: int) -> int:
        """The test pattern; the first cycle after it."""
        ones = (1 << ADDRESS_BITS) - 1
        now -= 1  # the first write was looked at before
        addresses = [ones ^ (1 << k) for k in range(ADDRESS_BITS)] + [ones]
        for address in addresses:
            now = self.burst(now, address, 1, write=True) + 1
        for address in addresses:
            now = self.burst(now, address, 1) + self.timing.latency + 1
        return now
