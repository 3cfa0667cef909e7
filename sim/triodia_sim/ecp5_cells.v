// Models of the ECP5's block RAM and multiplier for simulation of a netlist; Yosys has them as
// black boxes only. By Lattice's "ECP5 and ECP5-5G Memory Usage Guide" (FPGA-TN-02204) and "sysDSP
// Usage Guide" (FPGA-TN-02205); where words lie in the block as Yosys' brams_map_16kd.v has it.
// Where the hardware promises nothing, the models give X.

// Block RAM, 18 Kbit: two ports of 1, 2, 4, 9 or 18 bits, each of which reads or writes. With
// DATA_WIDTH_A 36 port A writes and port B reads ("pseudo dual port"); a word of 36 bits goes in by
// {DIB, DIA} and out by {DOB, DOA}, a narrower one out by DOB.
//
// Latency 1 clock, with REGMODE "OUTREG" 2. A bit that one port reads and the other writes in the
// same instant is read as X; a bit that both write becomes X. While a port writes, its own output
// keeps its value (NORMAL), shows the new word (WRITETHROUGH) or the old one (READBEFOREWRITE).
// OCE governs the output register alone. Outputs start at 0.
module DP16KD (
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
  input CSA2, CSA1, CSA0, CLKA, CEA, OCEA, WEA, RSTA,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
  input CSB2, CSB1, CSB0, CLKB, CEB, OCEB, WEB, RSTB,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG";
  parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB";
  parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "DISABLED";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 =
    0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A
    = 0, INITVAL_0B = 0, INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
    INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0, INITVAL_14 = 0, INITVAL_15 =
    0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B
    = 0, INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0,
    INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 =
    0, INITVAL_27 = 0, INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C
    = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0, INITVAL_30 = 0, INITVAL_31 = 0,
    INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 =
    0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D
    = 0, INITVAL_3E = 0, INITVAL_3F = 0;

  localparam ASYNC = RESETMODE == "ASYNC";

  // Port 0 is A, port 1 is B.
  wire [13:0] address [0:1];
  assign address[0] =
    {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  assign address[1] =
    {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [35:0] data [0:1];
  assign data[1] =
    {18'b0, DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
      DIB4, DIB3, DIB2, DIB1, DIB0};
  assign data[0] =
    {data[1][17:0], DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7,
      DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [1:0] clock = {(CLKBMUX == "INV") ^ CLKB, (CLKAMUX == "INV") ^ CLKA};
  wire [1:0] selected = {
    CEB & ({CSB2, CSB1, CSB0} == decoded(CSDECODE_B)),
    CEA & ({CSA2, CSA1, CSA0} == decoded(CSDECODE_A))
  };
  wire [1:0] write = {WEB, WEA}, reset = {RSTB, RSTA}, outgoing = {OCEB, OCEA};

  // Rows of the widest word; narrower words lie in them side by side, the lowest address lowest.
  // Words of 1, 2 and 4 bits leave every ninth bit out.
  reg [35:0] rows [0:511];

  // Of the last edge of each port: when, which row, which of its bits were read and written; the
  // row as it was read, and where in it the word starts.
  time when [0:1];
  reg [8:0] row [0:1];
  reg [35:0] reads [0:1], writes [0:1], seen [0:1], latch [0:1], register [0:1];
  reg [5:0] place [0:1];

  integer k;
  initial begin
    fill(0, INITVAL_00); fill(1, INITVAL_01); fill(2, INITVAL_02); fill(3, INITVAL_03);
    fill(4, INITVAL_04); fill(5, INITVAL_05); fill(6, INITVAL_06); fill(7, INITVAL_07);
    fill(8, INITVAL_08); fill(9, INITVAL_09); fill(10, INITVAL_0A); fill(11, INITVAL_0B);
    fill(12, INITVAL_0C); fill(13, INITVAL_0D); fill(14, INITVAL_0E); fill(15, INITVAL_0F);
    fill(16, INITVAL_10); fill(17, INITVAL_11); fill(18, INITVAL_12); fill(19, INITVAL_13);
    fill(20, INITVAL_14); fill(21, INITVAL_15); fill(22, INITVAL_16); fill(23, INITVAL_17);
    fill(24, INITVAL_18); fill(25, INITVAL_19); fill(26, INITVAL_1A); fill(27, INITVAL_1B);
    fill(28, INITVAL_1C); fill(29, INITVAL_1D); fill(30, INITVAL_1E); fill(31, INITVAL_1F);
    fill(32, INITVAL_20); fill(33, INITVAL_21); fill(34, INITVAL_22); fill(35, INITVAL_23);
    fill(36, INITVAL_24); fill(37, INITVAL_25); fill(38, INITVAL_26); fill(39, INITVAL_27);
    fill(40, INITVAL_28); fill(41, INITVAL_29); fill(42, INITVAL_2A); fill(43, INITVAL_2B);
    fill(44, INITVAL_2C); fill(45, INITVAL_2D); fill(46, INITVAL_2E); fill(47, INITVAL_2F);
    fill(48, INITVAL_30); fill(49, INITVAL_31); fill(50, INITVAL_32); fill(51, INITVAL_33);
    fill(52, INITVAL_34); fill(53, INITVAL_35); fill(54, INITVAL_36); fill(55, INITVAL_37);
    fill(56, INITVAL_38); fill(57, INITVAL_39); fill(58, INITVAL_3A); fill(59, INITVAL_3B);
    fill(60, INITVAL_3C); fill(61, INITVAL_3D); fill(62, INITVAL_3E); fill(63, INITVAL_3F);
    for (k = 0; k < 2; k = k + 1) begin
      when[k] = ~64'd0;
      row[k] = 0;
      reads[k] = 0;
      writes[k] = 0;
      seen[k] = 0;
      latch[k] = 0;
      place[k] = 0;
      register[k] = 0;
    end
  end

  // Eight rows, of half words that have 20 bits each.
  task fill(input integer part, input [319:0] words);
    for (k = 0; k < 8; k = k + 1)
      rows[8 * part + k] = {words[40 * k + 20 +: 18], words[40 * k +: 18]};
  endtask

  // Three digits behind "0b".
  function [2:0] decoded(input [39:0] text);
    decoded = {text[16], text[8], text[0]};
  endfunction

  function integer width(input integer port);
    width = port ? DATA_WIDTH_B : DATA_WIDTH_A;
  endfunction

  // Where in its row the word at an address starts.
  function [5:0] start(input [13:0] at, input integer bits);
    case (bits)
      36: start = 0;
      18: start = at[4] ? 18 : 0;
      9: start = 9 * at[4:3];
      default: start = 9 * at[4:3] + (at[2:0] & ~(bits - 1));
    endcase
  endfunction

  function [35:0] covered(input [13:0] at, input integer bits);
    covered = (~36'd0 >> (36 - bits)) << start(at, bits);
  endfunction

  // What a write changes: one of 18 or 36 bits has an enable for each 9 in the lowest address bits.
  function [35:0] enabled(input [13:0] at, input integer bits);
    case (bits)
      36: enabled = {{9{at[3]}}, {9{at[2]}}, {9{at[1]}}, {9{at[0]}}};
      18: enabled = {18'b0, {9{at[1]}}, {9{at[0]}}} << start(at, bits);
      default: enabled = covered(at, bits);
    endcase
  endfunction

  function [35:0] unknown(input [35:0] bits, input [35:0] which);
    unknown = bits ^ (which & 36'bx);
  endfunction

  task step(input integer p);
    reg [35:0] old, clash;
    reg [5:0] from;
    reg together;
    begin
      from = start(address[p], width(p));
      row[p] = address[p][13:5];
      when[p] = $time;
      together = when[1 - p] == when[p] && row[1 - p] == row[p];
      clash = together ? writes[1 - p] : 36'd0;
      old = rows[row[p]];
      writes[p] = 0;
      reads[p] = 0;
      if (selected[p] !== 1'b0 && write[p] !== 1'b0 && !reset[p]) begin
        writes[p] = enabled(address[p], width(p));
        if ((^address[p] ^ selected[p] ^ write[p]) === 1'bx)
          for (k = 0; k < 512; k = k + 1) rows[k] = 36'bx;
        else
          rows[row[p]] = unknown(
            (old & ~writes[p]) | ((data[p] << from) & writes[p]), writes[p] & clash);
        if (together && (writes[p] & reads[1 - p])) begin
          seen[1 - p] = unknown(seen[1 - p], writes[p]);
          latch[1 - p] <= word(1 - p);
        end
        if (mode(p) != "NORMAL") begin
          seen[p] = unknown(mode(p) == "WRITETHROUGH" ? rows[row[p]] : old, clash);
          reads[p] = covered(address[p], width(p));
        end
      end else if (selected[p] !== 1'b0) begin
        seen[p] = (^row[p] ^ ^from) === 1'bx ? 36'bx : unknown(old, clash);
        reads[p] = covered(address[p], width(p));
      end
      if (outgoing[p]) register[p] <= latch[p];
      if (reads[p]) begin
        place[p] = from;
        latch[p] <= word(p);
      end
      if (reset[p]) clear(p);
    end
  endtask

  function [35:0] word(input integer port);
    word = (seen[port] & reads[port]) >> place[port];
  endfunction

  function [127:0] mode(input integer port);
    mode = port ? WRITEMODE_B : WRITEMODE_A;
  endfunction

  task clear(input integer p);
    begin
      latch[p] <= 0;
      register[p] <= 0;
    end
  endtask

  always @(posedge clock[0]) step(0);
  always @(posedge clock[1]) step(1);
  always @(posedge reset[0]) if (ASYNC) clear(0);
  always @(posedge reset[1]) if (ASYNC) clear(1);

  // By the port that reads, each half with or without its register.
  localparam READER = DATA_WIDTH_A == 36, WHOLE = READER && DATA_WIDTH_B == 36;
  wire [35:0] word_a = REGMODE_A == "OUTREG" ? register[READER] : latch[READER];
  wire [35:0] word_b = REGMODE_B == "OUTREG" ? register[1] : latch[1];
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8,
    DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0
  } = word_a[17:0];
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8,
    DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
  } = WHOLE ? word_b[35:18] : word_b[17:0];
endmodule

// A register of a multiplier: by the clock, enable and reset that its parameters name, or none.
module triodia_mult_register #(
  parameter WIDTH = 18, CLOCK = "NONE", ENABLE = "CE0", RESET = "RST0", MODE = "SYNC"
) (
  input [3:0] clocks, enables, resets,
  input [WIDTH-1:0] d,
  output [WIDTH-1:0] q
);
  function [1:0] index(input [31:0] name);
    index = name[1:0];  // of the digit at its end
  endfunction

  wire clock = clocks[index(CLOCK)], enable = enables[index(ENABLE)];
  wire reset = resets[index(RESET)];
  reg [WIDTH-1:0] held = 0;
  always @(posedge clock, posedge (reset && MODE == "ASYNC"))
    if (reset) held <= 0;
    else if (enable) held <= d;
  assign q = CLOCK == "NONE" ? d : held;
endmodule

// Multiplier, 18 x 18 bits, each factor signed or unsigned, with registers before it, behind it and
// in its middle, whose place makes no difference here. No shift in or out, no pre-adder.
module MULT18X18D (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  parameter REG_INPUTA_CLK = "NONE", REG_INPUTA_CE = "CE0", REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE", REG_INPUTB_CE = "CE0", REG_INPUTB_RST = "RST0";
  parameter REG_INPUTC_CLK = "NONE", REG_INPUTC_CE = "CE0", REG_INPUTC_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE", REG_PIPELINE_CE = "CE0", REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE", REG_OUTPUT_CE = "CE0", REG_OUTPUT_RST = "RST0";
  parameter RESETMODE = "SYNC", GSR = "ENABLED";

  wire [3:0] clocks = {CLK3, CLK2, CLK1, CLK0}, enables = {CE3, CE2, CE1, CE0};
  wire [3:0] resets = {RST3, RST2, RST1, RST0};
  wire [18:0] a, b;
  wire [35:0] full = $signed(a) * $signed(b);
  wire [35:0] middle, product;

  triodia_mult_register #(
    .WIDTH(19), .CLOCK(REG_INPUTA_CLK),
    .ENABLE(REG_INPUTA_CE), .RESET(REG_INPUTA_RST), .MODE(RESETMODE)
  ) register_a (
    .clocks(clocks), .enables(enables), .resets(resets),
    .d({SIGNEDA & A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1,
      A0}), .q(a)
  );

  triodia_mult_register #(
    .WIDTH(19), .CLOCK(REG_INPUTB_CLK),
    .ENABLE(REG_INPUTB_CE), .RESET(REG_INPUTB_RST), .MODE(RESETMODE)
  ) register_b (
    .clocks(clocks), .enables(enables), .resets(resets),
    .d({SIGNEDB & B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1,
      B0}), .q(b)
  );

  triodia_mult_register #(
    .WIDTH(36), .CLOCK(REG_PIPELINE_CLK),
    .ENABLE(REG_PIPELINE_CE), .RESET(REG_PIPELINE_RST), .MODE(RESETMODE)
  ) register_middle (
    .clocks(clocks), .enables(enables), .resets(resets),
    .d(full), .q(middle)
  );

  triodia_mult_register #(
    .WIDTH(36), .CLOCK(REG_OUTPUT_CLK),
    .ENABLE(REG_OUTPUT_CE), .RESET(REG_OUTPUT_RST), .MODE(RESETMODE)
  ) register_product (
    .clocks(clocks), .enables(enables), .resets(resets),
    .d(middle), .q(product)
  );

  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
    P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} =
    product;
endmodule
