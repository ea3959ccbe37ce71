// A simple dual port RAM: one write port and one read port, for the weights and every other buffer.
// rdata_o holds the word from ReadLatency cycles after the cycle with re_i until the next read's
// word; a read of the address that is written in the same cycle gives the old word. Block RAM comes
// by 512 words: up to 32 words more than a multiple of that lie in LUT RAM behind it.

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

  // Words in LUT RAM behind a block RAM.
  localparam int Tail = (Block != 0 && Depth > 512 && Depth % 512 <= 32) ? Depth % 512 : 0;
  localparam int Main = Depth - Tail;
  localparam int MainBits = (Main > 1) ? $clog2(Main) : 1;

  logic [Width-1:0] word_q, word;
  logic             write_main, read_main;

  // Only the attribute reads it, and Verilator skips attributes.
  // verilator lint_off UNUSEDPARAM
  localparam RamStyle = (Block != 0) ? "block" : "distributed";
  // verilator lint_on UNUSEDPARAM

  (* ram_style = RamStyle *)
  logic [Width-1:0] memory_q [Main];

`ifndef YOSYS  // Block RAM powers up as zeros anyhow, and Yosys takes minutes over this loop.
  initial for (int i = 0; i < Main; i++) memory_q[i] = '0;
`endif

  always_ff @(posedge clk_i) begin
    if (we_i && write_main) memory_q[MainBits'(waddr_i)] <= wdata_i;
    if (re_i) begin
      if (read_main) word_q <= memory_q[MainBits'(raddr_i)];
      else word_q <= '0;
    end
  end

  if (Tail == 0) begin : gen_no_tail
    assign write_main = write_in_range;
    assign read_main = read_in_range;
    assign word = word_q;
  end else begin : gen_tail
    (* ram_style = "distributed" *)
    logic [Width-1:0] tail_q [32];
    logic [Width-1:0] tail_word_q;
    logic             in_tail_q, in_range_q;

`ifndef YOSYS
    initial for (int i = 0; i < 32; i++) tail_q[i] = '0;
`endif

    assign write_main = 32'(waddr_i) < Main;
    assign read_main = 1'b1;
    assign word = !in_tail_q ? word_q : in_range_q ? tail_word_q : '0;

    always_ff @(posedge clk_i) begin
      if (we_i && !write_main && write_in_range) tail_q[waddr_i[4:0]] <= wdata_i;
      if (re_i) begin
        in_tail_q <= 32'(raddr_i) >= Main;
        in_range_q <= read_in_range;
        tail_word_q <= tail_q[raddr_i[4:0]];
      end
    end
  end

  if (ReadLatency == 2) begin : gen_output_register
    logic             re_q;
    logic [Width-1:0] rdata_q;
    always_ff @(posedge clk_i) begin
      re_q <= re_i;
      if (re_q) rdata_q <= word;
    end
    assign rdata_o = rdata_q;
  end else begin : gen_direct
    assign rdata_o = word;
  end

endmodule

`default_nettype wire
