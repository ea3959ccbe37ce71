// The codec in 4-state simulation: from a reset of one cycle on no X on any handshake, nor on a
// payload that is offered, while random blocks go through with stalls on both streams; what comes
// out is what went in. Inputs that are not valid are X.

`default_nettype none

module codec_bench;

  parameter int Symbols = 8;

  localparam int Depth = 40, Blocks = 12, Longest = Blocks * Depth;

  localparam int InDataBits = 8, OutDataBits = 8;

  `include "host_tasks.svh"

  codec #(.Symbols(Symbols), .Limit(8), .Depth(Depth)) u_codec (
    .clk_i(clk),
    .rst_ni(rst_n),
    .s_axil_awaddr_i(awaddr),
    .s_axil_awprot_i(3'bx),
    .s_axil_awvalid_i(awvalid),
    .s_axil_awready_o(awready),
    .s_axil_wdata_i(wdata),
    .s_axil_wstrb_i(wstrb),
    .s_axil_wvalid_i(wvalid),
    .s_axil_wready_o(wready),
    .s_axil_bresp_o(bresp),
    .s_axil_bvalid_o(bvalid),
    .s_axil_bready_i(bready),
    .s_axil_araddr_i(araddr),
    .s_axil_arprot_i(3'bx),
    .s_axil_arvalid_i(arvalid),
    .s_axil_arready_o(arready),
    .s_axil_rdata_o(rdata),
    .s_axil_rresp_o(rresp),
    .s_axil_rvalid_o(rvalid),
    .s_axil_rready_i(rready),
    .s_axis_tdata_i(in_data),
    .s_axis_tlast_i(in_last),
    .s_axis_tvalid_i(in_valid),
    .s_axis_tready_o(in_ready),
    .m_axis_tdata_o(out_data),
    .m_axis_tlast_o(out_last),
    .m_axis_tvalid_o(out_valid),
    .m_axis_tready_i(out_ready)
  );

  // Blocks of 1 to Depth symbols, small ones more often.
  logic [7:0] symbols [Longest];
  logic       lasts [Longest];
  int         count, taken;

  initial begin
    wait (running);
    for (int i = 0; i < count; i++) begin
      while ($urandom_range(3) == 0) @(posedge clk);
      send(symbols[i], lasts[i]);
    end
  end

  initial begin
    taken = 0;
    out_ready = 1'b0;
    wait (running);
    forever begin
      out_ready <= $urandom_range(2) != 0;
      @(posedge clk);
      if (out_valid && out_ready) begin
        demand(taken < count && out_data === symbols[taken] && out_last === lasts[taken],
               "another symbol comes out");
        taken = taken + 1;
      end
    end
  end

  int          length;
  logic [31:0] value;

  initial begin
    count = 0;
    for (int block = 0; block < Blocks; block++) begin
      length = (block == 0) ? Depth : (block == 1) ? 1 : 1 + $urandom_range(Depth - 1);
      for (int i = 0; i < length; i++) begin
        symbols[count] = $urandom_range(Symbols - 1) & ((block % 3 == 0) ? 8'hff : $urandom_range(255));
        lasts[count] = i == length - 1;
        count = count + 1;
      end
    end
    reset;
    expect_read(12'h000, 32'h44544331);
    while (taken < count) read(12'h008, value);
    repeat (20) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h00C, Blocks);
    expect_read(12'h010, Symbols);
    read(12'h01C, value);
    for (int k = 0; k < 64; k++) begin
      read(12'h100 + 4 * k, value);
      demand(k >= Blocks || (value > 0 && value <= 8 * Depth), "a block's size is not possible");
    end
    // CONTROL's reset: nothing is inside, and all is as after the other one.
    write(12'h004, 32'd2);
    repeat (4) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h00C, 32'd0);
    $display("passed");
    $finish;
  end

endmodule

`default_nettype wire
