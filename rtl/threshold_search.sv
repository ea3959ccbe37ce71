// How many of a channel's 2^Bits - 1 ascending thresholds a sum reaches, by binary search: a sum a cycle, its
// count exactly 2 * Bits cycles later. The thresholds of a word are a tree in heap order: node 1 is the middle
// one, the children of node h are 2h, which is below it, and 2h + 1. So a search begins with h = 1, goes on to
// h = 2h + (v >= threshold h) Bits times, and count_o = h - 2^Bits; of thresholds that do not ascend, too.
//
// Level i of the trees, 2^i nodes of each word, is a RAM of its own; it is read in the cycle 2i after the sum's,
// and a write in that cycle comes after it. A write of node 0, or of a word that is not there, does nothing, and
// such a word reads as zeros. Thresholds begin as zeros. A reset drops what is inside, and leaves them.

`default_nettype none

module threshold_search #(
  /// Of a count, 1 to 4.
  parameter int Bits = 2,
  /// Of a sum and of a threshold, signed, 12 to 32.
  parameter int SumBits = 25,
  /// Words: the thresholds of one channel each.
  parameter int Depth = 512,
  /// 1: block RAM, 0: LUT-RAM.
  parameter int Block = 1,
  localparam int WordBits = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Thresholds
  input  logic                       we_i,
  input  logic [WordBits-1:0]        word_i,
  input  logic [Bits-1:0]            index_i,
  input  logic [SumBits-1:0]         data_i,
  // Sums
  input  logic                       valid_i,
  input  logic [WordBits-1:0]        address_i,
  input  logic signed [SumBits-1:0]  v_i,
  // Counts
  output logic                       valid_o,
  output logic [Bits-1:0]            count_o
);

  localparam int Latency = 2 * Bits;

  if (Bits < 1 || Bits > 4) begin : gen_bad_bits
    bits_must_be_1_to_4 u_error ();
  end
  if (SumBits < 12 || SumBits > 32) begin : gen_bad_sum_bits
    sum_bits_must_be_12_to_32 u_error ();
  end
  if (Depth < 2) begin : gen_bad_depth
    depth_must_be_2_at_least u_error ();
  end

  logic [Latency-1:0] valid_q;

  always_ff @(posedge clk_i) valid_q <= rst_ni ? Latency'({valid_q, valid_i}) : '0;
  assign valid_o = valid_q[Latency-1];

  for (genvar i = 0; i < Bits; i++) begin : gen_level
    localparam int Words = Depth * 2 ** i;

    // In its first cycle the node is read, whose number behind its uppermost 1 is the path; in the second one it
    // is compared.
    logic [WordBits-1:0]       word, word_q;
    logic signed [SumBits-1:0] v, v_q;
    logic [WordBits+i-1:0]     read_address, write_address;
    logic [SumBits-1:0]        threshold;
    logic                      reached;
    logic [i:0]                path;

    if (i == 0) begin : gen_root
      assign word = address_i;
      assign v = v_i;
      assign read_address = word;
      assign write_address = word_i;
      assign path = reached;
    end else begin : gen_node
      logic [WordBits-1:0]       behind_word_q;
      logic signed [SumBits-1:0] behind_v_q;
      logic [i-1:0]              behind_path_q, path_q;

      always_ff @(posedge clk_i) begin
        behind_word_q <= gen_level[i-1].word_q;
        behind_v_q <= gen_level[i-1].v_q;
        behind_path_q <= gen_level[i-1].path;
        path_q <= behind_path_q;
      end
      assign word = behind_word_q;
      assign v = behind_v_q;
      assign read_address = {word, behind_path_q};
      assign write_address = {word_i, index_i[i-1:0]};
      assign path = {path_q, reached};
    end

    weight_bank #(.Width(SumBits), .Depth(Words), .ReadLatency(1), .Block(Block)) u_thresholds (
      .clk_i,
      .we_i(we_i && (32'(index_i) >> i) == 1),
      .waddr_i(write_address),
      .wdata_i(data_i),
      .re_i(1'b1),
      .raddr_i(read_address),
      .rdata_o(threshold)
    );

    always_ff @(posedge clk_i) begin
      word_q <= word;
      v_q <= v;
    end
    assign reached = v_q >= $signed(threshold);

    if (i == Bits - 1) begin : gen_last
      logic [Bits-1:0] count_q;
      logic            unused;

      always_ff @(posedge clk_i) count_q <= path;
      assign count_o = count_q;
      assign unused = ^word_q;
    end
  end

endmodule

`default_nettype wire
