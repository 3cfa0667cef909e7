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

// One bit of every word of a queue of 16, as the queue's memory holds it. `any`: what was there at
// power-up.
module queue_bit(
  input clk, input w_en, input [3:0] w_addr, input w_data, input r_en, input [3:0] r_addr,
  input [15:0] any, output reg r_data, output [15:0] held
);
  reg [15:0] mem = 0;
  reg begun = 0;
  assign held = begun ? mem : any;
  always @(posedge clk) begin
    begun <= 1;
    mem <= held;
    if (w_en) mem[w_addr] <= w_data;
    if (r_en) r_data <= held[r_addr];
  end
endmodule

// Whether there are ends in a queue, `any` or `two` of them, and whether each of its words that has bit `held` has bit `too` as well.
// `next` is where the next word goes.
module queue_ends(
  input [15:0] held, input [15:0] too, input [3:0] first, input [3:0] next, input [4:0] level,
  input valid, input end_, input end_too, output reg any, output reg two, output reg all, output reg newest
);
  integer k;
  reg [3:0] at;
  always @* begin
    any = valid & end_;
    two = 0;
    all = (~(valid & end_) | end_too) & next == ((first + level) & 15);
    newest = valid & end_;  // the word that came last is an end
    at = 0;
    for (k = 0; k < 16; k = k + 1) if (k < level) begin
      at = first + k;
      two = two | any & held[at];
      any = any | held[at];
      all = all & (~held[at] | too[at]);
      newest = held[at];
    end
  end
endmodule

// A PE's part of the ring: `ends` are the ends of a step in it. It holds if rows have room, an end
// takes one cycle, and nothing follows an end through sweep and records.
module ring_lane(
  input go, input sent,
  input [3:0] found, input [3:0] ends_found, input some, input single,
  input [15:0] row_end, input [15:0] row_single, input [3:0] row_first, input [3:0] row_next,
  input [4:0] row_level, input row_valid, input row_end_out, input row_single_out,
  input walks, input walks_end, input walks_single, input [3:0] walked,
  input first, input busy, input [10:0] stages, input [10:0] stage_ends,
  input [15:0] record_end, input [3:0] record_first, input [3:0] record_next,
  input [4:0] record_level, input record_valid, input record_end_out,
  input turn, input grant, input end_,
  output reg any, output reg two, output fresh, output begins,
  output begun, output holds
);
  wire rows_any, rows_two, records_any, records_two, rows_single, records_fine, newest, unused;
  queue_ends rows(row_end, row_single, row_first, row_next, row_level, row_valid, row_end_out,
    row_single_out, rows_any, rows_two, rows_single, unused);
  queue_ends records(record_end, record_end, record_first, record_next, record_level, record_valid,
    record_end_out, 1'b1, records_any, records_two, records_fine, newest);

  integer k;
  reg seen, ordered;
  reg [20:0] one;
  reg [6:0] coming;
  always @* begin
    one = {walks & walks_end, busy, found & ends_found, walked, stages & stage_ends};
    any = rows_any | records_any;
    two = rows_two | records_two | rows_any & records_any;
    for (k = 0; k < 21; k = k + 1) begin
      two = two | any & one[k];
      any = any | one[k];
    end
    coming = row_level + go + sent;
    for (k = 0; k < 4; k = k + 1) begin
      coming = coming + found[k];
    end
    seen = busy;
    ordered = 1;
    for (k = 0; k < 11; k = k + 1) begin
      if (stages[k]) begin
        ordered = ordered & (seen | stage_ends[k]);
        seen = 1;
      end
    end
    if (record_valid | record_level != 0) ordered = ordered & (seen | newest);
  end
  wire item = record_valid & ~record_end_out;
  // The first sweep after a reset emits its end alone; `begun`: that end has left.
  wire none = record_level == 0 & ~record_valid;
  wire only_end = newest & (record_level + record_valid == 1);
  assign begins = ~turn & ~grant & (first ? none & (busy | |(stages & stage_ends)) : only_end);
  assign begun = ~turn & ~grant & ~first & none;
  assign fresh = busy & ~(|found | row_valid | walks | |walked | |stages | record_valid)
    & row_level == 0 & record_level == 0;
  assign holds = ordered & rows_single & records_fine & coming <= 16
    & (~(found[3] & ends_found[3]) | (some & single))
    & (~(walks & walks_end) | walks_single)
    & (~(turn | grant) | item) & ~(turn & grant)
    & (~end_ | (record_valid & record_end_out));
endmodule

// Exactly one end of a step is on its way around, once the machine has left reset.
module ring(
  input clk, input closed, input [2:0] held, input [1:0] resets,
  input [1:0] any, input [1:0] two, input [1:0] fresh, input [1:0] begins, input [1:0] begun,
  input [1:0] lanes, input started,
  input sent, input sent_end, input end_, input some, input some_end,
  input valid, input valid_end, input go, input [1:0] grant,
  input [15:0] return_end, input [3:0] return_first, input [3:0] return_next,
  input [4:0] return_level, input return_valid, input return_end_out,
  output holds
);
  wire returns_any, returns_two, returns_fine, unused;
  queue_ends returns(return_end, return_end, return_first, return_next, return_level, return_valid,
    return_end_out, 1'b1, returns_any, returns_two, returns_fine, unused);
  wire [3:0] one = {returns_any, sent & sent_end, some & some_end, valid & valid_end};
  wire alone = ~returns_two & (one == 0 | one == 1 | one == 2 | one == 4 | one == 8);
  reg [1:0] age = 0;
  always @(posedge clk) if (age != 2) age <= age + 1;
  // The reset of the PEs comes later than that of the rest, and closes it for long enough.
  wire steps = age == 0 ? closed & held == 7
    : age == 1 ? closed & resets[0] & held[2:1] == 3
    : (~|held | closed)
      & (~(closed & held == 0 | held[2]) | resets == 3) & (~held[1] | resets[0])
      & (closed | ~resets[0] | resets[1]);
  wire whole = &(fresh | ~resets) & returns_fine & lanes == 3 & two == 0 & alone
    & any == {2{~|one}}
    & return_level + go + (|grant | end_) + some + valid <= 16;
  wire first_sweep = (one == 0 ? &begins : ~|one[3:2] & &begun)
    & (~some | some_end) & (~valid | valid_end);
  assign holds = steps & (closed | whole & (started | first_sweep));
endmodule

// How far a sweep of 20 neurons is: its first 16 follow each other without a pause, since only
// what it has retired fills the records.
module sweep_counts(
  input closed, input busy, input [10:0] stages, input [10:0] stage_ends, input [4:0] slot,
  input [4:0] retired, input [4:0] level, input valid, output holds
);
  integer k;
  reg [6:0] count;
  reg dense;
  wire active = busy | (|stages);
  always @* begin
    count = retired;
    dense = 1;
    for (k = 0; k < 11; k = k + 1) begin
      count = count + stages[k];
      if (busy & slot < 16 & k < slot) dense = dense & stages[k];
      if (slot >= 16 & retired < 16 & k < 16 - retired) dense = dense & stages[10 - k];
    end
  end
  assign holds = closed | (active
    ? count == slot & (busy ? slot <= 20 : slot == 21) & level + valid <= retired & dense
      & (busy ^ |(stages & stage_ends))
    : retired == 0);
endmodule

// A counter of retired neurons of a mutant, beside the machine's: after the last neuron nothing
// reads it until the end of the sweep sets it to 0.
module retired_beside(input [4:0] machine, input [4:0] mutant, output holds);
  assign holds = mutant == machine | machine == 20;
endmodule
