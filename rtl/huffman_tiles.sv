// Tiles of weights out of coded streams: a bank of 36-bit words, its decoders with their code books, and
// two registers of a tile each. begin_i, which counts while ready_o is high, begins a stream of tiles_i
// tiles under book_i, whatever the one before has left: decoder l's w-th word is at address base_i +
// w * Decoders + l, modulo BankDepth. Each decoder gives T = Weights / (SymbolWeights * Decoders) symbols of
// a tile, taken one a cycle without a gap; decoder l's n-th one is the tile's symbol n * Decoders + l. Symbol
// k holds weights k * SymbolWeights and up, the first one in its lowest bits; weight k of a tile is
// tile_o[k * WeightBits +: WeightBits].
//
// A tile gathers in a shadow register; full_o rises 2 cycles after its last take, and copy_i, which counts
// while full_o is high, moves it to tile_o at the end of its cycle. A stream's first take is Decoders + 5
// cycles after its begin_i, a tile's no earlier than in the cycle after copy_i of the tile before; both are
// kept exactly. ready_o is high from the cycle after the last take of a stream's last tile on.
//
// A word that is no code, which only a book of one symbol leaves possible, is an error: error_o is high in the
// cycle after its take, and that decoder gives symbols 0 from then on, until the next stream. Words, lengths
// at {book, symbol}, and builds as in huffman_code_book; a stream's book was built without a fault, and none is
// built while a stream runs. After a reset nothing runs; bank, lengths, books and tile_o stay.

