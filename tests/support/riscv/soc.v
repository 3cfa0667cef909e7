// A PicoRV32, 256 KiB of memory, a console, and the accelerator as `triodia verilog` exported it:
// on AXI4-Lite, or on Wishbone with WISHBONE defined. Faults that a test must notice: +flip=N inverts
// bit 0 of the N-th output word, +deaf keeps the interrupt from the processor.
`timescale 1ns/1ps

module soc;
  reg clk = 0, rst = 1;
  always #5 clk = !clk;

  // Memory at 0, console at 2000_0000, accelerator at 4000_0000.
  reg [31:0] memory [0:65535];
  integer k, reads = 0, writes = 0, read_cycles = 0, write_cycles = 0, outputs = 0, flip, limit;
  reg deaf;
  initial begin
    deaf = $test$plusargs("deaf");
    if (!$value$plusargs("flip=%d", flip)) flip = 0;
    if (!$value$plusargs("limit=%d", limit)) limit = 20000000;
    for (k = 0; k < 65536; k = k + 1) memory[k] = 0;
    $readmemh("program.hex", memory);
    repeat (20) @(negedge clk);
    rst = 0;
    repeat (limit) @(posedge clk);
    $display("the program did not end");
    $fatal(1);
  end

  task store(input [31:0] address, input [31:0] data, input [3:0] bytes);
    begin
      if (address[29]) begin
        if (address[5:2] == 0) begin
          $display("bus %0d %0d %0d %0d", reads, read_cycles, writes, write_cycles);
          $display("exit %0d", data);
          $finish;
        end
        $display("%0d %h", address[5:2], data);
      end else begin
        if (address >= 32'h00040000) $fatal(1, "write to %h, where nothing is", address);
        for (k = 0; k < 4; k = k + 1)
          if (bytes[k]) memory[address[17:2]][8*k +: 8] <= data[8*k +: 8];
      end
    end
  endtask

  wire trap, irq, heard;
  wire [31:0] accelerator_data;
  wire output_read; // the register that takes an output word
  wire [31:0] seen = accelerator_data ^ {31'd0, output_read && outputs + 1 == flip};
  assign heard = irq && !deaf;
  always @(posedge clk) if (!rst && trap) $fatal(1, "the processor has stopped");

`ifdef WISHBONE
  wire [31:0] adr, sent;
  reg [31:0] local_data;
  reg local_ack = 0;
  wire [3:0] sel;
  wire we, stb, cyc, ack, err, stall;
  wire ours = adr[30];
  assign output_read = ours && !we && adr[5:2] == 8;

  picorv32_wb #(.ENABLE_MUL(1), .ENABLE_DIV(1), .ENABLE_IRQ(1), .PROGADDR_IRQ(16),
                .LATCHED_IRQ(32'hffff_fff7)) cpu ( // line 3 is a level
    .trap(trap), .wb_rst_i(rst), .wb_clk_i(clk), .wbm_adr_o(adr), .wbm_dat_o(sent),
    .wbm_dat_i(ours ? seen : local_data), .wbm_we_o(we), .wbm_sel_o(sel), .wbm_stb_o(stb),
    .wbm_ack_i(ours ? ack : local_ack), .wbm_cyc_o(cyc), .irq({28'd0, heard, 3'd0}),
    .pcpi_wr(1'b0), .pcpi_rd(32'd0), .pcpi_wait(1'b0), .pcpi_ready(1'b0));

  net accelerator (.clk(clk), .rst(rst), .wb_cyc(cyc && ours), .wb_stb(stb && ours), .wb_we(we),
    .wb_adr(adr[5:2]), .wb_sel(sel), .wb_dat_i(sent), .wb_dat_o(accelerator_data), .wb_ack(ack),
    .wb_err(err), .wb_stall(stall), .irq(irq));

  always @(posedge clk) begin
    local_ack <= !rst && cyc && stb && !ours && !local_ack;
    local_data <= memory[adr[17:2]];
    if (cyc && stb && !ours && !local_ack && we) store(adr, sent, sel);
    if (!rst && cyc && ours) begin
      if (err) $fatal(1, "the accelerator refused an access to %h", adr);
      if (we) begin write_cycles <= write_cycles + 1; writes <= writes + ack; end
      else begin
        read_cycles <= read_cycles + 1;
        reads <= reads + ack;
        outputs <= outputs + (ack && output_read);
      end
    end
  end
