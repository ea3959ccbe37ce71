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
  /// Longest code in any of the books, 1 to 8.
  parameter int MaxLength = 8,
  localparam int BookBits = (Books > 1) ? $clog2(Books) : 1,
  localparam int TableBits = SymbolBits + $clog2(Books)
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,
  // Symbol table, addressed by {book, rank}
  input  logic                    table_we_i,
  input  logic [TableBits-1:0]    table_addr_i,
  input  logic [SymbolBits-1:0]   table_symbol_i,
  // The book in use
  input  logic [71:0]             limits_i,
  input  logic [8*SymbolBits-1:0] bases_i,
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
  // Errors: high for one cycle
  output logic                    error_o,
  output logic [1:0]              fault_o
);

  if (SymbolBits < 1 || SymbolBits > 8) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_8 u_error ();
  end
  if (Books < 1 || Books > 16 || 2 ** $clog2(Books) != Books) begin : gen_bad_books
    books_must_be_a_power_of_two_from_1_to_16 u_error ();
  end
  if (MaxLength < 1 || MaxLength > 8) begin : gen_bad_max_length
    max_length_must_be_1_to_8 u_error ();
  end

  localparam int DrainCycles = 5;
  localparam logic [1:0] NoFault = 2'd0, BadCode = 2'd1, TooShort = 2'd2, LeftOver = 2'd3;

  // A word waits in held, is cut into four chunks in open, and they pass through next to current,
  // where position_q is the first bit that is not yet decoded. A chunk that is not valid is zero.
  logic [35:0] held_q, open_q;
  logic [8:0]  next_q, current_q, chunk;
  logic [1:0]  chunk_q;
  logic [3:0]  position_q, position_next;
  logic        held_valid_q, open_valid_q, next_valid_q, current_valid_q, got_last_q, failed_q;
  logic        draining_q;
  logic        accept, open_load, next_load, current_load, open_last;

  // The next eight bits, by steps of four and then of one.
  logic [10:0] coarse;
  logic [7:0]  window;

  assign coarse = position_q[3] ? {current_q[0], next_q, 1'b0}
      : position_q[2] ? {current_q[4:0], next_q[8:3]} : {current_q, next_q[8:7]};
  assign window = position_q[1] ? (position_q[0] ? coarse[7:0] : coarse[8:1])
      : (position_q[0] ? coarse[9:2] : coarse[10:3]);

  // below[l]: the window's code has l bits or fewer. Only a limit's upper l + 1 bits can be set;
  // bit by bit, because a carry chain would cost twice the LUTs.
  logic [8:1] below;
  logic       less;

  always_comb begin
    less = 1'b0;
    for (int l = 1; l <= 8; l++) begin
      less = 1'b0;
      for (int b = 0; b < 8; b++) begin
        if (b >= 8 - l && window[b] != limits_i[9 * (l - 1) + b])
          less = limits_i[9 * (l - 1) + b];
      end
      below[l] = l > MaxLength || less || limits_i[9 * (l - 1) + 8];
    end
  end

  // The code's length - 1; limits never fall, so that below is a thermometer. Draining goes by 8.
  logic [2:0] length;
  logic       good, wrap;

  assign good = below[MaxLength];
  assign length[2] = draining_q || !below[4];
  assign length[1] = draining_q || !(below[4] ? below[2] : below[6]);
  assign length[0] = draining_q || !(below[4] ? (below[2] ? below[1] : below[3])
                                              : (below[6] ? below[5] : below[7]));

  // position + length + 1, modulo 9: sum is one less, so that its top bit says whether it wraps.
  logic [3:0] sum;

  assign sum = position_q + 4'(length);
  assign wrap = sum[3];
  assign position_next[0] = sum[0] == wrap;
  assign position_next[1] = sum[1] != (!wrap && sum[0]);
  assign position_next[2] = sum[2] != (!wrap && sum[1:0] == 2'd3);
  assign position_next[3] = !wrap && sum[2:0] == 3'd7;

  // Takes and faults.
  logic       exhausted, live, took, consume, advance, too_short, left_over, ending;
  logic [1:0] fault;
  logic [DrainCycles-1:0] drain_q;

  assign exhausted = got_last_q && !held_valid_q && !open_valid_q;
  assign live = !failed_q && !draining_q && ((current_valid_q && next_valid_q) || exhausted);
  assign ready_o = failed_q || live;
  assign took = take_i && live;
  assign consume = (took && good) || draining_q;
  assign advance = consume && wrap;
  assign too_short = !next_valid_q && (!current_valid_q || (wrap && sum[2:0] != '0));
  // An open word here means that current and next are valid too.
  assign left_over = !got_last_q || held_valid_q
      || (open_valid_q && !chunk_q[1] && !(chunk_q[0] && advance));
  assign ending = end_i && live;

  always_comb begin
    fault = NoFault;
    if (took && !good) fault = BadCode;
    else if (took && too_short) fault = TooShort;
    else if (ending && left_over) fault = LeftOver;
    else if (draining_q && !failed_q && window != '0) fault = LeftOver;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      failed_q <= 1'b0;
      fault_o <= NoFault;
      draining_q <= 1'b0;
      drain_q <= '0;
    end else begin
      if (fault != NoFault) failed_q <= 1'b1;
      fault_o <= fault;
      if (ending) draining_q <= 1'b1;
      else if (drain_q[DrainCycles-1]) draining_q <= 1'b0;
      drain_q <= {drain_q[DrainCycles-2:0], ending};
    end
  end

  assign error_o = fault_o != NoFault;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || drain_q[DrainCycles-1]) position_q <= '0;
    else if (consume) position_q <= position_next;
  end

  // Moves.
  assign chunk = chunk_q[1] ? (chunk_q[0] ? open_q[8:0] : open_q[17:9])
      : (chunk_q[0] ? open_q[26:18] : open_q[35:27]);
  assign current_load = !current_valid_q || advance;
  assign next_load = !next_valid_q || current_load;
  assign open_last = next_load && chunk_q == 2'd3;
  assign open_load = (!open_valid_q || open_last) && held_valid_q && !draining_q;
  assign word_ready_o = !failed_q && !got_last_q && (!held_valid_q || open_load);
  assign accept = word_valid_i && word_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_valid_q <= 1'b0;
      open_valid_q <= 1'b0;
      next_valid_q <= 1'b0;
      current_valid_q <= 1'b0;
      next_q <= '0;
      current_q <= '0;
      chunk_q <= '0;
      got_last_q <= 1'b0;
    end else begin
      if (current_load) begin
        current_valid_q <= next_valid_q;
        current_q <= next_q;
      end
      if (next_load) begin
        next_valid_q <= open_valid_q;
        next_q <= open_valid_q ? chunk : '0;
        if (open_valid_q) chunk_q <= chunk_q + 1'b1;
      end
      if (open_load) open_valid_q <= 1'b1;
      else if (open_last) open_valid_q <= 1'b0;
      if (accept) held_valid_q <= 1'b1;
      else if (open_load) held_valid_q <= 1'b0;
      if (ending) got_last_q <= 1'b0;
      else if (accept && word_last_i) got_last_q <= 1'b1;
    end
    if (open_load) open_q <= held_q;
    if (accept) held_q <= word_i;
  end

  // A symbol's rank is its code plus its length's base: selected a cycle later, off the loop from
  // position to length to position.
  logic [7:0]              window_q;
  logic [2:0]              length_q;
  logic [8*SymbolBits-1:0] bases_q;
  logic [SymbolBits-1:0]   code, base, rank;
  logic                    show_q;

  always_ff @(posedge clk_i) begin
    window_q <= window;
    length_q <= length;
    bases_q <= bases_i;
    if (!rst_ni) begin
      valid_o <= 1'b0;
      show_q <= 1'b0;
    end else begin
      valid_o <= take_i && ready_o;
      show_q <= took && good && !too_short;
    end
  end

  assign code = SymbolBits'(window_q >> (3'd7 - length_q));
  assign base = bases_q[SymbolBits * 32'(length_q) +: SymbolBits];
  assign rank = code + base;

  // Symbol table.
  logic [TableBits-1:0] table_addr;

  (* ram_style = "distributed" *)
  logic [SymbolBits-1:0] symbols_q [2 ** TableBits];

  initial for (int i = 0; i < 2 ** TableBits; i++) symbols_q[i] = '0;

  if (Books > 1) begin : gen_books
    logic [BookBits-1:0] book_q;
    always_ff @(posedge clk_i) book_q <= book_i;
    assign table_addr = {book_q, rank};
  end else begin : gen_book
    logic unused_book;
    assign unused_book = ^book_i;
    assign table_addr = rank;
  end

  always_ff @(posedge clk_i) begin
    if (table_we_i) symbols_q[table_addr_i] <= table_symbol_i;
  end

  assign symbol_o = show_q ? symbols_q[table_addr] : '0;

  logic unused_limits;
  assign unused_limits = ^limits_i;

endmodule

`default_nettype wire
