// The books of mode paper, one for each coded channel, and whose turn it is to be encoded. A channel's
// symbols are counted (rtl/histogram.sv), its counts become code lengths (rtl/huffman_builder.sv), and
// these its book, in a code book outside (rtl/huffman_code_book.sv), in three states:
//   Fill   takes lengths as they come (length_beat_o); with the last one the book's build begins
//   Build  waits for done_i
//   Ready  waits until the book's channel is begun to be encoded
// Four slots of books are used in turn. counts_taken_o is high with the last count that the builder
// takes of a channel.
//
// Channels are begun to be encoded in the order of begun_i, in a cycle in which begun_i of it was in an
// earlier cycle, none is being encoded, fewer than two are from here to their last take, and its book
// is Ready, or it is not coded (coded_i tells of the next one, or of the one that is being encoded). From
// the next cycle on it is being encoded (encoding_o), with the book in slot encode_book_o, 0 if it is
// not coded; the cycle of its last symbol, encoded_i, is the last one. A Ready book leaves Fill to the
// next one from the cycle after its channel's begin on.
//
// decode_book_o is the slot of the next coded channel to be decoded or of the one that is, read_book_o
// what that will be in the next cycle; last_take_i is the last take of a channel. restart_i, while
// nothing is inside, makes the slots begin at 0, as the reset does.

`default_nettype none

module edqa_books #(
  /// Bits of a symbol, 1 to 4.
  parameter int SymbolBits = 3,
  /// Bits of a count, for the symbols of the longest channel.
  parameter int CountBits = 13
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  input  logic                  restart_i,
  // Symbols of coded channels
  input  logic                  valid_i,
  input  logic [SymbolBits-1:0] symbol_i,
  input  logic                  last_i,
  output logic                  counts_taken_o,
  // Lengths, and the build
  output logic                  length_beat_o,
  output logic [3:0]            length_o,
  output logic [SymbolBits-1:0] length_symbol_o,
  output logic [1:0]            length_book_o,
  output logic                  build_o,
  input  logic                  done_i,
  // Encoding
  input  logic                  begun_i,
  input  logic                  coded_i,
  input  logic                  encoded_i,
  output logic                  encoding_o,
  output logic [1:0]            encode_book_o,
  // Decoding
  input  logic                  last_take_i,
  input  logic                  take_coded_i,
  output logic [1:0]            decode_book_o,
  output logic [1:0]            read_book_o
);

  localparam int Symbols = 2 ** SymbolBits;

  typedef enum logic [1:0] {Fill, Build, Ready} state_e;
  state_e state_q;

  logic                  histogram_ready, count_valid, count_ready, length_valid, builder_error;
  logic [CountBits-1:0]  count;
  logic [SymbolBits-1:0] count_index_q, fill_q;

  histogram #(.Symbols(Symbols), .CountBits(CountBits)) u_histogram (
    .clk_i,
    .rst_ni,
    .valid_i,
    .symbol_i,
    .last_i,
    .ready_o(histogram_ready),
    .count_valid_o(count_valid),
    .count_o(count),
    .count_ready_i(count_ready)
  );

  huffman_builder #(
    .Symbols(Symbols), .Limit((Symbols > 8) ? 8 : Symbols - 1), .CountBits(CountBits)
  ) u_builder (
    .clk_i,
    .rst_ni,
    .count_valid_i(count_valid),
    .count_i(count),
    .count_ready_o(count_ready),
    .length_valid_o(length_valid),
    .length_o,
    .length_ready_i(state_q == Fill),
    .error_o(builder_error)
  );

  // The book that is made, and the channel that is encoded.
  logic       begin_encode, begin_coded;
  logic [1:0] book_q;
  logic [4:0] waiting_q;  // channels that are begun, and not begun to be encoded
  logic [1:0] encoded_q;  // channels from there to their last take

  assign counts_taken_o = count_valid && count_ready && count_index_q == '1;
  assign length_beat_o = length_valid && state_q == Fill;
  assign length_symbol_o = fill_q;
  assign length_book_o = book_q;
  assign build_o = length_beat_o && fill_q == '1;
  assign begin_encode = waiting_q != '0 && !encoding_o && !encoded_q[1] && (!coded_i || state_q == Ready);
  assign begin_coded = begin_encode && coded_i;
  assign read_book_o = decode_book_o + 2'(last_take_i && take_coded_i);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Fill;
      count_index_q <= '0;
      fill_q <= '0;
      encoding_o <= 1'b0;
      waiting_q <= '0;
      encoded_q <= '0;
    end else begin
      if (build_o) state_q <= Build;
      if (done_i) state_q <= Ready;
      if (begin_coded) state_q <= Fill;
      if (count_valid && count_ready) count_index_q <= count_index_q + 1'b1;
      if (length_beat_o) fill_q <= fill_q + 1'b1;
      encoding_o <= begin_encode || (encoding_o && !encoded_i);
      waiting_q <= waiting_q + 5'(begun_i) - 5'(begin_encode);
      encoded_q <= encoded_q + 2'(begin_encode) - 2'(last_take_i);
    end
    if (!rst_ni || restart_i) begin
      book_q <= '0;
      decode_book_o <= '0;
    end else begin
      if (begin_coded) book_q <= book_q + 1'b1;
      decode_book_o <= read_book_o;
    end
    if (begin_encode) encode_book_o <= coded_i ? book_q : '0;
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!valid_i || histogram_ready) else $error("a symbol is not counted");
      assert (!builder_error) else $error("a channel has no book");
      assert (!last_take_i || encoded_q != '0) else $error("a channel is decoded that was not encoded");
    end
  end
`endif

endmodule

`default_nettype wire
