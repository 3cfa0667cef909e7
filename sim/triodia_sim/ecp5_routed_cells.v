// Models of the ECP5's logic as nextpnr packs and routes it: look-up tables in their three uses, the
// write port of distributed RAM, and registers. Without delays, which are cells of their own. By
// Lattice's "ECP5 and ECP5-5G Family Data Sheet" (FPGA-DS-02012); names of ports and parameters are
// nextpnr's. An input that is not connected is tied before (triodia_boards.flow.routed).

// Half of a slice's pair: a table of 4 inputs, half of a 2-bit adder, or 16 bits of RAM to read.
// OFX joins two halves by M: the pair's tables, or (WIDE) two such outputs.
module TRELLIS_COMB (
  input A, B, C, D, M, FCI, F1, FXA, FXB, WD, WAD0, WAD1, WAD2, WAD3, WRE, WCK, DI0, DI1,
  output F, FCO, OFX
);
  parameter MODE = "LOGIC", CCU2_INJECT1 = "NO", WREMUX = "WRE", WCKMUX = "WCK";
  parameter [15:0] INITVAL = 0;
  parameter WIDE = 0;

  reg [15:0] table_bits = INITVAL;
  // Where distributed RAM has its address bits: its own write port puts them in this order, too.
  wire [3:0] address = MODE == "DPRAM" ? {A, C, B, D} : {D, C, B, A};
  // An undefined input makes the output undefined only where it matters, as in Yosys' LUT4.
  wire [7:0] by_3 = address[3] ? table_bits[15:8] : table_bits[7:0];
  wire [3:0] by_2 = address[2] ? by_3[7:4] : by_3[3:0];
  wire [1:0] by_1 = address[1] ? by_2[3:2] : by_2[1:0];
  wire found = address[0] ? by_1[1] : by_1[0];
  wire carry = CCU2_INJECT1 == "YES" ? 1'b0 : FCI;
  assign F = MODE == "CCU2" ? found ^ carry : found;
  // A table that propagates passes the carry on; else the lower quarter of the table generates one.
  wire [1:0] lowest = B ? table_bits[3:2] : table_bits[1:0];
  wire generated = CCU2_INJECT1 == "YES" ? 1'b0 : A ? lowest[1] : lowest[0];
  assign FCO = found & FCI | ~found & generated;
  assign OFX = WIDE ? (M ? FXB : FXA) : (M ? F1 : F);

  wire clock = (WCKMUX == "INV") ^ WCK;
  wire enable = WREMUX == "1" | (WREMUX != "0" & ((WREMUX == "INV") ^ WRE));
  always @(posedge clock)
    if (MODE == "DPRAM" && enable) table_bits[{WAD3, WAD2, WAD1, WAD0}] <= WD;
endmodule

// Write port of distributed RAM: address and data come in by the inputs of two tables.
module TRELLIS_RAMW (
  input A0, B0, C0, D0, A1, B1, C1, D1,
  output WADO0, WADO1, WADO2, WADO3, WDO0, WDO1, WDO2, WDO3
);
  assign {WADO3, WADO2, WADO1, WADO0} = {A0, C0, B0, D0};
  assign {WDO3, WDO2, WDO1, WDO0} = {B1, D1, A1, C1};
endmodule

// Register, of the table beside it (SD "1") or from elsewhere.
module TRELLIS_FF (
  input CLK, LSR, CE, DI, M,
  output reg Q
);
  parameter GSR = "DISABLED", CEMUX = "CE", CLKMUX = "CLK", LSRMUX = "LSR", SD = "0";
  parameter SRMODE = "LSR_OVER_CE", REGSET = "RESET";
  localparam START = REGSET == "SET";

  wire clock = (CLKMUX == "INV") ^ CLK, clear = (LSRMUX == "INV") ^ LSR;
  wire enable = CEMUX == "1" | (CEMUX != "0" & ((CEMUX == "INV") ^ CE));
  initial Q = START;
  always @(posedge clock, posedge (clear && SRMODE == "ASYNC"))
    if (clear) Q <= START;
    else if (enable) Q <= SD == "1" ? DI : M;
endmodule

// A delay of PS picoseconds, of a wire or a cell (triodia_boards.flow.timed). Shorter pulses pass.
`timescale 1ps / 1ps
module TRIODIA_DELAY (input I, output reg O);
  parameter PS = 0;
  always @(I) O <= #(PS) I;
  initial #0 O <= #(PS) I;  // what is there at the start is no change
endmodule