`else
  wire awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
  wire [31:0] awaddr, wdata, araddr;
  wire [3:0] wstrb;
  wire [1:0] bresp, rresp;
  wire net_awready, net_wready, net_bvalid, net_arready, net_rvalid;
  reg local_bvalid = 0, local_rvalid = 0;
  reg [31:0] local_data;
  // The processor holds an address until the response, so the address alone says who answers.
  wire ours_w = awaddr[30], ours_r = araddr[30];
  assign output_read = ours_r && araddr[6:2] == 12;
  wire local_write = awvalid && wvalid && !ours_w && !local_bvalid;
  wire local_read = arvalid && !ours_r && !local_rvalid;
  assign awready = ours_w ? net_awready : local_write;
  assign wready = ours_w ? net_wready : local_write;
  assign bvalid = ours_w ? net_bvalid : local_bvalid;
  assign arready = ours_r ? net_arready : local_read;
  assign rvalid = ours_r ? net_rvalid : local_rvalid;

  picorv32_axi #(.ENABLE_MUL(1), .ENABLE_DIV(1), .ENABLE_IRQ(1), .PROGADDR_IRQ(16),
                 .LATCHED_IRQ(32'hffff_fff7)) cpu ( // line 3 is a level
    .clk(clk), .resetn(!rst), .trap(trap), .irq({28'd0, heard, 3'd0}),
    .mem_axi_awvalid(awvalid), .mem_axi_awready(awready), .mem_axi_awaddr(awaddr),
    .mem_axi_wvalid(wvalid), .mem_axi_wready(wready), .mem_axi_wdata(wdata),
    .mem_axi_wstrb(wstrb), .mem_axi_bvalid(bvalid), .mem_axi_bready(bready),
    .mem_axi_arvalid(arvalid), .mem_axi_arready(arready), .mem_axi_araddr(araddr),
    .mem_axi_rvalid(rvalid), .mem_axi_rready(rready), .mem_axi_rdata(ours_r ? seen : local_data),
    .pcpi_wr(1'b0), .pcpi_rd(32'd0), .pcpi_wait(1'b0), .pcpi_ready(1'b0));

  net accelerator (.aclk(clk), .aresetn(!rst), .irq(irq),
    .s_axi_awaddr(awaddr[6:0]), .s_axi_awprot(3'd0), .s_axi_awvalid(awvalid && ours_w),
    .s_axi_awready(net_awready), .s_axi_wdata(wdata), .s_axi_wstrb(wstrb),
    .s_axi_wvalid(wvalid && ours_w), .s_axi_wready(net_wready), .s_axi_bresp(bresp),
    .s_axi_bvalid(net_bvalid), .s_axi_bready(bready && ours_w),
    .s_axi_araddr(araddr[6:0]), .s_axi_arprot(3'd0), .s_axi_arvalid(arvalid && ours_r),
    .s_axi_arready(net_arready), .s_axi_rdata(accelerator_data), .s_axi_rresp(rresp),
    .s_axi_rvalid(net_rvalid), .s_axi_rready(rready && ours_r));

  always @(posedge clk) begin
    local_bvalid <= !rst && local_write;
    local_rvalid <= !rst && local_read;
    local_data <= memory[araddr[17:2]];
    if (!rst && local_write) store(awaddr, wdata, wstrb);
    if (!rst && bready && ours_w) begin
      write_cycles <= write_cycles + 1;
      writes <= writes + net_bvalid;
      if (net_bvalid && bresp != 0) $fatal(1, "the accelerator refused a write to %h", awaddr);
    end
    if (!rst && rready && ours_r) begin
      read_cycles <= read_cycles + 1;
      reads <= reads + net_rvalid;
      outputs <= outputs + (net_rvalid && output_read);
      if (net_rvalid && rresp != 0) $fatal(1, "the accelerator refused a read of %h", araddr);
    end
  end
`endif
endmodule
