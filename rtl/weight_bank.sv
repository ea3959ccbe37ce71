// A simple dual port RAM: one write port and one read port, for the weights and every other buffer.
// rdata_o holds the word from ReadLatency cycles after the cycle with re_i until the next read's
// word; a read of the address that is written in the same cycle gives the old word.

`default_nettype none

module weight_bank #(
  /// Bits of a word.
  parameter int Width = 32,
  /// Words; a write beyond them is ignored and a read beyond them gives 0.
  parameter int Depth = 4096,
  /// Cycles from re_i to the word on rdata_o: 1 or 2.
  parameter int ReadLatency = 1,
  /// 1: block RAM, 0: LUT RAM.
  parameter int Block = 1,
  localparam int AddrBits = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  logic                clk_i,
  // Write port
  input  logic                we_i,
  input  logic [AddrBits-1:0] waddr_i,
  input  logic [Width-1:0]    wdata_i,
  // Read port
  input  logic                re_i,
  input  logic [AddrBits-1:0] raddr_i,
  output logic [Width-1:0]    rdata_o
);

  if (ReadLatency != 1 && ReadLatency != 2) begin : gen_bad_latency
    read_latency_must_be_1_or_2 u_error ();
  end

  logic write_in_range, read_in_range;

  if (Depth == 2 ** AddrBits) begin : gen_full
    assign write_in_range = 1'b1;
    assign read_in_range = 1'b1;
  end else begin : gen_partial
    assign write_in_range = 32'(waddr_i) < Depth;
    assign read_in_range = 32'(raddr_i) < Depth;
  end

  logic [Width-1:0] word_q;

  // Only the attribute reads it, and Verilator skips attributes.
  // verilator lint_off UNUSEDPARAM
  localparam RamStyle = (Block != 0) ? "block" : "distributed";
  // verilator lint_on UNUSEDPARAM

  (* ram_style = RamStyle *)
  logic [Width-1:0] memory_q [Depth];

`ifndef YOSYS  // Block RAM powers up as zeros anyhow, and Yosys takes minutes over this loop.
  initial for (int i = 0; i < Depth; i++) memory_q[i] = '0;
`endif

  always_ff @(posedge clk_i) begin
    if (we_i && write_in_range) memory_q[waddr_i] <= wdata_i;
    if (re_i) begin
      if (read_in_range) word_q <= memory_q[raddr_i];
      else word_q <= '0;
    end
  end

  if (ReadLatency == 2) begin : gen_output_register
    logic             re_q;
    logic [Width-1:0] rdata_q;
    always_ff @(posedge clk_i) begin
      re_q <= re_i;
      if (re_q) rdata_q <= word_q;
    end
    assign rdata_o = rdata_q;
  end else begin : gen_direct
    assign rdata_o = word_q;
  end

endmodule

`default_nettype wire
