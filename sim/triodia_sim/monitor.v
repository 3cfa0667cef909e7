// Watches the ports of a machine in every cycle; `cosim` puts one into its copy of the Verilog.
//
// `broken` counts the rules that were broken, `rule` and `at` say which first, and when. `cycle`
// and `stalls` are what the machine's counters should show; `cycle` starts where docs/contract.md
// says, LANES + 3 cycles after `rst` falls. `total` is the same, but later resets do not stop it.
/* verilator lint_off BLKSEQ */
module triodia_monitor #(
  parameter I_WIDTH = 1,  // bits of an input word
  parameter O_WIDTH = 4,  // bits of an output word; kind and last are the lowest three
  parameter LANES = 1,
  parameter START = 0,  // what the counters show at first; 0 but in tests of how they wrap
  parameter OURS = 1  // 0: another machine with these ports, whose start and counters differ
) (
  input clk,
  input rst,
  input i_valid,
  input i_ready,
  input [I_WIDTH-1:0] i_word,
  input o_valid,
  input o_ready,
  input [O_WIDTH-1:0] o_word,
  input [31:0] cycles,
  input [31:0] events,
  input [31:0] operations,
  input [31:0] bus_stalls,
  input [31:0] output_stalls
);
  reg [31:0] broken = 0;
  reg [31:0] rule = 0;
  reg [31:0] at = 0;
  reg [31:0] cycle = 0;
  reg [31:0] total = 0;
  reg [31:0] stalls = 0, stalls_1 = 0, stalls_2 = 0, stalls_3 = 0;
  integer age = 0;  // edges since the first one with rst high
  integer open = 0;  // edges since rst fell
  reg powered = 0;  // a reset has ended
  reg waiting = 0;
  reg [O_WIDTH-1:0] offer = 0;

  task check(input holds, input integer number);
    if (!holds) begin
      if (broken == 0) begin
        rule = number;
        at = total;
      end
      broken = broken + 1;
    end
  endtask

  always @(posedge clk) begin
    if (rst && open > 0) age = 0;
    // 1, 2: nothing that controls is ever undefined.
    check((i_ready ^ i_ready) === 1'b0, 1);
    check((o_valid ^ o_valid) === 1'b0, 2);
    if (o_valid === 1'b1) check((^o_word[2:0] ^ ^o_word[2:0]) === 1'b0, 3);
    // 4, 5: an offer stays, unchanged, until it is taken or the machine is reset.
    if (waiting && !rst) begin
      check(o_valid === 1'b1, 4);
      check(o_valid !== 1'b1 || o_word === offer, 5);
    end
    waiting = o_valid === 1'b1 && o_ready !== 1'b1 && !rst && age > 1;
    offer = o_word;
    // 6, 7: in reset, and until the machine starts, nothing is offered and nothing taken.
    if (age > 1 && (rst || open <= LANES + 3)) check(o_valid === 1'b0, 6);
    if (OURS != 0 && age > 0 && (rst || open < LANES + 3)) check(i_ready === 1'b0, 7);
    // 8: it starts when it should.
    if (OURS != 0 && !rst && powered && open == LANES + 3) check(i_ready === 1'b1, 8);
    // 9 to 11: the counters that can be seen from outside.
    if (OURS != 0 && powered && !rst && open > 0) begin
      check((^{cycles, events, operations, bus_stalls, output_stalls} ^
        ^{cycles, events, operations, bus_stalls, output_stalls}) === 1'b0, 9);
      check(cycles === cycle + START, 10);
      check(output_stalls - START - stalls_3 <= stalls - stalls_3, 11);
    end
    {stalls_3, stalls_2, stalls_1} = {stalls_2, stalls_1, stalls};
    if (waiting) stalls = stalls + 1;
    age = age + 1;
    if (rst) {stalls_3, stalls_2, stalls_1, stalls} = 0;
    if (rst) powered = 1;
    open = rst ? 0 : open + 1;
    cycle <= open > LANES + 3 ? open - LANES - 3 : 0;
    if (total > 0 || open > LANES + 3) total <= total + 1;
  end
endmodule