`default_nettype none

module huffman_tiles #(
  /// Weights of a tile, 16 to 2048, a multiple of SymbolWeights * Decoders.
  parameter int Weights = 128,
  /// Bits of a weight: 1, 2, 4 or 8.
  parameter int WeightBits = 4,
  /// Weights of a symbol, a power of two; a symbol has 8 bits at most.
  parameter int SymbolWeights = 2,
  /// 1, 2 or 4.
  parameter int Decoders = 2,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// Words of the bank, 4 to 65536.
  parameter int BankDepth = 2048,
  localparam int SymbolBits = SymbolWeights * WeightBits,
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1,
  localparam int TableBits = SymbolBits + $clog2(Books),
  localparam int AddrBits = $clog2(BankDepth)
) (
  input  logic                          clk_i,
  input  logic                          rst_ni,
  // Words
  input  logic                          we_i,
  input  logic [AddrBits-1:0]           waddr_i,
  input  logic [35:0]                   wdata_i,
  // Code lengths, at {book, symbol}, and builds of books
  input  logic                          length_we_i,
  input  logic [TableBits-1:0]          length_addr_i,
  input  logic [3:0]                    length_i,
  input  logic                          build_start_i,
  input  logic [BookBits-1:0]           build_book_i,
  output logic                          build_done_o,
  output logic [1:0]                    build_fault_o,
  // Streams
  input  logic                          begin_i,
  input  logic [AddrBits-1:0]           base_i,
  input  logic [BookBits-1:0]           book_i,
  input  logic [15:0]                   tiles_i,
  output logic                          ready_o,
  // Tiles
  output logic                          full_o,
  input  logic                          copy_i,
  output logic [Weights*WeightBits-1:0] tile_o,
  // A bad code
  output logic                          error_o
);

  if (WeightBits != 1 && WeightBits != 2 && WeightBits != 4 && WeightBits != 8) begin : gen_bad_weight_bits
    weight_bits_must_be_1_2_4_or_8 u_error ();
  end
  if (2 ** $clog2(SymbolWeights) != SymbolWeights) begin : gen_bad_symbol_weights
    symbol_weights_must_be_a_power_of_two u_error ();
  end
  if (Decoders != 1 && Decoders != 2 && Decoders != 4) begin : gen_bad_decoders
    decoders_must_be_1_2_or_4 u_error ();
  end
  if (Weights < 16 || Weights > 2048 || Weights % (SymbolWeights * Decoders) != 0) begin : gen_bad_weights
    weights_must_be_16_to_2048_and_a_multiple_of_what_a_take_gives u_error ();
  end
  if (BankDepth < 4 || BankDepth > 65536) begin : gen_bad_bank_depth
    bank_depth_must_be_4_to_65536 u_error ();
  end

  localparam int Turns = (Decoders > 2) ? Decoders : 2;
  localparam int TurnBits = $clog2(Turns);
  localparam int Takes = Weights / (SymbolWeights * Decoders);
  localparam int TakeBits = (Takes > 1) ? $clog2(Takes) : 1;
  localparam int TileBits = Weights * WeightBits;
  localparam int SliceBits = SymbolBits * Decoders;

  // Streams. Of a tile the takes go on until it is held; it is full when its last symbols are there, too.
  logic                started_q, busy_q, held_q, take, tile_end;
  logic [15:0]         left_q;
  logic [TakeBits-1:0] taken_q;
  logic [BookBits-1:0] book_q;
  logic [Decoders-1:0] decoder_ready;

  assign ready_o = !busy_q;
  assign take = busy_q && !started_q && !held_q && decoder_ready == '1;
  assign tile_end = take && 32'(taken_q) == Takes - 1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      held_q <= 1'b0;
      full_o <= 1'b0;
      taken_q <= '0;
    end else begin
      if (begin_i) busy_q <= 1'b1;
      else if (tile_end && left_q == 16'd1) busy_q <= 1'b0;
      if (tile_end) held_q <= 1'b1;
      else if (copy_i) held_q <= 1'b0;
      full_o <= held_q && !copy_i;
      if (tile_end) taken_q <= '0;
      else if (take) taken_q <= taken_q + 1'b1;
    end
    started_q <= begin_i;
    if (begin_i) left_q <= tiles_i;
    else if (tile_end) left_q <= left_q - 1'b1;
    if (begin_i) book_q <= book_i;
  end

  // Words: in cycle c that of decoder turn_q is read, in c + 1 it is offered. The first round's are those from
  // the base on, and every decoder, just reset, accepts its one.
  logic [TurnBits-1:0] turn_q, lane_q;
  logic                first_round_q, fetched;
  logic [Turns-1:0]    word_ready;
  logic [AddrBits-1:0] base_q, address, address_q, base_next, address_next;
  logic [35:0]         word;

  (* ram_style = "distributed" *)
  logic [AddrBits-1:0] addresses_q [Turns];

  initial for (int i = 0; i < Turns; i++) addresses_q[i] = '0;

  assign address = first_round_q ? base_q : addresses_q[turn_q];
  assign fetched = word_ready[lane_q];

  if (2 ** AddrBits == BankDepth) begin : gen_natural
    assign base_next = base_q + 1'b1;
    assign address_next = address_q + AddrBits'(Decoders);
  end else begin : gen_modulo
    localparam logic [AddrBits:0] Depth = (AddrBits + 1)'(BankDepth);
    logic [AddrBits:0] sum;
    assign sum = {1'b0, address_q} + (AddrBits + 1)'(Decoders);
    assign base_next = {1'b0, base_q} == Depth - 1'b1 ? '0 : base_q + 1'b1;
    assign address_next = AddrBits'((sum >= Depth) ? sum - Depth : sum);
  end

  always_ff @(posedge clk_i) begin
    if (begin_i || turn_q == TurnBits'(Turns - 1)) turn_q <= '0;
    else turn_q <= turn_q + 1'b1;
    if (begin_i) first_round_q <= 1'b1;
    else if (turn_q == TurnBits'(Turns - 1)) first_round_q <= 1'b0;
    base_q <= begin_i ? base_i : base_next;
    lane_q <= turn_q;
    address_q <= address;
    if (fetched) addresses_q[lane_q] <= address_next;
  end

  weight_bank #(.Width(36), .Depth(BankDepth)) u_words (
    .clk_i, .we_i, .waddr_i, .wdata_i, .re_i(1'b1), .raddr_i(address), .rdata_o(word)
  );

  // Code books.
  logic                    table_valid, table_we;
  logic [BookBits-1:0]     table_book;
  logic [SymbolBits-1:0]   table_symbol, table_rank;
  logic [3:0]              table_length;
  logic [7:0]              unused_code;
  logic [TableBits-1:0]    table_addr;
  logic [71:0]             limits;
  logic [8*SymbolBits-1:0] bases;

  huffman_code_book #(.SymbolBits(SymbolBits), .Books(Books)) u_code_book (
    .clk_i,
    .rst_ni,
    .we_i(length_we_i),
    .waddr_i(length_addr_i),
    .wdata_i(length_i),
    .start_i(build_start_i),
    .book_i(build_book_i),
    .uniform_i(1'b0),
    .last_symbol_i({SymbolBits{1'b1}}),
    .done_o(build_done_o),
    .fault_o(build_fault_o),
    .table_valid_o(table_valid),
    .table_book_o(table_book),
    .table_symbol_o(table_symbol),
    .table_length_o(table_length),
    .table_code_o(unused_code),
    .table_rank_o(table_rank),
    .read_book_i(book_q),
    .limits_o(limits),
    .bases_o(bases)
  );

  assign table_we = table_valid && table_length != '0;
  assign table_addr = TableBits'({table_book, table_rank});

  // Decoders. A stream has no last word: what is read beyond its end is lost when the next one begins.
  logic [Decoders-1:0]  symbols_valid, errors;
  logic [SliceBits-1:0] symbols;

  for (genvar l = 0; l < Turns; l++) begin : gen_turn
    if (l < Decoders) begin : gen_decoder
      logic [1:0] unused_fault;

      huffman_decoder #(.SymbolBits(SymbolBits), .Books(Books), .Complete(1)) u_decoder (
        .clk_i,
        .rst_ni(rst_ni && !started_q),
        .table_we_i(table_we),
        .table_addr_i(table_addr),
        .table_symbol_i(table_symbol),
        .limits_i(limits),
        .bases_i(bases),
        .book_i(book_q),
        .word_valid_i(lane_q == TurnBits'(l)),
        .word_i(word),
        .word_last_i(1'b0),
        .word_ready_o(word_ready[l]),
        .take_i(take),
        .end_i(1'b0),
        .ready_o(decoder_ready[l]),
        .valid_o(symbols_valid[l]),
        .symbol_o(symbols[l*SymbolBits +: SymbolBits]),
        .error_o(errors[l]),
        .fault_o(unused_fault)
      );
    end else begin : gen_no_decoder
      assign word_ready[l] = 1'b0;
    end
  end

  assign error_o = errors != '0;

  // Tiles: symbols shift in from above, all of a cycle's at once.
  logic [TileBits-1:0] shadow_q;

  if (Takes > 1) begin : gen_shift
    always_ff @(posedge clk_i) begin
      if (symbols_valid[0]) shadow_q <= {symbols, shadow_q[TileBits-1:SliceBits]};
    end
  end else begin : gen_load
    always_ff @(posedge clk_i) begin
      if (symbols_valid[0]) shadow_q <= symbols;
    end
  end

  always_ff @(posedge clk_i) begin
    if (copy_i) tile_o <= shadow_q;
  end

`ifndef YOSYS
  logic building_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || build_done_o) building_q <= 1'b0;
    else if (build_start_i) building_q <= 1'b1;
  end

  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!begin_i || !busy_q) else $error("a stream begins before the one before has ended");
      assert (!begin_i || tiles_i != '0) else $error("a stream of no tiles");
      assert (!begin_i || 32'(base_i) < BankDepth) else $error("a stream begins behind the bank");
      assert (!copy_i || full_o) else $error("a tile is copied before it is full");
      assert (taken_q == '0 || take) else $error("a gap in a tile's takes");
      assert (symbols_valid == '0 || symbols_valid == '1) else $error("decoders are out of step");
      assert (!(busy_q || begin_i) || !(building_q || build_start_i))
          else $error("a book is built while a stream runs");
    end
  end
`endif

endmodule

`default_nettype wire
