// One stream of 36-bit words, decoded at one symbol a cycle whatever the codes' lengths. A symbol is
// taken in a cycle with take_i and ready_o and comes in the next; limits_i, bases_i and book_i are
// those of its book in the cycle of the take. end_i says that the stream ends after that cycle's
// take: what is left must be less than a word of zeros, which five cycles drain while the next
// stream's words are taken. After an error every take gives symbol 0, until the reset. A decoder
// that is offered a word every fourth cycle stays ready from its first ready_o to end_i.

`default_nettype none

module huffman_decoder #(
  /// Bits of a symbol, 1 to 8.
  parameter int SymbolBits = 4,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// Bits of a symbol's place in its book's table, 1 to 12.
  parameter int RankBits = SymbolBits,
  /// Entries of all books' tables. Fewer than Books * 2 ** RankBits: no take asks for more.
  parameter int Depth = Books * 2 ** RankBits,
  /// 1: every book in use was built without a fault, so that no other bad code is possible than in
  /// a book of one symbol; smaller. 0: any limits.
  parameter int Complete = 0,
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1,
  localparam int TableBits = RankBits + $clog2(Books)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  // Symbol table, addressed by {book, rank}
  input  logic                    table_we_i,
  input  logic [TableBits-1:0]    table_addr_i,
  input  logic [SymbolBits-1:0]   table_symbol_i,
  // The book in use
  input  logic [71:0]             limits_i,
  input  logic [8*RankBits-1:0]   bases_i,
  input  logic [BookBits-1:0]     book_i,
  // Words
  input  logic                    word_valid_i,
  input  logic [35:0]             word_i,
  input  logic                    word_last_i,
  output logic                    word_ready_o,
  // Symbols
  input  logic                    take_i,
  input  logic                    end_i,
  output logic                    ready_o,
  output logic                    valid_o,
  output logic [SymbolBits-1:0]   symbol_o,
  // Errors, high for one cycle: 1 bad code, 2 stream too short, 3 bits left over
  output logic                    error_o,
  output logic [1:0]              fault_o
);

  if (SymbolBits < 1 || SymbolBits > 8) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_8 u_error ();
  end
  if (Books < 1 || Books > 16 || 2 ** $clog2(Books) != Books) begin : gen_bad_books
    books_must_be_a_power_of_two_from_1_to_16 u_error ();
  end
  if (RankBits < 1 || RankBits > 12) begin : gen_bad_rank_bits
    rank_bits_must_be_1_to_12 u_error ();
  end
  if (Depth < 2 || Depth > Books * 2 ** RankBits) begin : gen_bad_depth
    depth_must_be_2_to_books_times_2_to_rank_bits u_error ();
  end
  if (Complete < 0 || Complete > 1) begin : gen_bad_complete
    complete_must_be_0_or_1 u_error ();
  end

  localparam int DrainCycles = 5;
  localparam logic [1:0] NoFault = 2'd0, BadCode = 2'd1, TooShort = 2'd2, LeftOver = 2'd3;
  // A complete code of n symbols has none of n bits.
  localparam int MaxLength = (Complete != 0 && SymbolBits < 4) ? 2 ** SymbolBits - 1 : 8;

  // A word waits in held, is cut into four chunks in open, and they pass through next to current,
  // where position_q is the first bit that is not yet decoded. A chunk that is not valid is zero.
  logic [35:0] held_q, open_q;
  logic [8:0]  next_q, current_q, chunk;
  logic [1:0]  chunk_q;
  logic [3:0]  position_q, position_next;
  logic        held_valid_q, open_valid_q, next_valid_q, current_valid_q, got_last_q;
  logic        accept, open_load, open_last, next_load, current_load;

  // The next eight bits and the length - 1 of the code at their head; draining goes by eight bits.
  logic [7:0] window;
  logic [2:0] length;
  logic       coded, draining_q;

  huffman_window u_window (
    .bits_i({current_q, next_q}), .position_i(position_q), .window_o(window)
  );

  huffman_length #(.MaxLength(MaxLength), .Complete(Complete)) u_length (
    .window_i(window), .limits_i, .eight_i(draining_q), .length_o(length), .valid_o(coded)
  );

  // position + length + 1, modulo 9: sum is one less, so that its top bit says whether it wraps.
  logic [3:0] sum;
  logic       wrap;

  assign sum = position_q + 4'(length);
  assign wrap = sum[3];
  assign position_next[0] = sum[0] == wrap;
  assign position_next[1] = sum[1] != (!wrap && sum[0]);
  assign position_next[2] = sum[2] != (!wrap && sum[1:0] == 2'd3);
  assign position_next[3] = !wrap && sum[2:0] == 3'd7;

  // Takes and ends.
  logic                   exhausted, live, took, ending, advance, failed;
  logic [DrainCycles-1:0] drain_q;

  assign exhausted = got_last_q && !held_valid_q && !open_valid_q;
  assign live = !draining_q && ((current_valid_q && next_valid_q) || exhausted);
  assign ready_o = failed || live;
  assign took = take_i && live;
  assign ending = end_i && live;
  assign advance = ((took && coded) || draining_q) && wrap;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      draining_q <= 1'b0;
      drain_q <= '0;
    end else begin
      draining_q <= ending || (draining_q && !drain_q[DrainCycles-1]);
      drain_q <= {drain_q[DrainCycles-2:0], ending};
    end
    if (!rst_ni || drain_q[DrainCycles-1]) position_q <= '0;
    else if (took || draining_q) position_q <= position_next;
  end

  // Moves.
  assign chunk = chunk_q[1] ? (chunk_q[0] ? open_q[8:0] : open_q[17:9])
      : (chunk_q[0] ? open_q[26:18] : open_q[35:27]);
  assign current_load = !current_valid_q || advance;
  assign next_load = !next_valid_q || current_load;
  assign open_last = next_load && chunk_q == 2'd3;
  assign open_load = (!open_valid_q || open_last) && held_valid_q && !draining_q;
  assign word_ready_o = !failed && !got_last_q && (!held_valid_q || open_load);
  assign accept = word_valid_i && word_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_valid_q <= 1'b0;
      open_valid_q <= 1'b0;
      next_valid_q <= 1'b0;
      current_valid_q <= 1'b0;
      current_q <= '0;
      chunk_q <= '0;
      got_last_q <= 1'b0;
    end else begin
      if (current_load) begin
        current_valid_q <= next_valid_q;
        current_q <= next_q;
      end
      if (next_load) next_valid_q <= open_valid_q;
      if (next_load && open_valid_q) chunk_q <= chunk_q + 1'b1;
      if (open_load) open_valid_q <= 1'b1;
      else if (open_last) open_valid_q <= 1'b0;
      if (accept) held_valid_q <= 1'b1;
      else if (open_load) held_valid_q <= 1'b0;
      if (ending) got_last_q <= 1'b0;
      else if (accept && word_last_i) got_last_q <= 1'b1;
    end
    if (!rst_ni || (next_load && !open_valid_q)) next_q <= '0;
    else if (next_load) next_q <= chunk;
    if (open_load) open_q <= held_q;
    if (accept) held_q <= word_i;
  end

  // Faults, seen in the cycle after. A failed decoder runs on, but shows nothing of it.
  logic       failed_q, took_q, coded_q, too_short_q, left_over_q, drained_q, rest_q;
  logic [1:0] fault;

  always_ff @(posedge clk_i) begin
    coded_q <= coded;
    too_short_q <= !next_valid_q && (!current_valid_q || (wrap && sum[2:0] != '0));
    rest_q <= window != '0;
    if (!rst_ni) begin
      failed_q <= 1'b0;
      valid_o <= 1'b0;
      took_q <= 1'b0;
      left_over_q <= 1'b0;
      drained_q <= 1'b0;
    end else begin
      failed_q <= failed;
      valid_o <= take_i && ready_o;
      took_q <= took;
      // A valid open word means here that next and current are valid too (asserted below).
      left_over_q <= ending && (!got_last_q || held_valid_q
                                || (open_valid_q && !chunk_q[1] && !(chunk_q[0] && advance)));
      drained_q <= draining_q;
    end
  end

  always_comb begin
    fault = NoFault;
    if (took_q && !coded_q) fault = BadCode;
    else if (took_q && too_short_q) fault = TooShort;
    else if (left_over_q || (drained_q && rest_q)) fault = LeftOver;
  end

  assign failed = failed_q || fault != NoFault;
  assign fault_o = failed_q ? NoFault : fault;
  assign error_o = fault_o != NoFault;

  // A symbol's rank is its code plus its length's base: selected a cycle later, off the loop from
  // position to length to position.
  logic [7:0]              window_q;
  logic [2:0]              length_q, shown;
  logic [8*RankBits-1:0]   bases_q;
  logic [RankBits-1:0]     code, base, rank;
  logic [TableBits-1:0]    table_addr;

  (* ram_style = "distributed" *)
  logic [SymbolBits-1:0] symbols_q [Depth];

  initial for (int i = 0; i < Depth; i++) symbols_q[i] = '0;

  always_ff @(posedge clk_i) begin
    window_q <= window;
    length_q <= length;
    bases_q <= bases_i;
    if (table_we_i) symbols_q[table_addr_i] <= table_symbol_i;
  end

  // The bits that a code's length can have.
  assign shown = length_q & 3'(2 ** $clog2(MaxLength) - 1);
  assign code = RankBits'(12'(window_q) >> (3'd7 - shown));
  assign base = bases_q[RankBits * 32'(shown) +: RankBits];
  assign rank = code + base;

  if (Books > 1) begin : gen_books
    logic [BookBits-1:0] book_q;
    always_ff @(posedge clk_i) book_q <= book_i;
    assign table_addr = {book_q, rank};
  end else begin : gen_book
    logic unused_book;
    assign unused_book = ^book_i;
    assign table_addr = rank;
  end

  assign symbol_o = (took_q && coded_q && !too_short_q && !failed_q) ? symbols_q[table_addr] : '0;

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(ending && open_valid_q) || (next_valid_q && current_valid_q))
          else $error("a stream ends with a hole in front of its open word");
      assert (next_valid_q || next_q == '0) else $error("a chunk that is not valid is not zero");
      assert (current_valid_q || current_q == '0)
          else $error("a chunk that is not valid is not zero");
    end
  end
`endif

endmodule

`default_nettype wire
