// What the benches of the tops share, included in a bench's module, which has InDataBits and OutDataBits
// and connects the nets by these names: clock and reset, and a host at AXI4-Lite and at the input stream
// with stalls of its own. From `running` on no output may be X. Inputs that are not valid are X.

logic clk, rst_n, running;
logic [11:0] awaddr, araddr;
logic [31:0] wdata, rdata;
logic [3:0]  wstrb;
logic [1:0]  bresp, rresp;
logic        awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
logic [InDataBits-1:0]  in_data;
logic [OutDataBits-1:0] out_data;
logic                   in_last, in_valid, in_ready, out_last, out_valid, out_ready;

initial clk = 1'b0;
always #5 clk = !clk;

task automatic demand(input condition, input [8*48-1:0] what);
  if (condition !== 1'b1) begin
    $display("%0s at %0t", what, $time);
    $fatal(1);
  end
endtask

initial begin
  repeat (200000) @(posedge clk);
  demand(1'b0, "no end of the run");
end

// X on an output.
always @(posedge clk) begin
  if (running) begin
    demand(^{awready, wready, bvalid, arready, rvalid, in_ready, out_valid} !== 1'bx, "X on a handshake");
    demand((bvalid && ^bresp === 1'bx) === 1'b0, "X on BRESP");
    demand((rvalid && ^{rdata, rresp} === 1'bx) === 1'b0, "X on the read channel");
    demand((out_valid && ^{out_data, out_last} === 1'bx) === 1'b0, "X on the output stream");
  end
end

// The reset, of one cycle.
task automatic reset;
  {awvalid, wvalid, arvalid, bready, rready, in_valid, running} = '0;
  rst_n <= 1'b0;
  @(posedge clk);
  rst_n <= 1'b1;
  running <= 1'b1;
endtask

// AXI4-Lite.
task automatic strobed_write(input [11:0] address, input [31:0] data, input [3:0] strobe,
                             input [1:0] response);
  logic aw_done, w_done;
  int   aw_gap, w_gap;
  aw_gap = $urandom_range(2);
  w_gap = $urandom_range(2);
  aw_done = 1'b0;
  w_done = 1'b0;
  for (int cycle = 0; !aw_done || !w_done; cycle++) begin
    if (cycle == aw_gap) begin
      awvalid <= 1'b1;
      awaddr <= address;
    end
    if (cycle == w_gap) begin
      wvalid <= 1'b1;
      wdata <= data;
      wstrb <= strobe;
    end
    @(posedge clk);
    if (awvalid && awready) begin
      aw_done = 1'b1;
      awvalid <= 1'b0;
      awaddr <= 'x;
    end
    if (wvalid && wready) begin
      w_done = 1'b1;
      wvalid <= 1'b0;
      wdata <= 'x;
      wstrb <= 'x;
    end
  end
  do begin
    bready <= $urandom_range(1) == 1;
    @(posedge clk);
  end while (!(bvalid && bready));
  bready <= 1'b0;
  if (bresp !== response) begin
    $display("write to %h with strobe %b answers %0d", address, strobe, bresp);
    $fatal(1);
  end
endtask

task automatic write(input [11:0] address, input [31:0] data);
  strobed_write(address, data, 4'b1111, 2'd0);
endtask

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
  demand(rresp === 2'd0, "a read is refused");
  value = rdata;
endtask

task automatic expect_read(input [11:0] address, input [31:0] value);
  logic [31:0] got;
  read(address, got);
  if (got !== value) begin
    $display("read of %h gives %h instead of %h", address, got, value);
    $fatal(1);
  end
endtask

// A write and a read of which all beats are transferred in one cycle.
task automatic write_and_read(input [11:0] to, input [31:0] data, input [11:0] from,
                              input [31:0] value);
  awaddr <= to;
  wdata <= data;
  wstrb <= 4'b1111;
  araddr <= from;
  {awvalid, wvalid, arvalid, bready, rready} <= '1;
  @(posedge clk);
  if (!(awready && wready && arready)) begin
    $display("not ready at rest");
    $fatal(1);
  end
  {awvalid, wvalid, arvalid} <= '0;
  {awaddr, wdata, wstrb, araddr} <= 'x;
  @(posedge clk);
  {bready, rready} <= '0;
  if (!(bvalid && rvalid) || bresp !== 2'd0 || rdata !== value) begin
    $display("read of %h beside a write of %h gives %h instead of %h", from, to, rdata, value);
    $fatal(1);
  end
endtask

// A beat of the input stream.
task automatic send(input [InDataBits-1:0] value, input last);
  in_valid <= 1'b1;
  in_data <= value;
  in_last <= last;
  do @(posedge clk); while (!in_ready);
  in_valid <= 1'b0;
  in_data <= 'x;
  in_last <= 1'bx;
endtask
