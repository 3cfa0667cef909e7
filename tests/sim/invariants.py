"""What is always true of a machine: instances of the modules of ``invariants.v``."""

__all__ = ["beside", "broken"]

_LANES = 2  # of the machine whose invariants these are
_STAGES = ["reading_1.0", "i__valid.0", *(f"update.valid.{k}" for k in range(9))]
_STAGE_ENDS = ["reading_1.1", "i__payload_end.0", *(f"update.end_.{k}" for k in range(9))]
_LANE = dict.fromkeys(("any", "two", "fresh", "begins", "begun", "holds"), 1)
_COLLECTOR = "core.hub.collector"


def broken(machine, lanes, *, ring):
    """Add the invariants of ``machine``, a Netlist; for each a bit: it does not hold.

    ``ring``: also those of the whole ring, which make a proof by induction succeed, and PDR slow.
    """
    if lanes != _LANES:
        return []
    holds = [_outputs_fit(machine), *(_ring(machine) if ring else [])]
    for lane in range(lanes):
        sweep = f"core.lane_{lane}.sweep"
        stages = [f"{sweep}.{stage}" for stage in _STAGES]
        ports = {"level": [f"{sweep}.records.level"], "stages": stages}
        holds += _holds(machine, "records_fit", ports)
        if not ring:
            continue
        ports |= {"stage_ends": [f"{sweep}.{stage}" for stage in _STAGE_ENDS]}
        ports |= {"closed": ["core.closed"], "busy": [f"{sweep}.busy"], "slot": [f"{sweep}.slot"]}
        ports |= {"retired": [_retired(machine, sweep)], "valid": [f"{sweep}.records.o__valid"]}
        holds += _holds(machine, "sweep_counts", ports)
    return _not(machine, holds)


def beside(machine, own):
    """For each register in ``own``, ``(machine's, mutant's)`` bits, a bit: how they differ counts.

    Only counters of retired neurons are known; any other register must be equal.
    """
    holds, counters = [], {}
    for lane in range(_LANES):
        wire = machine.wire(_retired(machine, f"core.lane_{lane}.sweep"))
        counters |= dict.fromkeys(wire, lane)
    for ours, theirs in own:
        if ours[0] in counters and len(ours) == 5:
            holds += _holds(machine, "retired_beside", {"machine": ours, "mutant": theirs})
    return _not(machine, holds)


def _not(machine, holds):
    return [
        bit
        for one in holds
        for bit in machine.add(f"broken:{len(machine.cells)}", "$not", {"A": [one]}, "Y", 1)
    ]


def _holds(machine, kind, ports):
    name = f"{kind}:{len(machine.cells)}"
    return machine.place(name, kind, ports, {"holds": 1})["holds"]


def _outputs_fit(machine):
    ports = {name: [f"{_COLLECTOR}.{name}"] for name in ("go", "grant", "end_", "some")}
    ports |= {"level": ["core.outputs.level"], "valid": [f"{_COLLECTOR}.o__valid"]}
    return _holds(machine, "outputs_fit", ports)[0]


def _retired(machine, sweep):
    """The wire that counts the neurons that have left a sweep: Yosys numbers it."""
    wires = machine.module["netnames"]
    (name,) = (w for w in wires if w.startswith(f"{sweep}.slot_"))
    return name


def _queue(machine, name, prefix, bit=0):
    """Ports of a queue whose ends are counted."""
    word = machine.rams[f"{name}.storage"]["connections"]["r_data"]
    return {
        f"{prefix}_end": machine.model(name, bit),
        f"{prefix}_first": [f"{name}.read__addr"],
        f"{prefix}_next": [f"{name}.write__addr"],
        f"{prefix}_level": [f"{name}.level"],
        f"{prefix}_valid": [f"{name}.o__valid"],
        f"{prefix}_end_out": [word[bit]],
    }


def _ring(machine):
    """The parts of the ring in each PE, then the whole."""
    bus, returns = "core.hub.bus", "core.hub.returns"
    sent = {"sent": [f"{bus}.lanes__0__valid"]}
    outputs = {port: [] for port in _LANE}
    for lane in range(_LANES):
        ports = _lane(machine, lane) | sent | {"go": [f"{bus}.go"], "end_": [f"{_COLLECTOR}.end_"]}
        bits = machine.place(f"ring:{lane}", "ring_lane", ports, _LANE)
        for port, bit in bits.items():
            outputs[port] += bit
    outputs["lanes"] = outputs.pop("holds")
    names = ("end_", "some", "go", "grant")
    ports = {name: [f"{_COLLECTOR}.{name}"] for name in names} | outputs | sent
    ports |= {"clk": ["clk"], "closed": ["core.closed"], "held": ["core.held"]}
    ports |= {"started": ["core.hub.started"]}
    ports |= {"resets": ["core.reset_0", "core.reset_1"]}
    ports |= {"sent_end": [f"{bus}.lanes__0__payload_end"]}
    ports |= {"some_end": [machine.wire(f"{_COLLECTOR}.gated_0")[0]]}
    ports |= {"valid": [f"{_COLLECTOR}.o__valid"], "valid_end": [f"{_COLLECTOR}.o__payload_end"]}
    return _holds(machine, "ring", ports | _queue(machine, returns, "return"))


def _lane(machine, lane):
    name = f"core.lane_{lane}"
    fetcher, walker, sweep = f"{name}.fetcher", f"{name}.walker", f"{name}.sweep"
    rows = f"{fetcher}.rows"
    word = machine.rams[f"{rows}.storage"]["connections"]
    ports = _queue(machine, rows, "row") | _queue(machine, f"{sweep}.records", "record")
    found = [machine.wire(f"{fetcher}.token_{k}_end")[0] for k in (1, 2, 3)]
    return ports | {
        "row_single": machine.model(rows, 3),
        "row_single_out": [word["r_data"][3]],
        "found": [f"{fetcher}.valid"],
        "ends_found": [*found, word["w_data"][0]],
        "some": [f"{fetcher}.some"],
        "single": [f"{fetcher}.single"],
        "walks": [f"{walker}.busy"],
        "walks_end": [f"{walker}.row_end"],
        "walks_single": [f"{walker}.row_single"],
        "walked": [*(f"{walker}.flags_{k}.1" for k in (1, 2, 3)), f"{name}.accumulator.i__end"],
        "first": [f"{sweep}.sums__clear_all"],
        "busy": [f"{sweep}.busy"],
        "stages": [f"{sweep}.{stage}" for stage in _STAGES],
        "stage_ends": [f"{sweep}.{stage}" for stage in _STAGE_ENDS],
        "turn": [machine.wire(f"{_COLLECTOR}.turn")[lane]],
        "grant": [machine.wire(f"{_COLLECTOR}.grant")[lane]],
    }
