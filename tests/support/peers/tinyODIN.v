// A made-up core with the buses and the memories of tinyODIN, and its neuron; not its source.
// An event is processed in one cycle. With FAULT it has no leak.
module words #(parameter DEPTH = 1);
  reg [31:0] SRAM[0:DEPTH-1];
endmodule

module synapses;
  words #(.DEPTH(8192)) synarray_0();
endmodule

module neurons;
  words #(.DEPTH(256)) neurarray_0();
endmodule

module control;
  reg [3:0] state = 0;
endmodule

module tinyODIN (
  input CLK, RST, SCK, MOSI, output MISO,
  input [9:0] AERIN_ADDR, input AERIN_REQ, output reg AERIN_ACK = 0,
  output reg [7:0] AEROUT_ADDR = 0, output reg AEROUT_REQ = 0, input AEROUT_ACK, output SCHED_FULL
);
  synapses synaptic_core_0();
  neurons neuron_core_0();
  control controller_0();
  wire SCHED_EMPTY = 1, AEROUT_CTRL_BUSY = 0;

  reg [39:0] shifted = 0;
  integer bits = 0, last = -1, gated = 0, open = 0;
  always @(posedge SCK) begin
    shifted = {shifted[38:0], MOSI};
    bits = bits + 1;
    if (bits == 40) begin
      bits = 0;
      case (shifted[35:20])
        0: gated = shifted[0];
        1: open = shifted[0];
        3: last = shifted[7:0];
      endcase
    end
  end

  integer n, v, word, change;
  task update(input integer leaks);
    for (n = 0; n <= last; n = n + 1) begin
      word = neuron_core_0.neurarray_0.SRAM[n];
      v = $signed(word[11:0]);
      if (leaks) begin
`ifdef FAULT
        change = 0;
`else
        change = word[30:24];
`endif
        v = v > 0 ? (v > change ? v - change : 0) : (v < -change ? v + change : 0);
      end else begin
        change = synaptic_core_0.synarray_0.SRAM[{AERIN_ADDR[7:0], n[7:3]}] >> (4 * n[2:0]);
        v = v + $signed(change[3:0]);
        if (v < -2048) v = -2048;
      end
      if (v >= 0 && v >= word[23:12]) begin
        v = 0;
        if (!word[31]) begin
          AEROUT_ADDR = n;
          AEROUT_REQ = 1;
          while (!AEROUT_ACK) @(posedge CLK);
          AEROUT_REQ = 0;
          while (AEROUT_ACK) @(posedge CLK);
        end
      end
      neuron_core_0.neurarray_0.SRAM[n] = {word[31:12], v[11:0]};
    end
  endtask

  always @(posedge CLK)
    if (AERIN_REQ && open && !gated) begin
      controller_0.state = 1;
      update(AERIN_ADDR[8]);
      @(posedge CLK) AERIN_ACK = 1;
      while (AERIN_REQ) @(posedge CLK);
      AERIN_ACK = 0;
      controller_0.state = 0;
    end
endmodule
