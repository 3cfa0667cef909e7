// Models of the Gowin's cells that Yosys has as black boxes, as far as its netlists use them: block
// RAM without output register, and multipliers without registers (Gowin UG285, UG287).

// Two ports, each with A or B bits a word. UNIT: bits of a byte, 8 or 9. What is read while the
// other port writes it is undefined; a port that writes keeps its output.
module gowin_block(
  input aclk, awe, are, arst, input [13:0] aaddr, input [BYTES*UNIT-1:0] adata,
  output reg [BYTES*UNIT-1:0] aq,
  input bclk, bwe, bre, brst, input [13:0] baddr, input [BYTES*UNIT-1:0] bdata,
  output reg [BYTES*UNIT-1:0] bq
);
  parameter UNIT = 8, BYTES = 4, A = 32, B = 32;
  parameter [64*32*UNIT-1:0] INIT = 0;
  reg mem [0:64*32*UNIT-1];
  reg [BYTES*UNIT-1:0] word;
  integer a, b, k, n;
  // Addresses count bits, eight a byte; a ninth comes with its byte.
  function integer place(input [13:0] address, input integer width);
    place = address * UNIT / 8 / width * width;
  endfunction
  initial begin
    aq = 0;
    bq = 0;
    for (n = 0; n < 64 * 32 * UNIT; n = n + 1) mem[n] = INIT[n];
  end
  always @(posedge aclk) begin
    a = place(aaddr, A);
    b = place(baddr, B);
    word = 0;
    for (k = 0; k < A; k = k + 1)
      word[k] = bwe && a + k >= b && a + k < b + B ? 1'bx : mem[a + k];
    if (are) aq <= arst ? 0 : word;
    #0 if (awe)
      for (n = 0; n < A; n = n + 1)
        if (A < 2 * UNIT || aaddr[n / UNIT]) mem[place(aaddr, A) + n] = adata[n];
  end
  always @(posedge bclk) begin
    a = place(aaddr, A);
    b = place(baddr, B);
    word = 0;
    for (k = 0; k < B; k = k + 1)
      word[k] = awe && b + k >= a && b + k < a + A ? 1'bx : mem[b + k];
    if (bre) bq <= brst ? 0 : word;
    #0 if (bwe)
      for (n = 0; n < B; n = n + 1)
        if (B < 2 * UNIT || baddr[n / UNIT]) mem[place(baddr, B) + n] = bdata[n];
  end
endmodule

module SDPB(
  input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
  input [13:0] ADA, ADB, input [31:0] DI, input [2:0] BLKSELA, BLKSELB,
  output [31:0] DO
);
  parameter READ_MODE = 1'b0, RESET_MODE = "SYNC";
  parameter BIT_WIDTH_0 = 32, BIT_WIDTH_1 = 32;
  parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [255:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0;
  parameter [255:0] INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0;
  parameter [255:0] INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0;
  parameter [255:0] INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0;
  parameter [255:0] INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0;
  parameter [255:0] INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0;
  parameter [255:0] INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0;
  parameter [255:0] INIT_RAM_1C = 0, INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0;
  parameter [255:0] INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0;
  parameter [255:0] INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0;
  parameter [255:0] INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0;
  parameter [255:0] INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0;
  parameter [255:0] INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0;
  parameter [255:0] INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, INIT_RAM_37 = 0;
  parameter [255:0] INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0;
  parameter [255:0] INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
  wire [31:0] unused;
  gowin_block #(.UNIT(8), .BYTES(4), .A(BIT_WIDTH_0), .B(BIT_WIDTH_1), .INIT({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
    INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
    INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
    INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
    INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  })) block(
    CLKA, CEA, 1'b0, RESETA, ADA, DI, unused, CLKB, 1'b0, CEB, RESETB, ADB, 32'b0, DO
  );
endmodule

module SDPX9B(
  input CLKA, CEA, CLKB, CEB, OCE, RESETA, RESETB,
  input [13:0] ADA, ADB, input [35:0] DI, input [2:0] BLKSELA, BLKSELB,
  output [35:0] DO
);
  parameter READ_MODE = 1'b0, RESET_MODE = "SYNC";
  parameter BIT_WIDTH_0 = 36, BIT_WIDTH_1 = 36;
  parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0;
  parameter [287:0] INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0;
  parameter [287:0] INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0;
  parameter [287:0] INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0;
  parameter [287:0] INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0;
  parameter [287:0] INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0;
  parameter [287:0] INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0;
  parameter [287:0] INIT_RAM_1C = 0, INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0;
  parameter [287:0] INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0;
  parameter [287:0] INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0;
  parameter [287:0] INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0;
  parameter [287:0] INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0;
  parameter [287:0] INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0;
  parameter [287:0] INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, INIT_RAM_37 = 0;
  parameter [287:0] INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0;
  parameter [287:0] INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
  wire [35:0] unused;
  gowin_block #(.UNIT(9), .BYTES(4), .A(BIT_WIDTH_0), .B(BIT_WIDTH_1), .INIT({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
    INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
    INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
    INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
    INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  })) block(
    CLKA, CEA, 1'b0, RESETA, ADA, DI, unused, CLKB, 1'b0, CEB, RESETB, ADB, 36'b0, DO
  );
