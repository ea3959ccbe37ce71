// A queue in block RAM: a word pushed in cycle c is offered from c + 2 on, or from the cycle after
// the word before it is taken; one word per cycle in and out. A word counts until it is taken, and
// nothing is pushed while full_o is high.

`default_nettype none

module symbol_fifo #(
  /// Bits of a word.
  parameter int Width = 4,
  /// Words, a power of two, at least 2.
  parameter int Depth = 8192
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  // Push
  input  logic             push_i,
  input  logic [Width-1:0] data_i,
  output logic             full_o,
  // Words
  output logic             valid_o,
  output logic [Width-1:0] data_o,
  input  logic             ready_i
);

  if (Depth < 2 || 2 ** $clog2(Depth) != Depth) begin : gen_bad_depth
    depth_must_be_a_power_of_two_of_at_least_2 u_error ();
  end

  localparam int AddrBits = $clog2(Depth);

  // One bit more than an address, so that full and empty differ.
  logic [AddrBits:0] write_q, read_q, words_q;
  logic              pop, read;

  assign full_o = words_q[AddrBits];
  assign pop = valid_o && ready_i;
  assign read = write_q != read_q && (!valid_o || ready_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q <= '0;
      words_q <= '0;
      valid_o <= 1'b0;
    end else begin
      if (push_i) write_q <= write_q + 1'b1;
      if (read) read_q <= read_q + 1'b1;
      if (push_i != pop) words_q <= push_i ? words_q + 1'b1 : words_q - 1'b1;
      valid_o <= read || (valid_o && !ready_i);
    end
  end

  weight_bank #(.Width(Width), .Depth(Depth), .Block(Depth > 64 ? 1 : 0)) u_words (
    .clk_i,
    .we_i(push_i),
    .waddr_i(write_q[AddrBits-1:0]),
    .wdata_i(data_i),
    .re_i(read),
    .raddr_i(read_q[AddrBits-1:0]),
    .rdata_o(data_o)
  );

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) assert (!push_i || !full_o) else $error("a word is pushed into a full queue");
  end

  handshake_check #(.Width(Width)) u_check (.clk_i, .rst_ni, .valid_i(valid_o), .ready_i, .data_i(data_o));
`endif

endmodule

`default_nettype wire
