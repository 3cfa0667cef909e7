// What a board's top level has of the vendors' cells, as far as it uses them. The simulated clock
// is the machine's: a PLL hands its input on, and is steady after some cycles.

// -- ECP5
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

module IFS1P3DX(input SCLK, SP, D, CD, output reg Q);
  initial Q = 0;
  always @(posedge SCLK) if (CD) Q <= 0; else if (SP) Q <= D;
endmodule

module FD1S3AX(input CK, D, output reg Q);
  initial Q = 0;
  always @(posedge CK) Q <= D;
endmodule

module ODDRX1F(input SCLK, RST, D0, D1, output Q);
  assign Q = SCLK ? D0 : D1;  // of a clock only
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

// -- iCE40
module SB_IO(
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
  output D_IN_0, D_IN_1
);
  parameter [5:0] PIN_TYPE = 6'b000000;
  parameter PULLUP = 0, NEG_TRIGGER = 0, IO_STANDARD = "SB_LVCMOS";
  reg in = 0, out = 0;
  always @(posedge INPUT_CLK) in <= PACKAGE_PIN;
  always @(posedge OUTPUT_CLK) out <= D_OUT_0;
  assign D_IN_0 = PIN_TYPE[0] ? PACKAGE_PIN : in;
  generate
    // Outputs of a board are never released: as they are, or from a register.
    if (PIN_TYPE[5:2] == 4'b0110 || PIN_TYPE[5:2] == 4'b1010) assign PACKAGE_PIN = D_OUT_0;
    else if (PIN_TYPE[5:2] != 4'b0000) assign PACKAGE_PIN = out;
  endgenerate
endmodule

module SB_GB_IO(
  inout PACKAGE_PIN,
  input LATCH_INPUT_VALUE, CLOCK_ENABLE, INPUT_CLK, OUTPUT_CLK, OUTPUT_ENABLE, D_OUT_0, D_OUT_1,
  output D_IN_0, D_IN_1, GLOBAL_BUFFER_OUTPUT
);
  parameter [5:0] PIN_TYPE = 6'b000000;
  parameter PULLUP = 0, NEG_TRIGGER = 0, IO_STANDARD = "SB_LVCMOS";
  assign D_IN_0 = PACKAGE_PIN;
  assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
endmodule

module SB_GB(input USER_SIGNAL_TO_GLOBAL_BUFFER, output GLOBAL_BUFFER_OUTPUT);
  assign GLOBAL_BUFFER_OUTPUT = USER_SIGNAL_TO_GLOBAL_BUFFER;
endmodule

module SB_PLL40_CORE(input REFERENCECLK, RESETB, BYPASS, output PLLOUTGLOBAL, LOCK);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter [3:0] DIVR = 0;
  parameter [6:0] DIVF = 0;
  parameter [2:0] DIVQ = 0, FILTER_RANGE = 0;
  reg [5:0] count = 0;
  assign PLLOUTGLOBAL = REFERENCECLK;
  assign LOCK = &count;
  always @(posedge REFERENCECLK) if (!LOCK) count <= count + 1;
endmodule

module SB_PLL40_PAD(input PACKAGEPIN, RESETB, BYPASS, output PLLOUTGLOBAL, LOCK);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter [3:0] DIVR = 0;
  parameter [6:0] DIVF = 0;
  parameter [2:0] DIVQ = 0, FILTER_RANGE = 0;
  SB_PLL40_CORE core(PACKAGEPIN, RESETB, BYPASS, PLLOUTGLOBAL, LOCK);
endmodule
