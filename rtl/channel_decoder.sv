// Coded channels, one behind another without a pause, at one symbol per cycle whatever the codes'
// lengths. A channel begins at a word and takes as many words as its codes need, at least one, padded
// with zeros; word_last_i comes with its last word. A symbol is taken in a cycle with take_i and
// ready_o and comes in the next; limits_i, bases_i, book_i and direct_i are those of the take's cycle.
// direct_i is for a channel without codes, which is one word of zeros: its takes use no bits and give
// symbol 0; the takes of a channel are all direct or none is. end_i, which counts only with a take,
// says that this is the channel's last symbol: what is left of its last word is dropped.
//
// When things move; a word is accepted in a cycle with word_valid_i and word_ready_o.
//   - A word accepted in cycle w waits in held from w + 1 on. word_ready_o is high while held is
//     empty and in the cycle in which its word moves on. It depends on take_i and end_i.
//   - A channel begins in the cycle b in which its first word moves on: that of the end before, or
//     w + 1, whichever is later. Its first symbol can be taken in b + 1.
//   - A word is four chunks of 9 bits; two chunks stand before the decoder, current and next. At b
//     the first one becomes current; the others are open, and each in turn becomes next, the second
//     one in cycle b + 1, every other in the cycle in which its predecessor becomes current, or later:
//     in the cycle after its word is opened. Next becomes current in the cycle of the take that uses
//     up current.
//   - A channel's next word is opened in the cycle in which the last chunk of the one before becomes
//     next, or, if it is not in held by then, in w + 1.
//   - ready_o is high when next is there or there is no more chunk, and in b + 1.
// So words of one symbol each that come at one per cycle are decoded at one channel per cycle, and
// ready_o never falls inside a channel whose second word is offered within three cycles of the first
// and every other within four of the one before. An empty decoder, or one that waits for a channel's
// next word, shows ready_o two (three) cycles after the word is accepted. The first word of the next
// channel is accepted before the end of this one, any other after it.
//
// Faults, high for one cycle, the one after the take: 1, the next bits are no code; 2, the code goes
// beyond the channel's last word (what follows it is decoded as zeros); 3, with end_i: the codes ended
// in a word that is not the channel's last one, or something that is left of it is not zero. A take
// with fault 1 or 2 gives symbol 0. From the fault's cycle on ready_o is high, every take gives symbol
// 0, and no word is accepted, until the reset.

