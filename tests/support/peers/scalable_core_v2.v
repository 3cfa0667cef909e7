// A made-up core with the ports of a core of Catalyst N1, and its default neuron; not its source.
// Each run takes 10 cycles. With FAULT it forgets the leak; with DEAF it never ends a run.
module scalable_core_v2 #(
  parameter NUM_NEURONS = 1, NEURON_BITS = 8, POOL_DEPTH = 1, POOL_ADDR_BITS = 1, COUNT_BITS = 8,
  REV_FANIN = 1, REV_SLOT_BITS = 1
) (
  input clk, rst_n, start,
  input learn_enable, graded_enable, dendritic_enable, threefactor_enable, noise_enable,
  input skip_idle_enable, scale_u_enable, input signed [15:0] reward_value,
  input ext_valid, input [7:0] ext_neuron_id, input signed [15:0] ext_current,
  input pool_we, input [POOL_ADDR_BITS-1:0] pool_addr_in, input [7:0] pool_src_in, pool_target_in,
  input signed [15:0] pool_weight_in, input [1:0] pool_comp_in,
  input index_we, input [7:0] index_neuron_in, input [POOL_ADDR_BITS-1:0] index_base_in,
  input [7:0] index_count_in, input [1:0] index_format_in,
  input delay_we, input [POOL_ADDR_BITS-1:0] delay_addr_in, input [5:0] delay_value_in,
  input ucode_prog_we, input [7:0] ucode_prog_addr, input [31:0] ucode_prog_data,
  input prog_param_we, input [7:0] prog_param_neuron, input [4:0] prog_param_id,
  input signed [15:0] prog_param_value,
  input probe_read, input [7:0] probe_neuron, input [4:0] probe_state_id,
  input [POOL_ADDR_BITS-1:0] probe_pool_addr, output reg signed [15:0] probe_data,
  output reg probe_valid = 0, output reg timestep_done = 0, output spike_out_valid,
  output [7:0] spike_out_id, spike_out_payload, output [5:0] state_out,
  output reg [31:0] total_spikes = 0, output [31:0] timestep_count, output core_idle
);
  reg [7:0] targets[0:POOL_DEPTH-1];
  reg signed [15:0] weights[0:POOL_DEPTH-1];
  integer base[0:255], count[0:255], v[0:255], total[0:255];
  integer threshold[0:255], leak[0:255];
  reg fired[0:255];
  integer n, k, left = 0, operations = 0;

  initial for (n = 0; n < 256; n = n + 1) begin
    v[n] = 0;
    total[n] = 0;
    fired[n] = 0;
  end

  always @(posedge clk) begin
    timestep_done <= left == 1;
    probe_valid <= probe_read;
    probe_data <= probe_state_id == 18 ? operations[15:0] :
                  probe_state_id == 19 ? operations[31:16] : v[probe_neuron][15:0];
    if (left > 0) left = left - 1;
    if (pool_we) begin
      targets[pool_addr_in] = pool_target_in;
      weights[pool_addr_in] = pool_weight_in;
    end
    if (index_we) begin
      base[index_neuron_in] = index_base_in;
      count[index_neuron_in] = index_count_in;
    end
    if (prog_param_we && prog_param_id == 0) threshold[prog_param_neuron] = prog_param_value;
    if (prog_param_we && prog_param_id == 1) leak[prog_param_neuron] = prog_param_value;
    if (ext_valid) total[ext_neuron_id] = ext_current;
    if (start) begin
      for (n = 0; n < NUM_NEURONS; n = n + 1)
        if (fired[n])
          for (k = base[n]; k < base[n] + count[n]; k = k + 1) begin
            total[targets[k]] = total[targets[k]] + weights[k];
            operations = operations + 1;
          end
      for (n = 0; n < NUM_NEURONS; n = n + 1) begin
`ifdef FAULT
        v[n] = v[n] + total[n];
`else
        v[n] = v[n] + total[n] - leak[n];
`endif
        fired[n] = v[n] >= threshold[n];
        if (fired[n]) total_spikes = total_spikes + 1;
        if (fired[n] || v[n] < 0) v[n] = 0;
        total[n] = 0;
      end
`ifndef DEAF
      left = 10;
`endif
    end
  end
endmodule
