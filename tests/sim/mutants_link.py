"""Generic mutants of the serial link: the link of the board, and the serial port.

Benches of the suite judge them, on compiled Verilog: ``tests/support/link_plays.py`` compares
frames with the model, ``tests/support/serial_bench.py`` watches both wires of the port.
"""

from amaranth import Module, Signal
from amaranth.back import rtlil
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from tests.sim.compiled import Compiled, compile_library
from tests.sim.mutant_set import MutantSet
from tests.sim.sequential import ReachabilityProver
from tests.support import bench, link_plays
from tests.support.link_bench import Bench
from tests.support.serial_bench import DIVISOR, port_works
from triodia_boards.link.serial import Receiver, Transmitter

__all__ = ["LinkMutants", "SerialMutants", "Unit", "signals"]

_PREPARE = [
    "read_rtlil top.il",
    "hierarchy -top top",
    "proc",
    "flatten",
    "memory_collect",
    "splitcells",
    "wreduce",
    "opt_clean -purge",
]
_CELLS = "c:* t:$mem_v2 %d"


def signals(dut):
    """Name and signal of each port; what is always ready has none."""
    ports = ((path, Value.cast(value)) for path, _, value in dut.signature.flatten(dut))
    return [("__".join(map(str, path)), v) for path, v in ports if isinstance(v, Signal)]


class Unit(MutantSet):
    """Mutants of a component, judged by coroutines."""

    top, clock, reset = "top", "clk", "rst"

    def __init__(self, folder, dut, prepare, count, seed, cells):
        self.dut, self.prover = dut, None
        super().__init__(folder, prepare, count, seed, cells)

    def text(self, name):
        """Verilog with all mutants."""
        return (self.folder / f"{name}.v").read_text()

    def ports(self):
        """Name and signal of each port but the clock."""
        return signals(self.dut)

    def compile(self):
        """One program of all mutants."""
        self.engine = self.build("flat")

    def build(self, name):
        """A compiled simulator of ``name``.il with all mutants."""
        self.write_all(name)
        folder = self.folder / f"{name}-program"
        folder.mkdir(exist_ok=True)
        (folder / f"{self.top}.v").write_text(self.text(name))
        how = {"clock": self.clock, "reset": self.reset}
        library = compile_library(folder, self.top, self.ports(), **how)
        return Compiled(library, self.ports(), self.folder)

    def run(self, mutant):
        """What is wrong with a mutant, or ""."""
        try:
            self.bench(mutant)
        except (AssertionError, TimeoutError, ValueError, LookupError) as error:
            return type(error).__name__
        return ""

    def judge(self, mutant):
        wrong = self.run(mutant)
        return {"by": "bench", "word": wrong} if wrong else {"by": ""}

    def prove_left(self):
        """Try a proof for each mutant that the bench did not catch; keeps results as it goes."""
        for k, line in enumerate(self.lines, 1):
            if not self.results[line]["by"]:
                self.results[line]["by"] = self.proof(k)
                self.save()

    def proof(self, mutant):
        """Name of the proof that a mutant is the component, or ""."""
        if self.prover is None:
            self.prover = ReachabilityProver(
                self.folder / "flat.il", self.folder / "proofs", top=self.top
            )
        name = self.prover.equivalent(self.lines[mutant - 1], timeout=15)
        return name and f"proof: {name}"


class _FromAmaranth(Unit):
    def __init__(self, folder, dut, count, seed):
        wires = {name: (signal, None) for name, signal in signals(dut)}
        folder.mkdir(parents=True, exist_ok=True)
        text = rtlil.convert(dut, name="top", ports=wires, emit_src=False)
        (folder / "top.il").write_text(text)
        super().__init__(folder, dut, _PREPARE, count, seed, _CELLS)


class LinkMutants(_FromAmaranth):
    """Of :class:`triodia_hw.gateware.link.link.Link`."""

    alone = "link"

    def __init__(self, folder, count, seed):
        super().__init__(folder, Bench().dut, count, seed)

    def bench(self, mutant):
        with bench.compiled(self.engine, mutant):
            for play in link_plays.PLAYS.values():
                play(self.dut)
            for seed in range(2):
                link_plays.like_its_model(seed, self.dut)
            link_plays.long_session(70_000, self.dut)  # positions wrap past 64 KiB


class Port(wiring.Component):
    """A receiver and a transmitter."""

    def __init__(self, divisor):
        self.receiver, self.transmitter = Receiver(divisor), Transmitter(divisor)
        super().__init__({
            "rx": In(1, init=1),
            "tx": Out(1, init=1),
            "i": In(stream.Signature(8)),
            "o": Out(stream.Signature(8, always_ready=True)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver, m.submodules.transmitter = self.receiver, self.transmitter
        connect(m, flipped(self.i), self.transmitter.i)
        connect(m, self.receiver.o, flipped(self.o))
        m.d.comb += [self.receiver.rx.eq(self.rx), self.tx.eq(self.transmitter.tx)]
        return m


class SerialMutants(_FromAmaranth):
    """Of the serial port."""

    def __init__(self, folder, count, seed):
        super().__init__(folder, Port(DIVISOR), count, seed)

    def bench(self, mutant):
        with bench.compiled(self.engine, mutant):
            port_works(self.dut)