`default_nettype none

module channel_decoder #(
  /// Bits of a symbol, 1 to 8.
  parameter int SymbolBits = 4,
  /// Code books, a power of two, at most 16.
  parameter int Books = 1,
  /// 1: every book in use was built without a fault, so that no other bad code is possible than in
  /// a book of one symbol; smaller. 0: any limits.
  parameter int Complete = 0,
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
  input  logic                    direct_i,
  input  logic                    end_i,
  output logic                    ready_o,
  output logic                    valid_o,
  output logic [SymbolBits-1:0]   symbol_o,
  // Faults, high for one cycle: 1 bad code, 2 stream too short, 3 bits left over
  output logic                    error_o,
  output logic [1:0]              fault_o
);

  if (SymbolBits < 1 || SymbolBits > 8) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_8 u_error ();
  end
  if (Books < 1 || Books > 16 || 2 ** $clog2(Books) != Books) begin : gen_bad_books
    books_must_be_a_power_of_two_from_1_to_16 u_error ();
  end
  if (Complete < 0 || Complete > 1) begin : gen_bad_complete
    complete_must_be_0_or_1 u_error ();
  end

  localparam logic [1:0] NoFault = 2'd0, BadCode = 2'd1, TooShort = 2'd2, LeftOver = 2'd3;
  // A complete code of n symbols has none of n bits.
  localparam int MaxLength = (Complete != 0 && SymbolBits < 4) ? 2 ** SymbolBits - 1 : 8;

  // position_q is the first bit of current that is not yet decoded; chunk_q the chunk of open that
  // becomes next. Of a channel, next_q is zero while it is not valid, and current_q too.
  logic [35:0] held_q, open_q;
  logic [8:0]  next_q, current_q, chunk;
  logic [1:0]  chunk_q;
  logic [3:0]  position_q, position_next;
  logic        held_valid_q, held_last_q, open_valid_q, next_valid_q, current_valid_q;
  logic        got_last_q;  // the channel's last word was opened
  logic        failed;

  // The loop: the next eight bits, the length - 1 of the code at their head, and
  // position + length + 1, modulo 9: sum is one less, so that its top bit says whether it wraps. Bit
  // by bit: a carry chain would be slower here.
  logic [7:0] window;
  logic [2:0] length;
  logic [3:0] sum;
  logic       coded, wrap, crosses, carry_1, carry_2, carry_3;

  huffman_window u_window (
    .bits_i({current_q, next_q}), .position_i(position_q), .window_o(window)
  );

  huffman_length #(.MaxLength(MaxLength), .Complete(Complete)) u_length (
    .window_i(window), .limits_i, .eight_i(1'b0), .length_o(length), .valid_o(coded)
  );

  assign carry_1 = position_q[0] && length[0];
  assign carry_2 = (position_q[1] && length[1]) || ((position_q[1] || length[1]) && carry_1);
  assign carry_3 = (position_q[2] && length[2]) || ((position_q[2] || length[2]) && carry_2);
  assign sum = {position_q[3], position_q[2:0] ^ length} ^ {carry_3, carry_2, carry_1, 1'b0};
  assign wrap = sum[3];
  assign crosses = wrap && sum[2:0] != '0;
  assign position_next[0] = sum[0] == wrap;
  assign position_next[1] = sum[1] != (!wrap && sum[0]);
  assign position_next[2] = sum[2] != (!wrap && sum[1:0] == 2'd3);
  assign position_next[3] = !wrap && sum[2:0] == 3'd7;

  // Takes and ends. Only at a channel's first take is the second chunk open and next empty.
  logic live, took, decodes, ending, advance;

  assign live = next_valid_q || (open_valid_q ? chunk_q[0] : got_last_q);
  assign ready_o = failed || live;
  assign took = take_i && live;
  assign decodes = took && !direct_i;
  assign ending = took && end_i;
  assign advance = decodes && coded && wrap;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || ending) position_q <= '0;
    else if (decodes) position_q <= position_next;
  end

  // Moves.
  logic accept, held_moves, begins, next_load, open_last;

  assign chunk = chunk_q[1] ? (chunk_q[0] ? open_q[8:0] : open_q[17:9])
      : (chunk_q[0] ? open_q[26:18] : open_q[35:27]);
  assign next_load = !next_valid_q || advance;
  assign open_last = next_load && chunk_q == 2'd3;
  assign held_moves = ending || (!got_last_q && (!open_valid_q || open_last));
  assign begins = held_valid_q && (ending || (!got_last_q && !current_valid_q));
  assign word_ready_o = !failed && (!held_valid_q || held_moves);
  assign accept = word_valid_i && word_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_valid_q <= 1'b0;
      open_valid_q <= 1'b0;
      next_valid_q <= 1'b0;
      current_valid_q <= 1'b0;
      got_last_q <= 1'b0;
    end else begin
      if (accept) held_valid_q <= 1'b1;
      else if (held_moves) held_valid_q <= 1'b0;
      if (held_valid_q && held_moves) begin
        open_valid_q <= 1'b1;
        got_last_q <= held_last_q;
      end else if (ending || open_last) begin
        open_valid_q <= 1'b0;
        if (ending) got_last_q <= 1'b0;
      end
      if (ending) next_valid_q <= 1'b0;
      else if (next_load) next_valid_q <= open_valid_q;
      if (begins || ending) current_valid_q <= begins;
      else if (advance) current_valid_q <= next_valid_q;
    end
    if (begins) chunk_q <= 2'd1;
    else if (next_load && open_valid_q) chunk_q <= chunk_q + 1'b1;
    if (ending || (next_load && !open_valid_q)) next_q <= '0;
    else if (next_load) next_q <= chunk;
    if (begins || advance) current_q <= begins ? held_q[35:27] : next_q;
    if (held_valid_q && held_moves) open_q <= held_q;
    if (accept) begin
      held_q <= word_i;
      held_last_q <= word_last_i;
    end
  end

  // Faults, seen in the cycle after. A failed decoder runs on, but shows nothing of it.
  logic       failed_q, decodes_q, ending_q, coded_q, too_short_q, left_over_q, more_words, more_bits;
  logic [1:0] fault;
  logic [7:0] window_q, rest;
  logic [2:0] length_q, shown;

  // The last word is not begun: it is open as a whole, or but for a chunk in next that no code reaches.
  assign more_words = !got_last_q
      || (open_valid_q && (chunk_q == 2'd0 || (chunk_q == 2'd1 && next_valid_q && !(decodes && crosses))));
  // Behind the window, and open.
  assign more_bits = ({current_q[0], next_q} & (10'h3ff >> position_q)) != '0
      || (open_valid_q && (open_q[8:0] != '0 || (chunk_q != 2'd3 && open_q[17:9] != '0)
                           || (!chunk_q[1] && open_q[26:18] != '0)));

  always_ff @(posedge clk_i) begin
    coded_q <= coded;
    too_short_q <= !next_valid_q && (!current_valid_q || crosses);
    left_over_q <= more_words || more_bits;
    window_q <= window;
    length_q <= length;
    if (!rst_ni) begin
      failed_q <= 1'b0;
      valid_o <= 1'b0;
      decodes_q <= 1'b0;
      ending_q <= 1'b0;
    end else begin
      failed_q <= failed;
      valid_o <= take_i && ready_o;
      decodes_q <= decodes;
      ending_q <= ending;
    end
  end

  // The bits that a code's length can have, and what it leaves of the window.
  assign shown = length_q & 3'(2 ** $clog2(MaxLength) - 1);
  assign rest = window_q & (decodes_q ? 8'h7f >> shown : 8'hff);

  always_comb begin
    fault = NoFault;
    if (decodes_q && !coded_q) fault = BadCode;
    else if (decodes_q && too_short_q) fault = TooShort;
    else if (ending_q && (left_over_q || rest != '0)) fault = LeftOver;
  end

  assign failed = failed_q || fault != NoFault;
  assign fault_o = failed_q ? NoFault : fault;
  assign error_o = fault_o != NoFault;

  // A symbol's rank is its code plus its length's base: selected a cycle later, off the loop from
  // position to length to position.
  logic [8*SymbolBits-1:0] bases_q;
  logic [SymbolBits-1:0]   code, base, rank;
  logic [TableBits-1:0]    table_addr;

  (* ram_style = "distributed" *)
  logic [SymbolBits-1:0] symbols_q [2 ** TableBits];

  initial for (int i = 0; i < 2 ** TableBits; i++) symbols_q[i] = '0;

  always_ff @(posedge clk_i) begin
    bases_q <= bases_i;
    if (table_we_i) symbols_q[table_addr_i] <= table_symbol_i;
  end

  assign code = SymbolBits'(window_q >> (3'd7 - shown));
  assign rank = code + base;

  // Bit by bit, because Yosys makes a shifter of a slice whose place is a product.
  for (genvar i = 0; i < SymbolBits; i++) begin : gen_base
    logic [7:0] of_length;
    for (genvar l = 0; l < 8; l++) begin : gen_length
      assign of_length[l] = bases_q[SymbolBits * l + i];
    end
    assign base[i] = of_length[shown];
  end

  if (Books > 1) begin : gen_books
    logic [BookBits-1:0] book_q;
    always_ff @(posedge clk_i) book_q <= book_i;
    assign table_addr = {book_q, rank};
  end else begin : gen_book
    logic unused_book;
    assign unused_book = ^book_i;
    assign table_addr = rank;
  end

  assign symbol_o = (decodes_q && coded_q && !too_short_q && !failed_q) ? symbols_q[table_addr] : '0;

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && !failed) begin
      assert (!live || current_valid_q || (got_last_q && !open_valid_q))
          else $error("a symbol can be taken without a chunk");
      assert (!live || next_valid_q || next_q == '0)
          else $error("a chunk that is not valid is not zero");
      assert (!live || current_valid_q || current_q == '0)
          else $error("a chunk that is not valid is not zero");
      assert (!open_valid_q || next_valid_q || !current_valid_q || !chunk_q[1])
          else $error("a hole inside a word");
    end
  end
`endif

endmodule

`default_nettype wire