endmodule

module DPB(
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
  input [13:0] ADA, ADB, input [15:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
  output [15:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0, READ_MODE1 = 1'b0, WRITE_MODE0 = 2'b00, WRITE_MODE1 = 2'b00;
  parameter RESET_MODE = "SYNC", BIT_WIDTH_0 = 16, BIT_WIDTH_1 = 16;
  parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [255:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0;
  parameter [255:0] INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0;
  parameter [255:0] INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0;
  parameter [255:0] INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0;
  parameter [255:0] INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0;
  parameter [255:0] INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0;
  parameter [255:0] INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0;
  parameter [255:0] INIT_RAM_1C = 0, INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0;
  parameter [255:0] INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0;
  parameter [255:0] INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0;
  parameter [255:0] INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0;
  parameter [255:0] INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0;
  parameter [255:0] INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0;
  parameter [255:0] INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, INIT_RAM_37 = 0;
  parameter [255:0] INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0;
  parameter [255:0] INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
  gowin_block #(.UNIT(8), .BYTES(2), .A(BIT_WIDTH_0), .B(BIT_WIDTH_1), .INIT({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
    INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
    INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
    INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
    INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  })) block(
    CLKA, CEA & WREA, CEA & ~WREA, RESETA, ADA, DIA, DOA,
    CLKB, CEB & WREB, CEB & ~WREB, RESETB, ADB, DIB, DOB
  );
endmodule

module DPX9B(
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
  input [13:0] ADA, ADB, input [17:0] DIA, DIB, input [2:0] BLKSELA, BLKSELB,
  output [17:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0, READ_MODE1 = 1'b0, WRITE_MODE0 = 2'b00, WRITE_MODE1 = 2'b00;
  parameter RESET_MODE = "SYNC", BIT_WIDTH_0 = 18, BIT_WIDTH_1 = 18;
  parameter BLK_SEL_0 = 3'b000, BLK_SEL_1 = 3'b000;
  parameter [287:0] INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0;
  parameter [287:0] INIT_RAM_04 = 0, INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0;
  parameter [287:0] INIT_RAM_08 = 0, INIT_RAM_09 = 0, INIT_RAM_0A = 0, INIT_RAM_0B = 0;
  parameter [287:0] INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, INIT_RAM_0F = 0;
  parameter [287:0] INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0;
  parameter [287:0] INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0;
  parameter [287:0] INIT_RAM_18 = 0, INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0;
  parameter [287:0] INIT_RAM_1C = 0, INIT_RAM_1D = 0, INIT_RAM_1E = 0, INIT_RAM_1F = 0;
  parameter [287:0] INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, INIT_RAM_23 = 0;
  parameter [287:0] INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0;
  parameter [287:0] INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0;
  parameter [287:0] INIT_RAM_2C = 0, INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0;
  parameter [287:0] INIT_RAM_30 = 0, INIT_RAM_31 = 0, INIT_RAM_32 = 0, INIT_RAM_33 = 0;
  parameter [287:0] INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, INIT_RAM_37 = 0;
  parameter [287:0] INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0;
  parameter [287:0] INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0;
  gowin_block #(.UNIT(9), .BYTES(2), .A(BIT_WIDTH_0), .B(BIT_WIDTH_1), .INIT({
    INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39, INIT_RAM_38,
    INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30,
    INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28,
    INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20,
    INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18,
    INIT_RAM_17, INIT_RAM_16, INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10,
    INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
    INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00
  })) block(
    CLKA, CEA & WREA, CEA & ~WREA, RESETA, ADA, DIA, DOA,
    CLKB, CEB & WREB, CEB & ~WREB, RESETB, ADB, DIB, DOB
  );
endmodule

module MULT9X9(
  input [8:0] A, B, input ASIGN, BSIGN, CE, CLK, RESET,
  input [8:0] SIA, SIB, input ASEL, BSEL, output [8:0] SOA, SOB,
  output [17:0] DOUT
);
  wire signed [17:0] a = {{9{ASIGN & A[8]}}, A};
  wire signed [17:0] b = {{9{BSIGN & B[8]}}, B};
  assign DOUT = a * b;
endmodule

module MULT18X18(
  input [17:0] A, B, input ASIGN, BSIGN, CE, CLK, RESET,
  input [17:0] SIA, SIB, input ASEL, BSEL, output [17:0] SOA, SOB,
  output [35:0] DOUT
);
  wire signed [35:0] a = {{18{ASIGN & A[17]}}, A};
  wire signed [35:0] b = {{18{BSIGN & B[17]}}, B};
  assign DOUT = a * b;
endmodule

module MULT36X36(
  input [35:0] A, B, input ASIGN, BSIGN, CE, CLK, RESET,
  output [71:0] DOUT
);
  wire signed [71:0] a = {{36{ASIGN & A[35]}}, A};
  wire signed [71:0] b = {{36{BSIGN & B[35]}}, B};
  assign DOUT = a * b;
endmodule
