// The codec in 4-state simulation: from a reset of one cycle on no X on any handshake, nor on a
// payload that is offered, while random blocks go through with stalls on both streams; what comes
// out is what went in. Inputs that are not valid are X.

`default_nettype none

module codec_bench;

  parameter int Symbols = 8;

  localparam int Depth = 40, Blocks = 12, Longest = Blocks * Depth;

  logic clk, rst_n, running;
  logic [11:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic [1:0]  bresp, rresp;
  logic        awvalid, awready, wvalid, wready, bvalid, arvalid, arready, rvalid, rready;
  logic [7:0]  in_data, out_data;
  logic        in_last, in_valid, in_ready, out_last, out_valid, out_ready;

  codec #(.Symbols(Symbols), .Limit(8), .Depth(Depth)) u_codec (
    .clk_i(clk),
    .rst_ni(rst_n),
    .s_axil_awaddr_i(awaddr),
    .s_axil_awprot_i(3'bx),
    .s_axil_awvalid_i(awvalid),
    .s_axil_awready_o(awready),
    .s_axil_wdata_i(wdata),
    .s_axil_wstrb_i(4'b1111),
    .s_axil_wvalid_i(wvalid),
    .s_axil_wready_o(wready),
    .s_axil_bresp_o(bresp),
    .s_axil_bvalid_o(bvalid),
    .s_axil_bready_i(1'b1),
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

  initial clk = 1'b0;
  always #5 clk = !clk;

  task automatic fail(input [8*40-1:0] what);
    $display("%0s at %0t", what, $time);
    $fatal(1);
  endtask

  initial begin
    repeat (100000) @(posedge clk);
    fail("no end of the run");
  end

  always @(posedge clk) begin
    if (running) begin
      if (^{awready, wready, bvalid, arready, rvalid, in_ready, out_valid} === 1'bx)
        fail("X on a handshake");
      if ((bvalid && ^bresp === 1'bx) || (rvalid && ^{rdata, rresp} === 1'bx)
          || (out_valid && ^{out_data, out_last} === 1'bx))
        fail("X on a payload");
    end
  end

  task automatic read(input [11:0] address, output [31:0] value);
    araddr <= address;
    arvalid <= 1'b1;
    do @(posedge clk); while (!arready);
    arvalid <= 1'b0;
    araddr <= 'x;
    do begin
      rready <= $urandom_range(1) == 1;
      @(posedge clk);
    end while (!(rvalid && rready));
    rready <= 1'b0;
    if (rresp !== 2'd0) fail("a read is refused");
    value = rdata;
  endtask

  task automatic expect_read(input [11:0] address, input [31:0] value);
    logic [31:0] got;
    read(address, got);
    if (got !== value) fail("a register has another value");
  endtask

  // Blocks of 1 to Depth symbols, small ones more often.
  logic [7:0] symbols [Longest];
  logic       lasts [Longest];
  int         count, taken;

  initial begin
    in_valid = 1'b0;
    wait (running);
    for (int i = 0; i < count; i++) begin
      while ($urandom_range(3) == 0) @(posedge clk);
      in_valid <= 1'b1;
      in_data <= symbols[i];
      in_last <= lasts[i];
      do @(posedge clk); while (!in_ready);
      in_valid <= 1'b0;
      in_data <= 'x;
      in_last <= 1'bx;
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
        if (taken == count || out_data !== symbols[taken] || out_last !== lasts[taken])
          fail("another symbol comes out");
        taken = taken + 1;
      end
    end
  end

  int          length;
  logic [31:0] value;

  initial begin
    {awvalid, wvalid, arvalid, rready, running} = '0;
    count = 0;
    for (int block = 0; block < Blocks; block++) begin
      length = (block == 0) ? Depth : (block == 1) ? 1 : 1 + $urandom_range(Depth - 1);
      for (int i = 0; i < length; i++) begin
        symbols[count] = $urandom_range(Symbols - 1) & ((block % 3 == 0) ? 8'hff : $urandom_range(255));
        lasts[count] = i == length - 1;
        count = count + 1;
      end
    end
    rst_n <= 1'b0;
    @(posedge clk);
    rst_n <= 1'b1;
    running <= 1'b1;
    expect_read(12'h000, 32'h44544331);
    while (taken < count) read(12'h008, value);
    repeat (20) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h00C, Blocks);
    expect_read(12'h010, Symbols);
    read(12'h01C, value);
    for (int k = 0; k < 64; k++) begin
      read(12'h100 + 4 * k, value);
      if (k < Blocks && (value == 0 || value > 8 * Depth)) fail("a block's size is not possible");
    end
    // CONTROL's reset: nothing is inside, and all is as after the other one.
    awaddr <= 12'h004;
    wdata <= 32'd2;
    {awvalid, wvalid} <= 2'b11;
    do @(posedge clk); while (!(awready && wready));
    {awvalid, wvalid} <= '0;
    {awaddr, wdata} <= 'x;
    repeat (4) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h00C, 32'd0);
    $display("passed");
    $finish;
  end

endmodule

`default_nettype wire
