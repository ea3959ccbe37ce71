// The weights of sweeps: coded tiles (rtl/huffman_tiles.sv), their words and code lengths out of the array's
// loads, and tiles as planes. Words have 36 bits, in two pieces, the low 32 first; lengths are at book, symbol,
// a piece each; what does not exist is not written.
//
// start_i in cycle w drops streams and tiles, and builds all books, one behind the other: book b is built from
// w + 1 + b * (2n + 9) on, n the symbols. built_o comes with the last one's end, in w + Books * (2n + 9);
// instead fault_o with that of the first faulty one, n cycles sooner, and then nothing more is built.
//
// Weight k of a tile is of output k / C, channel k mod C, C channels a window; bit u of it, for all bits of the
// channel's activation, is plane u. Streams and tiles as in huffman_tiles: weights_o change a cycle behind copy_i.

`default_nettype none

module sweep_weights #(
  /// P, outputs per tile; S, bytes of a window.
  parameter int Outputs = 8,
  parameter int Channels = 8,
  /// Width of channels: bit c: 8 >> c bits.
  parameter int Widths = 2,
  /// U, bits of a weight: 1, 2, 4 or 8.
  parameter int Planes = 4,
  /// 1, 2 or 4.
  parameter int Decoders = 2,
  /// Weights of a symbol, a power of two.
  parameter int SymbolWeights = 2,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// Words of 36 bits, 4 to 65535.
  parameter int Depth = 2048
) (
  input  logic                                 clk_i,
  input  logic                                 rst_ni,
  input  logic                                 start_i,
  output logic                                 built_o,
  output logic                                 fault_o,
  // Loads
  input  logic                                 words_we_i,
  input  logic                                 lengths_we_i,
  input  logic [15:0]                          word_i,
  input  logic [11:0]                          piece_i,
  input  logic [31:0]                          data_i,
  // Streams
  input  logic                                 begin_i,
  input  logic [15:0]                          base_i,
  input  logic [3:0]                           book_i,
  input  logic [15:0]                          tiles_i,
  output logic                                 ready_o,
  // Tiles
  output logic                                 full_o,
  input  logic                                 copy_i,
  output logic [8*Outputs*Planes*Channels-1:0] weights_o,
  // A bad code
  output logic                                 error_o
);

  localparam int Code = $clog2(Widths);
  localparam int Bits = 8 >> Code;  // of a channel
  localparam int Fields = Channels << Code;
  localparam int Weights = Outputs * Fields;
  localparam int SymbolBits = SymbolWeights * Planes;
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1;
  localparam int LengthBits = SymbolBits + $clog2(Books);
  localparam int AddrBits = $clog2(Depth);
  localparam logic [1:0] NoFault = 2'd0;

  if (Books < 1 || Books > 16 || 2 ** $clog2(Books) != Books) begin : gen_bad_books
    books_must_be_a_power_of_two_of_1_to_16 u_error ();
  end

  // Books.
  logic                builds_q, done;
  logic [1:0]          fault;
  logic [BookBits-1:0] book_q;
  logic                last_book;

  assign last_book = 32'(book_q) == Books - 1;
  assign built_o = done && fault == NoFault && last_book && !start_i;
  assign fault_o = done && fault != NoFault && !start_i;

  always_ff @(posedge clk_i) begin
    builds_q <= rst_ni && (start_i || (done && fault == NoFault && !last_book));
    if (start_i) book_q <= '0;
    else if (done) book_q <= book_q + 1'b1;
  end

  // Words.
  logic [31:0] low_piece_q;

  always_ff @(posedge clk_i) begin
    if (words_we_i) low_piece_q <= data_i;
  end

  logic [Weights*Planes-1:0] tile;

  huffman_tiles #(
    .Weights(Weights),
    .WeightBits(Planes),
    .SymbolWeights(SymbolWeights),
    .Decoders(Decoders),
    .Books(Books),
    .BankDepth(Depth)
  ) u_tiles (
    .clk_i,
    .rst_ni(rst_ni && !start_i),
    .we_i(words_we_i && piece_i == 12'd1 && 32'(word_i) < Depth),
    .waddr_i(AddrBits'(word_i)),
    .wdata_i({data_i[3:0], low_piece_q}),
    .length_we_i(lengths_we_i && 32'(word_i) < 2 ** LengthBits),
    .length_addr_i(LengthBits'(word_i)),
    .length_i(data_i[3:0]),
    .build_start_i(builds_q),
    .build_book_i(book_q),
    .build_done_o(done),
    .build_fault_o(fault),
    .begin_i,
    .base_i(AddrBits'(base_i)),
    .book_i(BookBits'(book_i)),
    .tiles_i,
    .ready_o,
    .full_o,
    .copy_i,
    .tile_o(tile),
    .error_o
  );

  for (genvar p = 0; p < Outputs; p++) begin : gen_output
    for (genvar u = 0; u < Planes; u++) begin : gen_plane
      for (genvar c = 0; c < Fields; c++) begin : gen_channel
        assign weights_o[8*Channels*(Planes*p+u) + Bits*c +: Bits] = {Bits{tile[Planes*(Fields*p+c)+u]}};
      end
    end
  end

  logic unused;
  assign unused = ^{word_i, base_i, book_i};

endmodule

`default_nettype wire
