// Drives tinyODIN: its configuration over SPI, events over its AER bus, as fast as it takes them.
//
// program.hex holds operations of 12 bits, the kind in the upper two: 0 an event for the AER bus
// (10 bits of address), 1 wait until all events are processed, 2 a step ends, 3 the run ends.
// Prints "spike NEURON" for each event on the output bus, "step CYCLE" at the end of each step
// (cycles from the first request), and leaves the neuron memory in neurons.out.
`timescale 1ns / 1ns
module bench #(parameter MAX_NEUR = 255, OPERATIONS = 1, LIMIT = 100000000);
  localparam IDLE = 0;

  reg clk = 0, rst = 0, sck = 0, mosi = 0, req = 0, started = 0;
  reg [9:0] address = 0;
  reg out_ack = 0;
  wire ack, out_req;
  wire [7:0] out_address;
  reg [11:0] plan[0:OPERATIONS-1];
  integer at, cycle = 0;

  tinyODIN dut (
    .CLK(clk), .RST(rst), .SCK(sck), .MOSI(mosi), .MISO(),
    .AERIN_ADDR(address), .AERIN_REQ(req), .AERIN_ACK(ack),
    .AEROUT_ADDR(out_address), .AEROUT_REQ(out_req), .AEROUT_ACK(out_ack), .SCHED_FULL());

  always #5 clk = ~clk;
  always @(posedge clk) begin
    if (started) cycle <= cycle + 1;
    if (cycle > LIMIT) begin
      $display("stuck");
      $finish;
    end
  end

  // The receiver of output events answers within half a cycle.
  always @(negedge clk) begin
    if (out_req && !out_ack) $display("spike %0d", out_address);
    out_ack <= out_req;
  end

  task set_register(input [15:0] register, input [7:0] value);
    reg [39:0] word;
    integer bit_at;
    begin
      word = {4'b0100, register, 12'b0, value};
      for (bit_at = 39; bit_at >= 0; bit_at = bit_at - 1) begin
        mosi = word[bit_at];
        repeat (4) @(negedge clk);
        sck = 1;
        repeat (4) @(negedge clk);
        sck = 0;
      end
    end
  endtask

  task send(input [9:0] value);
    begin
      address = value;
      req = 1;
      started = 1;
      while (!ack) @(negedge clk);
      req = 0;
      while (ack) @(negedge clk);
    end
  endtask

  wire idle = dut.controller_0.state == IDLE && dut.SCHED_EMPTY && !dut.AEROUT_CTRL_BUSY;

  initial begin
    $readmemh("program.hex", plan);
    $readmemh("synapses.hex", dut.synaptic_core_0.synarray_0.SRAM);
    $readmemh("neurons.hex", dut.neuron_core_0.neurarray_0.SRAM);
    repeat (2) @(negedge clk);
    rst = 1;
    repeat (10) @(negedge clk);
    rst = 0;
    repeat (10) @(negedge clk);
    set_register(0, 1);         // gate the activity
    set_register(1, 1);         // open loop: neurons' spikes leave, but do not come back
    set_register(2, 0);         // the output bus shows neurons' spikes
    set_register(3, MAX_NEUR);  // the last neuron to update
    set_register(0, 0);
    repeat (10) @(negedge clk);
    for (at = 0; at < OPERATIONS; at = at + 1)
      case (plan[at][11:10])
        0: send(plan[at][9:0]);
        1: while (!idle) @(negedge clk);
        2: begin
          while (!idle) @(negedge clk);
          $display("step %0d", cycle);
        end
        3: begin
          $writememh("neurons.out", dut.neuron_core_0.neurarray_0.SRAM);
          $finish;
        end
      endcase
  end
endmodule
