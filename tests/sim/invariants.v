// What is always true of a machine of two PEs; tests/sim/sequential.py proves it, then uses it.
//
// Ports are wires of the flattened machine, by their names there (tests/sim/sequential.py).

// Every neuron that a sweep has begun finds a place among its PE's records, so `ready` of the
// queue never stops a record.
module records_fit(input [4:0] level, input [10:0] stages, output holds);
  integer k;
  reg [4:0] begun;
  always @* begin
    begun = 0;
    for (k = 0; k < 11; k = k + 1) begun = begun + stages[k];
  end
  assign holds = level + begun <= 16;
endmodule

// Every record that the collector has let go finds a place at the output.
module outputs_fit(
  input [4:0] level, input go, input [1:0] grant, input end_, input some, input valid,
  output holds
);
  assign holds = level + go + (|grant | end_) + some + valid <= 14;
endmodule

// No word that was written to a PE's neurons had a negative threshold: docs/contract.md says so.
module thresholds_positive(input clk, input [1:0] writes, input [1:0] signs, output holds);
  reg before = 1;
  assign holds = before & ~|(writes & signs);
  always @(posedge clk) before <= holds;
endmodule
