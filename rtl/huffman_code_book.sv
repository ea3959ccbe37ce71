// Code books from code lengths alone. Symbols sorted by length, then value, get the codes in that
// order as in RFC 1951, 3.2.2; a symbol's rank is its place in that order. Symbols are 0 to
// last_symbol_i, which stays the same from the cycle after a build's start to its end; others have no
// code, whatever the memory holds. A build of n symbols started in cycle t counts lengths for n
// cycles, sets the eight limits and bases in the next 8, and then gives the table, a symbol a cycle:
// done_o comes in t + 2 * n + 8, or in t + n + 8 with a fault and without a table. start_i counts when
// nothing is being built and in the cycle of done_o.

`default_nettype none

module huffman_code_book #(
  /// Bits of a symbol (D), 1 to 8.
  parameter int SymbolBits = 4,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// Bits of a base, SymbolBits to 8: bases are modulo 2 ** BaseBits.
  parameter int BaseBits = SymbolBits,
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1,
  localparam int AddrBits = SymbolBits + $clog2(Books)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  // Code lengths, addressed by {book, symbol}: 0 (no code), 1 to 8
  input  logic                    we_i,
  input  logic [AddrBits-1:0]     waddr_i,
  input  logic [3:0]              wdata_i,
  // Build, of symbols 0 to last_symbol_i; uniform_i: each has length D, whatever the memory holds
  input  logic                    start_i,
  input  logic [BookBits-1:0]     book_i,
  input  logic                    uniform_i,
  input  logic [SymbolBits-1:0]   last_symbol_i,
  output logic                    done_o,
  output logic [1:0]              fault_o,
  // Table: one entry a cycle, in order of symbols
  output logic                    table_valid_o,
  output logic [BookBits-1:0]     table_book_o,
  output logic [SymbolBits-1:0]   table_symbol_o,
  output logic [3:0]              table_length_o,
  output logic [7:0]              table_code_o,
  output logic [SymbolBits-1:0]   table_rank_o,
  // Decoding constants of a book, one cycle after read_book_i: of each length l, where the codes of
  // up to l bits end among all 8-bit values, and a symbol's rank minus its code
  input  logic [BookBits-1:0]     read_book_i,
  output logic [71:0]             limits_o,
  output logic [8*BaseBits-1:0]   bases_o
);

  if (SymbolBits < 1 || SymbolBits > 8) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_8 u_error ();
  end
  if (Books < 1 || Books > 16 || 2 ** $clog2(Books) != Books) begin : gen_bad_books
    books_must_be_a_power_of_two_from_1_to_16 u_error ();
  end
  if (BaseBits < SymbolBits || BaseBits > 8) begin : gen_bad_base_bits
    base_bits_must_be_symbol_bits_to_8 u_error ();
  end

  localparam int CountBits = SymbolBits + 1;
  localparam int SpaceBits = SymbolBits + 8;
  localparam logic [1:0] NoFault = 2'd0, Empty = 2'd1, Oversubscribed = 2'd2, Incomplete = 2'd3;

  typedef enum logic [1:0] {Idle, Count, Limit, Place} state_e;
  state_e state_q, state_d;

  logic                  started, symbols_end, levels_end, uniform_q;
  logic [BookBits-1:0]   book_q;
  logic [SymbolBits-1:0] symbol_q;
  logic [2:0]            level_q;

  assign started = start_i && (state_q == Idle || done_o);
  assign symbols_end = symbol_q == last_symbol_i;
  assign levels_end = level_q == 3'd7;

  // The symbol's length.
  logic [AddrBits-1:0] address;
  logic [3:0]          length;
  logic                coded;

  (* ram_style = "distributed" *)
  logic [3:0] lengths_q [2 ** AddrBits];

  initial for (int i = 0; i < 2 ** AddrBits; i++) lengths_q[i] = '0;

  always_ff @(posedge clk_i) begin
    if (we_i) lengths_q[waddr_i] <= wdata_i;
  end

  if (Books > 1) begin : gen_address
    assign address = {book_q, symbol_q};
  end else begin : gen_symbol
    assign address = symbol_q;
  end

  assign length = uniform_q ? 4'(SymbolBits) : lengths_q[address];
  assign coded = length != '0 && length <= 4'd8;

  // Of each length, tally_q counts the symbols and then gives their ranks, and codes_q their codes;
  // seen_q says which tallies belong to this build.
  logic [2:0]            slot;
  logic [7:0]            seen_q;
  logic [CountBits-1:0]  tally, level_tally, tally_next, total_q;
  logic [7:0]            code, code_next;
  logic                  update;

  (* ram_style = "distributed" *)
  logic [CountBits-1:0] tally_q [8];
  (* ram_style = "distributed" *)
  logic [7:0] codes_q [8];

  // length - 1, without a carry chain. The level's tally is read on its own, off the way through length.
  assign slot = (state_q == Limit) ? level_q
      : {length[2] != (length[1:0] == '0), length[1] != !length[0], !length[0]};
  assign update = state_q == Limit || (state_q != Idle && coded);
  assign tally = seen_q[slot] ? tally_q[slot] : '0;
  assign level_tally = seen_q[level_q] ? tally_q[level_q] : '0;
  assign code = codes_q[slot];

  // Of the level: how many codes are shorter, the space that those leave in use, and the space in
  // use with this level's codes, both in units of this level's codes.
  logic [SpaceBits-1:0]  space_q, space_before, space;
  logic [CountBits-1:0]  total;
  logic [BaseBits-1:0]   base;

  assign space_before = space_q << 1;
  assign space = space_before + SpaceBits'(level_tally);
  assign total = total_q + level_tally;
  assign base = BaseBits'(total_q) - BaseBits'(space_before);

  assign tally_next = (state_q == Limit) ? total_q : tally + 1'b1;
  assign code_next = (state_q == Limit) ? 8'(space_before) : code + 1'b1;

  always_ff @(posedge clk_i) begin
    if (update) tally_q[slot] <= tally_next;
    if (update) codes_q[slot] <= code_next;
  end

  // Faults, known with the last level: the book is good if that takes all of the space that is left, or
  // if there is one code alone, of one bit. Assigns, because Icarus 11 runs an always_comb of done_o for
  // ever.
  logic                 long_q, alone_q, limits_end, faulty;
  logic [SpaceBits+1:0] left_q;

  assign limits_end = state_q == Limit && levels_end;
  assign faulty = long_q || !((SpaceBits + 2)'(level_tally) == left_q || (alone_q && level_tally == '0));
  assign fault_o = !(limits_end && faulty) ? NoFault
      : (total == '0 && !long_q) ? Empty
      : (long_q || 32'(space) > 256) ? Oversubscribed : Incomplete;
  assign done_o = (limits_end && faulty) || (state_q == Place && symbols_end);

  always_comb begin
    state_d = state_q;
    case (state_q)
      Count: if (symbols_end) state_d = Limit;
      Limit: if (levels_end) state_d = Place;
      default: ;
    endcase
    if (done_o) state_d = Idle;
    if (started) state_d = Count;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= Idle;
    else state_q <= state_d;
  end

  always_ff @(posedge clk_i) begin
    if (started) begin
      book_q <= book_i;
      uniform_q <= uniform_i;
      symbol_q <= '0;
      level_q <= '0;
      seen_q <= '0;
      long_q <= 1'b0;
      space_q <= '0;
      total_q <= '0;
      left_q <= (SpaceBits + 2)'(2);
    end else if (state_q == Limit) begin
      symbol_q <= '0;
      level_q <= level_q + 1'b1;
      space_q <= space;
      total_q <= total;
      left_q <= (left_q - (SpaceBits + 2)'(level_tally)) << 1;
      alone_q <= (level_q == '0) ? level_tally == CountBits'(1) : alone_q && level_tally == '0;
    end else begin
      symbol_q <= symbol_q + 1'b1;
      if (coded) seen_q <= seen_q | (8'd1 << slot);
      if (length > 4'd8) long_q <= 1'b1;
    end
  end

  assign table_valid_o = state_q == Place;
  assign table_book_o = book_q;
  assign table_symbol_o = symbol_q;
  assign table_length_o = length;
  assign table_rank_o = coded ? SymbolBits'(tally_q[slot]) : '0;
  assign table_code_o = coded ? code : '0;

  // Limits and bases: of length l, only the upper l + 1 bits of a limit can be set.
  for (genvar l = 1; l <= 8; l++) begin : gen_length
    localparam int RowBits = l + 1 + BaseBits;

    logic               write;
    logic [RowBits-1:0] row, row_q;

    assign write = state_q == Limit && level_q == 3'(l - 1);
    assign row = {space[l:0], base};

    if (Books > 1) begin : gen_rows
      (* ram_style = "distributed" *)
      logic [RowBits-1:0] rows_q [Books];

      always_ff @(posedge clk_i) begin
        if (write) rows_q[book_q] <= row;
        row_q <= rows_q[read_book_i];
      end
    end else begin : gen_row
      logic [RowBits-1:0] only_q;

      always_ff @(posedge clk_i) begin
        if (write) only_q <= row;
        row_q <= only_q;
      end
    end

    assign limits_o[9*(l-1) +: 9] = 9'(row_q[RowBits-1:BaseBits]) << (8 - l);
    assign bases_o[BaseBits*(l-1) +: BaseBits] = row_q[BaseBits-1:0];
  end

  if (Books == 1) begin : gen_only_book
    logic unused_read_book;
    assign unused_read_book = ^read_book_i;
  end

endmodule

`default_nettype wire
