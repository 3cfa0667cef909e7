"""The memories of the exported Verilog, written by hand so that every tool finds block RAM."""

from collections.abc import Mapping, Sequence

__all__ = ["STYLES", "contents_sum", "hex_lines", "memory_modules"]

# Each tool reads its own attribute: Yosys and Vivado `ram_style`, Quartus `ramstyle`, Radiant,
# Diamond and Gowin `syn_ramstyle`. All may leave out what makes a colliding read return the old
# word: the machine never uses such a word.
STYLES = {
    "block": '(* ram_style = "block", ramstyle = "no_rw_check", '
    'syn_ramstyle = "block_ram, no_rw_check", no_rw_check *)',
    "distributed": '(* ram_style = "distributed", ramstyle = "MLAB, no_rw_check", '
    'syn_ramstyle = "distributed, no_rw_check", no_rw_check *)',
    "auto": '(* ramstyle = "no_rw_check", syn_ramstyle = "no_rw_check", no_rw_check *)',
}

_RAM = """\
// Memory with one write port and one read port; the read word comes 2 cycles after its address.
// A read of the address that is being written returns an undefined word, which is never used.
// FILE names its contents; a memory without a file is working memory and starts undefined.
module {name}_ram #(
  parameter WIDTH = 1,
  parameter DEPTH = 2,
  parameter ADDR_WIDTH = 1,
  parameter FILE = ""
) (
  input clk,
  input w_en,
  input [ADDR_WIDTH-1:0] w_addr,
  input [WIDTH-1:0] w_data,
  input [ADDR_WIDTH-1:0] r_addr,
  output reg [WIDTH-1:0] r_data
);
  {attributes}
  reg [WIDTH-1:0] mem [0:DEPTH-1];
  reg [WIDTH-1:0] word;  // block RAM has this register and r_data inside
  always @(posedge clk) begin
    if (w_en) mem[w_addr] <= w_data;
    word <= mem[r_addr];
    r_data <= word;
  end
{contents}
`ifndef SYNTHESIS
  // Sum over all words, with which the top module checks that they are this network's.
  function [63:0] contents_sum;
    input unused;
    integer k;
    begin
      contents_sum = 0;
      for (k = 0; k < DEPTH; k = k + 1)
        contents_sum = {{contents_sum[62:0], contents_sum[63]}}
          ^ {{{{(WIDTH < 64 ? 64-WIDTH : 1){{1'b0}}}}, mem[k]}};
    end
  endfunction
`endif
endmodule
"""

_FROM_FILE = """\
  generate if (FILE != "") begin : contents
    initial $readmemh({`TRIODIA_HEX_FOLDER, FILE}, mem);
  end endgenerate
"""

_QUEUE_RAM = """\
// Memory of a queue: one write port, and one read port whose word stays until the next read.
module {name}_queue_ram #(
  parameter WIDTH = 1,
  parameter DEPTH = 2,
  parameter ADDR_WIDTH = 1
) (
  input clk,
  input w_en,
  input [ADDR_WIDTH-1:0] w_addr,
  input [WIDTH-1:0] w_data,
  input r_en,
  input [ADDR_WIDTH-1:0] r_addr,
  output reg [WIDTH-1:0] r_data
);
  (* no_rw_check *)
  reg [WIDTH-1:0] mem [0:DEPTH-1];
  always @(posedge clk) begin
    if (w_en) mem[w_addr] <= w_data;
    if (r_en) r_data <= mem[r_addr];
  end
endmodule
"""


def memory_modules(
    name: str, inline: Mapping[str, tuple[int, Sequence[int]]] | None, style: str = "block"
) -> list[str]:
    """Verilog of the two memories of a machine called ``name``.

    ``inline``: width and words by file name, to be written into the Verilog instead of files.
    ``style``: of :data:`STYLES`, for all but the queues.
    """
    contents = _FROM_FILE if inline is None else _inline(inline)
    ram = _RAM.format(name=name, attributes=STYLES[style], contents=contents.rstrip())
    return [ram, _QUEUE_RAM.format(name=name)]


def _inline(files: Mapping[str, tuple[int, Sequence[int]]]) -> str:
    lines = ["  generate"]
    for number, (file, (width, words)) in enumerate(files.items()):
        start = "if" if number == 0 else "end else if"
        lines.append(f'  {start} (FILE == "{file}") begin : contents_{number}')
        lines.append("    initial begin")
        for address, word in enumerate(words):
            lines.append(f"      mem[{address}] = {width}'h{word:x};")
        lines.append("    end")
    return "\n".join([*lines, "  end endgenerate"])


def contents_sum(words: Sequence[int]) -> int:
    """The sum over a memory's contents that the Verilog computes, 64 bits."""
    total = 0
    for word in words:
        total = ((total << 1 | total >> 63) ^ word) & ((1 << 64) - 1)
    return total


def hex_lines(words: Sequence[int], width: int) -> str:
    """``$readmemh`` text of ``words``."""
    digits = -(-width // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)
