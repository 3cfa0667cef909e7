// Drives one core of Catalyst N1 through its ports, as its mesh does.
//
// parameters.hex holds {identifier, value} for all neurons; pool.hex {source, target, weight} by
// address; index.hex {base, count} by source. program.hex holds operations of 12 bits: 0NN let
// neuron NN fire by an external current, 100 run a step, 200 the end.
// Prints "step CYCLE" at the end of each step, "potential VALUE" of each neuron, and "operations"
// and "spikes" as the core counted them.
`timescale 1ns / 1ns
module bench #(
  parameter NEURONS = 256, SYNAPSES = 1, POOL_BITS = 13, PARAMETERS = 1, OPERATIONS = 1,
  CURRENT = 30000, LIMIT = 100000000
);
  reg clk = 0, rst_n = 0, start = 0, started = 0;
  reg ext = 0, pool_we = 0, index_we = 0, param_we = 0, probe = 0;
  reg [7:0] neuron = 0, source = 0, target = 0;
  reg signed [15:0] value = 0;
  reg [POOL_BITS-1:0] pool_address = 0, base = 0;
  reg [7:0] count = 0;
  reg [4:0] identifier = 0;
  wire done, probe_valid;
  wire signed [15:0] probe_data;
  wire [31:0] spikes;

  reg [23:0] parameters[0:PARAMETERS-1];
  reg [31:0] pool[0:SYNAPSES-1];
  reg [31:0] rows[0:NEURONS-1];
  reg [11:0] plan[0:OPERATIONS-1];
  reg signed [15:0] low;
  integer at, k, cycle = 0;

  scalable_core_v2 #(
    .NUM_NEURONS(NEURONS), .NEURON_BITS(8), .POOL_DEPTH(1 << POOL_BITS), .POOL_ADDR_BITS(POOL_BITS),
    .COUNT_BITS(8), .REV_FANIN(16), .REV_SLOT_BITS(4)
  ) dut (
    .clk(clk), .rst_n(rst_n), .start(start),
    .learn_enable(1'b0), .graded_enable(1'b0), .dendritic_enable(1'b0), .threefactor_enable(1'b0),
    .noise_enable(1'b0), .skip_idle_enable(1'b0), .scale_u_enable(1'b0), .reward_value(16'd0),
    .ext_valid(ext), .ext_neuron_id(neuron), .ext_current(value),
    .pool_we(pool_we), .pool_addr_in(pool_address), .pool_src_in(source), .pool_target_in(target),
    .pool_weight_in(value), .pool_comp_in(2'd0),
    .index_we(index_we), .index_neuron_in(neuron), .index_base_in(base), .index_count_in(count),
    .index_format_in(2'd0),
    .delay_we(1'b0), .delay_addr_in({POOL_BITS{1'b0}}), .delay_value_in(6'd0),
    .ucode_prog_we(1'b0), .ucode_prog_addr(8'd0), .ucode_prog_data(32'd0),
    .prog_param_we(param_we), .prog_param_neuron(neuron), .prog_param_id(identifier),
    .prog_param_value(value),
    .probe_read(probe), .probe_neuron(neuron), .probe_state_id(identifier),
    .probe_pool_addr({POOL_BITS{1'b0}}), .probe_data(probe_data), .probe_valid(probe_valid),
    .timestep_done(done), .spike_out_valid(), .spike_out_id(), .spike_out_payload(),
    .state_out(), .total_spikes(spikes), .timestep_count(), .core_idle());

  always #5 clk = ~clk;
  always @(posedge clk) begin
    if (started) cycle <= cycle + 1;
    if (cycle > LIMIT) begin
      $display("stuck");
      $finish;
    end
  end

  task read(input [7:0] which, input [4:0] what);
    begin
      neuron = which;
      identifier = what;
      probe = 1;
      @(negedge clk) probe = 0;
      while (!probe_valid) @(negedge clk);
    end
  endtask

  initial begin
    $readmemh("parameters.hex", parameters);
    $readmemh("pool.hex", pool);
    $readmemh("index.hex", rows);
    $readmemh("program.hex", plan);
    repeat (4) @(negedge clk);
    rst_n = 1;
    repeat (2) @(negedge clk);
    param_we = 1;
    for (at = 0; at < PARAMETERS; at = at + 1)
      for (k = 0; k < NEURONS; k = k + 1) begin
        neuron = k;
        {identifier, value} = parameters[at];
        @(negedge clk);
      end
    param_we = 0;
    pool_we = 1;
    for (at = 0; at < SYNAPSES; at = at + 1) begin
      pool_address = at;
      {source, target, value} = pool[at];
      @(negedge clk);
    end
    pool_we = 0;
    index_we = 1;
    for (k = 0; k < NEURONS; k = k + 1) begin
      neuron = k;
      {base, count} = rows[k];
      @(negedge clk);
    end
    index_we = 0;

    value = CURRENT;
    started = 1;
    for (at = 0; at < OPERATIONS; at = at + 1)
      case (plan[at][9:8])
        0: begin
          ext = 1;
          neuron = plan[at][7:0];
          start = plan[at+1][9:8] == 1;  // the last current comes with the start
          @(negedge clk);
          ext = 0;
        end
        1: begin
          if (!start) begin
            start = 1;
            @(negedge clk);
          end
          start = 0;
          while (!done) @(negedge clk);
          $display("step %0d", cycle);
        end
        2: begin
          started = 0;
          for (k = 0; k < NEURONS; k = k + 1) begin
            read(k, 0);
            $display("potential %0d", probe_data);
          end
          read(0, 18);
          low = probe_data;
          read(0, 19);
          $display("operations %0d", {probe_data, low});
          $display("spikes %0d", spikes);
          $finish;
        end
      endcase
  end
endmodule
