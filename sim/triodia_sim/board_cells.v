// What a board's top level has of the vendor's cells, as far as it uses them. The simulated clock
// is the machine's: a PLL hands its input on, and is steady after some cycles.
module IB(input I, output O);
  assign O = I;
endmodule

module OBZ(input I, T, output O);
  assign O = I;  // outputs of a board are never released
endmodule

module OFS1P3DX(input SCLK, SP, D, CD, output reg Q);
  initial Q = 0;
  always @(posedge SCLK) if (CD) Q <= 0; else if (SP) Q <= D;
endmodule

module EHXPLLL(
  input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
  input PLLWAKESYNC, ENCLKOP,
  output CLKOP, LOCK
);
  parameter ICP_CURRENT = "", LPF_RESISTOR = "", MFG_ENABLE_FILTEROPAMP = "";
  parameter MFG_GMCREF_SEL = "", PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "";
  parameter DPHASE_SOURCE = "", OUTDIVIDER_MUXA = "", OUTDIVIDER_MUXB = "";
  parameter OUTDIVIDER_MUXC = "", OUTDIVIDER_MUXD = "", CLKOP_ENABLE = "", FEEDBK_PATH = "";
  parameter CLKI_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0, CLKFB_DIV = 1;
  reg [5:0] count = 0;
  assign CLKOP = CLKI;
  assign LOCK = &count;
  always @(posedge CLKI) if (!LOCK) count <= count + 1;
endmodule
