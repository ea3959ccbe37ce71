// A lane of the edqa: one channel after another is quantized, encoded into block RAM, decoded from
// there and dequantized. A channel is 1 to Depth values; its values come out in their order, one for
// one. All of it moves at one value per cycle; below, N, m and T = N + m are bits of a value, and D is
// the dequantizer's latency. "Coded" is a channel whose symbols have codes: in mode whole each, in the
// other modes one with m > 0 whose DIRECT is 0.
//
// Values in. A value of cycle c is in the entry registers in c + 1. room_o depends on registers and on
// first_i, which says that the next value is its channel's first; what it tests are counts of what
// happened in earlier cycles:
//   paper          fewer than InDepth values from their input to their pop; and for a first value fewer
//                  than 4 channels that have come, if in part, and are not begun;
//   static, whole  fewer than VDepth values from their input to their encode beat, fewer than QDepth
//                  from their input to their take; and for a first value fewer than 16 channels from
//                  their first input to their last take.
// A channel's row of SCALE and DIRECT is the next one of rows 0 to last_row_i.
//
// Mode paper. Values and maxima wait in rtl/edqa_intake.sv, which says when a channel is begun and its
// values are popped. It begins none while 16 channels are from their begin to their last take, and
// pops none while VDepth values are from their pop to their encode beat or QDepth from their pop to
// their take. Pops go to the quantizer in their cycle. In the other modes entries do, with the row's
// SCALE as their maximum.
//
// Quantized, a value v is split in the cycle in which the quantizer gives it, T + 3 later: its symbol,
// v mod 2^m (0, if the channel is not coded) or in mode whole v mod 2^T, goes to the queue of symbols,
// and q = v >> m to that of the rest, but not in mode whole. In mode paper the symbols of coded
// channels go in that cycle to rtl/edqa_books.sv, too, which makes their books. In mode static the book
// is 0, in mode whole that of the symbol above (rtl/edqa_context.sv) among the books in use.
//
// Encoding. A symbol is encoded in a cycle in which it is offered (from two cycles after its push on, or
// when the one before is gone) and the encoder takes it; in mode paper only while its channel is being
// encoded, which edqa_books says. Words go to the store. SIZE of the channel can be read from the cycle
// after its last symbol's on: the row is that of the channels since the start, modulo Rows.
//
// Decoding. A symbol is taken in a cycle in which the decoder is ready and not in error, fewer than 16
// values are from their take to their output, and no lane has failed. One cycle later it goes, with q
// and the channel's maximum, to the dequantizer, unless the decoder is in error in that cycle or a lane
// has failed (stop_decode_i). From there its value is pushed to the output D later, and offered in the
// cycle after that. valid_o stays until ready_i.
//
// Errors. uncoded_o is high in the cycle after the encode beat of a symbol without a code, faulty_o in
// the cycle after a take that the decoder finds a fault in, with fault_o. stop_encode_i and
// stop_decode_i, high from the cycle after some lane's uncoded_o or faulty_o to the reset, stop encode
// beats and takes. Of a lane's channels nothing is taken from its first one with a symbol without a
// code on.
//
// restart_i is a pulse while nothing is inside: the rows and the slots of books begin at 0 again. A
// reset forgets all values; the tables and SIZE stay.

`default_nettype none

module edqa_lane #(
  /// 0: int16, 1: int32, 2: float32.
  parameter int Format = 0,
  /// Largest N, 2 to 8, and largest m, 0 to 4.
  parameter int Bits = 3,
  parameter int Extra = 3,
  /// Values of the longest channel, 1 to 4096.
  parameter int Depth = 4096,
  /// 1: has mode paper. 1: has mode whole.
  parameter int Dynamic = 1,
  parameter int Whole = 0,
  /// Static books, 1, 2, 4 or 8.
  parameter int Books = 1,
  /// Rows of SCALE, DIRECT and SIZE, a power of two from 4 to 64.
  parameter int Rows = 64,
  localparam int MaxBits = Bits + Extra,
  localparam int ExtraBits = (Extra > 0) ? Extra : 1,
  localparam int SymbolBits = (Whole != 0) ? MaxBits : ExtraBits,
  localparam int ValueBits = (Format == 0) ? 16 : 32,
  localparam int MagnitudeBits = (Format == 2) ? 31 : ValueBits,
  localparam int ResultBits = (Format == 1) ? 64 : 32,
  localparam int RowBits = $clog2(Rows)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  // Configuration, stable while something is inside: T and m, the mode, the symbol's bits, the rows in
  // use less 1, the books in use less 1 and the context's row less 1 (mode whole)
  input  logic                  restart_i,
  input  logic [3:0]            bits_i,
  input  logic [2:0]            extra_i,
  input  logic                  paper_i,
  input  logic                  whole_i,
  input  logic                  signed_i,
  input  logic                  half_down_i,
  input  logic                  raw_i,
  input  logic [SymbolBits-1:0] symbol_mask_i,
  input  logic [RowBits-1:0]    last_row_i,
  input  logic [2:0]            book_mask_i,
  input  logic [5:0]            context_row_i,
  // Tables
  input  logic                  scale_we_i,
  input  logic                  direct_we_i,
  input  logic [RowBits-1:0]    table_row_i,
  input  logic                  book_of_we_i,
  input  logic [5:0]            book_of_addr_i,
  input  logic [31:0]           table_data_i,
  input  logic [RowBits-1:0]    size_row_i,
  output logic [15:0]           size_o,
  // Static books
  input  logic                  length_we_i,
  input  logic [SymbolBits-1:0] length_symbol_i,
  input  logic [3:0]            length_i,
  input  logic                  build_i,
  input  logic [2:0]            build_book_i,
  output logic                  build_done_o,
  output logic                  build_bad_o,
  // A bit to be flipped in the next channel's words, until that channel's last word
  input  logic                  inject_i,
  input  logic [11:0]           inject_word_i,
  input  logic [5:0]            inject_bit_i,
  output logic                  inject_done_o,
  // Values in; the flags of this cycle's value: NaN, infinity, denormal
  output logic                  room_o,
  input  logic                  valid_i,
  input  logic                  first_i,
  input  logic                  last_i,
  input  logic [ValueBits-1:0]  value_i,
  output logic [2:0]            in_flags_o,
  // Values out; the flags of the one that this cycle pushes: became 0, became the largest
  output logic                  valid_o,
  output logic                  last_o,
  output logic [ResultBits-1:0] value_o,
  input  logic                  ready_i,
  output logic [1:0]            out_flags_o,
  // Errors
  input  logic                  stop_encode_i,
  input  logic                  stop_decode_i,
  output logic                  uncoded_o,
  output logic                  faulty_o,
  output logic [1:0]            fault_o,
  // The beats inside
  output logic                  quantized_valid_o,
  output logic [MaxBits-1:0]    quantized_o,
  output logic                  quantized_last_o,
  output logic                  length_beat_o,
  output logic [3:0]            length_o,
  output logic                  encode_beat_o,
  output logic [2:0]            encode_book_o,
  output logic [SymbolBits-1:0] encode_symbol_o,
  output logic                  encode_last_o,
  output logic                  word_beat_o,
  output logic [35:0]           word_o,
  output logic                  word_last_o,
  output logic                  stored_beat_o,
  output logic [35:0]           stored_o,
  output logic                  stored_last_o,
  output logic                  decoded_valid_o,
  output logic [SymbolBits-1:0] decoded_o,
  output logic                  decoded_last_o
);

  localparam int Longest = (Depth > 32) ? Depth : 32;
  localparam int InDepth = 2 ** $clog2((Depth > 2) ? Depth : 2);
  localparam int VDepth = 2 ** $clog2(2 * Longest);
  localparam int QDepth = (Dynamic != 0) ? 2 * VDepth : VDepth;
  localparam int StoreWords = 2 ** $clog2(2 * ((8 * Depth + 35) / 36) + 32);
  localparam int CountBits = $clog2(Depth + 1);
  localparam int VBits = $clog2(VDepth);
  localparam int QBits = $clog2(QDepth);
  // Books live from a channel's first length to its last take: one is built, one is encoded with, and
  // two channels at most are not yet decoded.
  localparam int Slots = (Dynamic != 0 && Books < 4) ? 4 : Books;
  localparam int SlotBits = (Slots > 1) ? $clog2(Slots) : 1;
  localparam int TableBits = SymbolBits + $clog2(Slots);

  // Entry, and the row of its channel in the tables.
  logic                     negative, entry_q, entry_first_q, entry_last_q, entry_negative_q;
  logic [MagnitudeBits-1:0] magnitude, entry_magnitude_q, row_scale;
  logic [2:0]               in_flags;
  logic [RowBits-1:0]       row_q;
  logic                     row_coded;

  (* ram_style = "distributed" *)
  logic [MagnitudeBits-1:0] scales_q [Rows];
  (* ram_style = "distributed" *)
  logic                     directs_q [Rows];

  initial begin
    for (int i = 0; i < Rows; i++) begin
      scales_q[i] = '0;
      directs_q[i] = 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (scale_we_i) scales_q[table_row_i] <= table_data_i[MagnitudeBits-1:0];
    if (direct_we_i) directs_q[table_row_i] <= table_data_i[0];
  end

  edqa_magnitude #(.Format(Format)) u_magnitude (
    .signed_i, .value_i, .negative_o(negative), .magnitude_o(magnitude), .flags_o(in_flags)
  );

  assign in_flags_o = valid_i ? in_flags : '0;
  assign row_scale = scales_q[row_q];
  assign row_coded = whole_i || (extra_i != '0 && !directs_q[row_q]);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) entry_q <= 1'b0;
    else entry_q <= valid_i;
    if (!rst_ni || restart_i) row_q <= '0;
    else if (entry_q && entry_last_q) row_q <= (row_q == last_row_i) ? '0 : row_q + 1'b1;
    entry_first_q <= first_i;
    entry_last_q <= last_i;
    entry_negative_q <= negative;
    entry_magnitude_q <= magnitude;
  end

  // To the quantizer: from the queue in mode paper, else from the entry.
  logic                     begin_channel, begin_coded, pop, in_room, v_full, q_full, channels_full;
  logic                     quantize, quantize_negative, quantize_last, quantize_coded;
  logic [MagnitudeBits-1:0] begin_maximum, quantize_magnitude, quantize_maximum;
  logic                     counts_taken;  // this cycle ends the counts of a channel

  if (Dynamic != 0) begin : gen_intake
    logic                     begin_paper, paper_coded, pop_negative, pop_last, pop_coded;
    logic [MagnitudeBits-1:0] paper_maximum, pop_magnitude, pop_maximum;

    edqa_intake #(.MagnitudeBits(MagnitudeBits), .Depth(InDepth)) u_intake (
      .clk_i,
      .rst_ni,
      .room_o(in_room),
      .first_i,
      .valid_i(valid_i && paper_i),
      .entry_valid_i(entry_q && paper_i),
      .entry_first_i(entry_first_q),
      .entry_last_i(entry_last_q),
      .entry_negative_i(entry_negative_q),
      .entry_magnitude_i(entry_magnitude_q),
      .entry_coded_i(row_coded),
      .full_i(channels_full),
      .counts_taken_i(counts_taken),
      .begin_o(begin_paper),
      .begin_coded_o(paper_coded),
      .begin_maximum_o(paper_maximum),
      .hold_i(v_full || q_full),
      .pop_o(pop),
      .negative_o(pop_negative),
      .magnitude_o(pop_magnitude),
      .last_o(pop_last),
      .coded_o(pop_coded),
      .maximum_o(pop_maximum)
    );

    assign begin_channel = paper_i ? begin_paper : entry_q && entry_first_q;
    assign begin_coded = paper_i ? paper_coded : row_coded;
    assign begin_maximum = paper_i ? paper_maximum : row_scale;
    assign quantize = paper_i ? pop : entry_q;
    assign quantize_negative = paper_i ? pop_negative : entry_negative_q;
    assign quantize_last = paper_i ? pop_last : entry_last_q;
    assign quantize_magnitude = paper_i ? pop_magnitude : entry_magnitude_q;
    assign quantize_maximum = paper_i ? pop_maximum : row_scale;
    assign quantize_coded = paper_i ? pop_coded : row_coded;
  end else begin : gen_no_intake
    assign begin_channel = entry_q && entry_first_q;
    assign begin_coded = row_coded;
    assign begin_maximum = row_scale;
    assign pop = 1'b0;
    assign in_room = 1'b1;
    assign quantize = entry_q;
    assign quantize_negative = entry_negative_q;
    assign quantize_last = entry_last_q;
    assign quantize_magnitude = entry_magnitude_q;
    assign quantize_maximum = row_scale;
    assign quantize_coded = row_coded;
  end

  // What is inside, and room.
  logic           in_beat, channel_in, encode_beat, encoded, take, last_take;
  logic [VBits:0] encode_waiting_q;
  logic [QBits:0] take_waiting_q;
  logic [4:0]     channels_q;

  assign v_full = encode_waiting_q[VBits];
  assign q_full = take_waiting_q[QBits];
  assign channels_full = channels_q[4];
  assign in_beat = paper_i ? pop : valid_i;
  assign channel_in = paper_i ? begin_channel : valid_i && first_i;
  assign room_o = paper_i ? in_room : !v_full && !q_full && !(first_i && channels_full);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      encode_waiting_q <= '0;
      take_waiting_q <= '0;
      channels_q <= '0;
    end else begin
      if (in_beat != encode_beat)
        encode_waiting_q <= in_beat ? encode_waiting_q + 1'b1 : encode_waiting_q - 1'b1;
      if (in_beat != take)
        take_waiting_q <= in_beat ? take_waiting_q + 1'b1 : take_waiting_q - 1'b1;
      channels_q <= channels_q + 5'(channel_in) - 5'(last_take);
    end
  end

  // The channels inside: their maxima, whether they are coded, and the index of their last value.
  // Each part of the lane goes through them in turn.
  logic [3:0] begin_channel_q, quantized_channel_q, encode_channel_q, take_channel_q;

  (* ram_style = "distributed" *)
  logic [MagnitudeBits-1:0] maxima_q [16];
  (* ram_style = "distributed" *)
  logic                     coded_q [16];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      begin_channel_q <= '0;
      quantized_channel_q <= '0;
      encode_channel_q <= '0;
      take_channel_q <= '0;
    end else begin
      if (begin_channel) begin_channel_q <= begin_channel_q + 1'b1;
      if (quantized_valid_o && quantized_last_o) quantized_channel_q <= quantized_channel_q + 1'b1;
      if (encoded) encode_channel_q <= encode_channel_q + 1'b1;
      if (last_take) take_channel_q <= take_channel_q + 1'b1;
    end
    if (begin_channel) begin
      maxima_q[begin_channel_q] <= begin_maximum;
      coded_q[begin_channel_q] <= begin_coded;
    end
  end

  // Quantized values: the symbol and the rest.
  logic                  quantized_coded;
  logic [SymbolBits-1:0] symbol;
  logic [MaxBits-1:0]    quotient;

  edqa_quantizer #(.Format(Format), .MaxBits(MaxBits)) u_quantizer (
    .clk_i,
    .rst_ni,
    .bits_i,
    .extra_i,
    .signed_i,
    .half_down_i,
    .valid_i(quantize),
    .negative_i(quantize_negative),
    .magnitude_i(quantize_magnitude),
    .maximum_i(quantize_maximum),
    .direct_i(!quantize_coded),
    .last_i(quantize_last),
    .valid_o(quantized_valid_o),
    .v_o(quantized_o),
    .last_o(quantized_last_o)
  );

  assign quantized_coded = coded_q[quantized_channel_q];
  assign symbol = quantized_o[SymbolBits-1:0] & symbol_mask_i;
  assign quotient = quantized_o >> extra_i;

  logic                  symbols_full, symbol_there, symbol_ready, encode_last;
  logic [SymbolBits-1:0] encode_symbol;
  logic                  rest_full, rest_there;
  logic [Bits-1:0]       rest;

  symbol_fifo #(.Width(SymbolBits + 1), .Depth(VDepth)) u_symbols (
    .clk_i,
    .rst_ni,
    .push_i(quantized_valid_o),
    .data_i({quantized_last_o, symbol}),
    .full_o(symbols_full),
    .valid_o(symbol_there),
    .data_o({encode_last, encode_symbol}),
    .ready_i(symbol_ready)
  );

  symbol_fifo #(.Width(Bits), .Depth(QDepth)) u_quantized (
    .clk_i,
    .rst_ni,
    .push_i(quantized_valid_o && !whole_i),
    .data_i(quotient[Bits-1:0]),
    .full_o(rest_full),
    .valid_o(rest_there),
    .data_o(rest),
    .ready_i(take)
  );

  // Books of mode paper, and when a channel is encoded.
  logic                  book_we, book_start, book_done, encode_allowed, encode_coded;
  logic [2:0]            fill_book, encode_slot, decode_slot, decode_slot_next;
  logic [1:0]            book_fault;
  logic [SymbolBits-1:0] fill_symbol, book_last_symbol;
  logic [3:0]            fill_length;
  logic                  decode_coded_q;

  assign encode_coded = coded_q[encode_channel_q];

  if (Dynamic != 0) begin : gen_books
    logic                 encoding, paper_start;
    logic [1:0]           paper_book, slot, read_slot, read_slot_next;
    logic [ExtraBits-1:0] paper_symbol;

    edqa_books #(.SymbolBits(ExtraBits), .CountBits(CountBits)) u_books (
      .clk_i,
      .rst_ni,
      .restart_i,
      .valid_i(quantized_valid_o && paper_i && quantized_coded),
      .symbol_i(symbol[ExtraBits-1:0]),
      .last_i(quantized_last_o),
      .counts_taken_o(counts_taken),
      .length_beat_o,
      .length_o,
      .length_symbol_o(paper_symbol),
      .length_book_o(paper_book),
      .build_o(paper_start),
      .done_i(book_done && paper_i),
      .begun_i(begin_channel && paper_i),
      .coded_i(encode_coded),
      .encoded_i(encoded && paper_i),
      .encoding_o(encoding),
      .encode_book_o(slot),
      .last_take_i(last_take && paper_i),
      .take_coded_i(decode_coded_q),
      .decode_book_o(read_slot),
      .read_book_o(read_slot_next)
    );

    assign encode_allowed = encoding || !paper_i;
    assign encode_slot = paper_i ? 3'(slot) : '0;
    assign decode_slot = paper_i ? 3'(read_slot) : '0;
    assign decode_slot_next = paper_i ? 3'(read_slot_next) : '0;

    assign book_we = length_beat_o || length_we_i;
    assign fill_book = paper_i ? 3'(paper_book) : build_book_i;
    assign fill_symbol = paper_i ? SymbolBits'(paper_symbol) : length_symbol_i;
    assign fill_length = paper_i ? length_o : length_i;
    assign book_start = paper_start || build_i;
    assign book_last_symbol = paper_i ? SymbolBits'(2 ** ExtraBits - 1) : symbol_mask_i;

`ifndef YOSYS
    always @(posedge clk_i) begin
      if (rst_ni && paper_i) begin
        assert (!(book_done && book_fault != '0)) else $error("a channel's book has a fault");
        assert (!uncoded_o) else $error("a symbol has no code in its channel's book");
      end
    end
`endif
  end else begin : gen_no_books
    assign counts_taken = 1'b0;
    assign length_beat_o = 1'b0;
    assign length_o = '0;
    assign encode_allowed = 1'b1;
    assign encode_slot = '0;
    assign decode_slot = '0;
    assign decode_slot_next = '0;
    assign book_we = length_we_i;
    assign fill_book = build_book_i;
    assign fill_symbol = length_symbol_i;
    assign fill_length = length_i;
    assign book_start = build_i;
    assign book_last_symbol = symbol_mask_i;

    logic unused_dynamic;
    assign unused_dynamic = ^{paper_i, counts_taken, quantized_coded, book_fault};
  end

  // The books of static contexts, for the encoder and the decoder.
  logic [2:0]            encode_context, decode_context, decode_context_next;
  logic [SymbolBits-1:0] encoded_symbol_q, decoded_symbol;

  if (Books > 1) begin : gen_contexts
    localparam int BookBits = $clog2(Books);
    logic [BookBits-1:0] encode_book, encode_book_next, decode_book, decode_book_next;

    edqa_context #(.SymbolBits(SymbolBits), .Books(Books)) u_encode_context (
      .clk_i,
      .rst_ni,
      .we_i(book_of_we_i),
      .waddr_i(book_of_addr_i[SymbolBits-1:0]),
      .wdata_i(table_data_i[BookBits-1:0]),
      .mask_i(book_mask_i[BookBits-1:0]),
      .row_i(context_row_i),
      .step_i(encode_beat),
      .last_i(encode_last),
      .symbol_i(encoded_symbol_q),
      .book_o(encode_book),
      .read_o(encode_book_next)
    );

    edqa_context #(.SymbolBits(SymbolBits), .Books(Books)) u_decode_context (
      .clk_i,
      .rst_ni,
      .we_i(book_of_we_i),
      .waddr_i(book_of_addr_i[SymbolBits-1:0]),
      .wdata_i(table_data_i[BookBits-1:0]),
      .mask_i(book_mask_i[BookBits-1:0]),
      .row_i(context_row_i),
      .step_i(take),
      .last_i(last_take),
      .symbol_i(decoded_symbol & symbol_mask_i),
      .book_o(decode_book),
      .read_o(decode_book_next)
    );

    always_ff @(posedge clk_i) encoded_symbol_q <= encode_symbol;

    assign encode_context = 3'(encode_book);
    assign decode_context = 3'(decode_book);
    assign decode_context_next = 3'(decode_book_next);

    logic unused_next;
    assign unused_next = ^{encode_book_next, book_of_addr_i, book_mask_i};
  end else begin : gen_no_contexts
    assign encode_context = '0;
    assign decode_context = '0;
    assign decode_context_next = '0;
    assign encoded_symbol_q = '0;

    logic unused_contexts;
    assign unused_contexts = ^{book_of_we_i, book_of_addr_i, book_mask_i, context_row_i, encoded_symbol_q};
  end

  // The code book: of a slot in mode paper, else of a context; what is not in use is 0.
  logic                    table_valid;
  logic [SlotBits-1:0]     table_book;
  logic [SymbolBits-1:0]   table_symbol, table_rank, table_signed;
  logic [3:0]              table_length;
  logic [7:0]              table_code;
  logic [71:0]             limits;
  logic [8*SymbolBits-1:0] bases;
  logic [2:0]              encode_book, decode_book, decode_book_next;

  assign encode_book = encode_slot | encode_context;
  assign decode_book = decode_slot | decode_context;
  assign decode_book_next = decode_slot_next | decode_context_next;

  huffman_code_book #(.SymbolBits(SymbolBits), .Books(Slots)) u_code_book (
    .clk_i,
    .rst_ni,
    .we_i(book_we),
    .waddr_i(TableBits'({fill_book, fill_symbol})),
    .wdata_i(fill_length),
    .start_i(book_start),
    .book_i(fill_book[SlotBits-1:0]),
    .uniform_i(1'b0),
    .last_symbol_i(book_last_symbol),
    .done_o(book_done),
    .fault_o(book_fault),
    .table_valid_o(table_valid),
    .table_book_o(table_book),
    .table_symbol_o(table_symbol),
    .table_length_o(table_length),
    .table_code_o(table_code),
    .table_rank_o(table_rank),
    .read_book_i(decode_book_next[SlotBits-1:0]),
    .limits_o(limits),
    .bases_o(bases)
  );

  assign build_done_o = book_done;
  assign build_bad_o = !table_valid;  // done without a table

  // Encoding. The first channel with a symbol without a code is remembered.
  logic        encoder_valid, encoder_ready, word_valid, store_ready, uncoded_q;
  logic [3:0]  code_length, encoded_channel_q, uncoded_channel_q;
  logic [35:0] word;

  assign encoder_valid = symbol_there && encode_allowed && !stop_encode_i;
  assign symbol_ready = encoder_ready && encode_allowed && !stop_encode_i;
  assign encode_beat = symbol_there && symbol_ready;
  assign encoded = encode_beat && encode_last;

  assign encode_beat_o = encode_beat;
  assign encode_book_o = encode_book;
  assign encode_symbol_o = encode_symbol;
  assign encode_last_o = encode_last;

  huffman_encoder #(.SymbolBits(TableBits)) u_encoder (
    .clk_i,
    .rst_ni,
    .table_we_i(table_valid),
    .table_addr_i(TableBits'({table_book, table_symbol})),
    .table_length_i(table_length),
    .table_code_i(table_code),
    .valid_i(encoder_valid),
    .symbol_i(TableBits'({encode_book, encode_symbol})),
    .last_i(encode_last),
    .empty_i(!encode_coded),
    .ready_o(encoder_ready),
    .length_o(code_length),
    .word_valid_o(word_valid),
    .word_o(word),
    .word_last_o,
    .word_ready_i(store_ready),
    .error_o(uncoded_o)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) uncoded_q <= 1'b0;
    else if (uncoded_o) uncoded_q <= 1'b1;
    if (!uncoded_q) uncoded_channel_q <= encoded_channel_q;
    encoded_channel_q <= encode_channel_q;
  end

  // SIZE: its sum, and its place in the memory, are a cycle late, off the way from symbol to length. A
  // read in that cycle sees it all the same, and a reset in that cycle keeps it.
  logic               beat_q, sized_q;
  logic [3:0]         beat_length_q;
  logic [15:0]        size, size_q;
  logic [RowBits-1:0] size_row_q;

  (* ram_style = "distributed" *)
  logic [15:0] sizes_q [Rows];

  // What stands in a register before the first reset writes no size.
  initial begin
    sized_q = 1'b0;
    for (int i = 0; i < Rows; i++) sizes_q[i] = '0;
  end

  assign size = size_q + 16'(beat_length_q);
  assign size_o = (sized_q && size_row_q == size_row_i) ? size : sizes_q[size_row_i];

  always_ff @(posedge clk_i) begin
    beat_q <= rst_ni && encode_beat;
    sized_q <= rst_ni && encoded;
    beat_length_q <= code_length;
    if (!rst_ni) size_q <= '0;
    else if (beat_q) size_q <= sized_q ? '0 : size;
    if (!rst_ni || restart_i) size_row_q <= '0;
    else if (sized_q) size_row_q <= size_row_q + 1'b1;
    if (sized_q) sizes_q[size_row_q] <= size;
  end

  // The index of a channel's last value.
  logic [CountBits-1:0] encode_index_q;

  (* ram_style = "distributed" *)
  logic [CountBits-1:0] last_index_q [16];
  (* ram_style = "distributed" *)
  logic                 single_q [16];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) encode_index_q <= '0;
    else if (encode_beat) encode_index_q <= encode_last ? '0 : encode_index_q + 1'b1;
    if (encoded) begin
      last_index_q[encode_channel_q] <= encode_index_q;
      single_q[encode_channel_q] <= encode_index_q == '0;
    end
  end

  // Words, one bit of which may be flipped.
  logic [11:0] word_index_q;
  logic        stored_valid, stored_ready;

  assign word_o = word ^ ((inject_i && inject_word_i == word_index_q) ? 36'd1 << inject_bit_i : '0);
  assign word_beat_o = word_valid && store_ready;
  assign inject_done_o = word_beat_o && word_last_o;
  assign stored_beat_o = stored_valid && stored_ready;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) word_index_q <= '0;
    else if (word_beat_o) word_index_q <= word_last_o ? '0 : word_index_q + 1'b1;
  end

  channel_store #(.Words(StoreWords)) u_store (
    .clk_i,
    .rst_ni,
    .word_valid_i(word_valid),
    .word_i(word_o),
    .word_last_i(word_last_o),
    .word_ready_o(store_ready),
    .valid_o(stored_valid),
    .word_o(stored_o),
    .last_o(stored_last_o),
    .ready_i(stored_ready)
  );

  // Takes. Whether the next one is its channel's last, whether that channel is coded, and whether it
  // may not be taken, are known a cycle before.
  logic                 decoder_ready, last_value_q, blocked_q;
  logic [3:0]           next_channel, taken_channel_q;
  logic [4:0]           outside_q;
  logic [CountBits-1:0] take_index_q, behind_q, last_index;  // behind_q: take_index_q + 1
  logic                 taken_last_q, decoder_valid;
  logic [Bits-1:0]      taken_rest_q;

  assign take = decoder_ready && !faulty_o && !stop_decode_i && !blocked_q && !outside_q[4];
  assign last_take = take && last_value_q;
  assign next_channel = take_channel_q + 1'b1;
  assign last_index = last_index_q[take_channel_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      take_index_q <= '0;
      behind_q <= CountBits'(1);
      outside_q <= '0;
      blocked_q <= 1'b0;
    end else begin
      if (take) begin
        take_index_q <= last_value_q ? '0 : behind_q;
        behind_q <= last_value_q ? CountBits'(1) : behind_q + 1'b1;
      end
      outside_q <= outside_q + 5'(take) - 5'(valid_o && ready_i);
      blocked_q <= uncoded_q && uncoded_channel_q == (last_take ? next_channel : take_channel_q);
    end
    last_value_q <= !take ? take_index_q == last_index
        : last_value_q ? single_q[next_channel] : behind_q == last_index;
    decode_coded_q <= last_take ? coded_q[next_channel] : coded_q[take_channel_q];
    taken_last_q <= last_value_q;
    taken_channel_q <= take_channel_q;
    taken_rest_q <= rest;
  end

  // Of a signed value in mode whole the decoder's table has the sign in the bits from T on.
  if (Whole != 0) begin : gen_signed
    logic sign;
    assign sign = whole_i && signed_i && (table_symbol & (symbol_mask_i ^ (symbol_mask_i >> 1))) != '0;
    assign table_signed = table_symbol | (sign ? ~symbol_mask_i : '0);
  end else begin : gen_unsigned
    assign table_signed = table_symbol;
  end

  channel_decoder #(.SymbolBits(SymbolBits), .Books(Slots), .Complete(1)) u_decoder (
    .clk_i,
    .rst_ni,
    .table_we_i(table_valid && table_length != '0),
    .table_addr_i(TableBits'({table_book, table_rank})),
    .table_symbol_i(table_signed),
    .limits_i(limits),
    .bases_i(bases),
    .book_i(decode_book[SlotBits-1:0]),
    .word_valid_i(stored_valid),
    .word_i(stored_o),
    .word_last_i(stored_last_o),
    .word_ready_o(stored_ready),
    .take_i(take),
    .direct_i(!decode_coded_q),
    .end_i(last_take),
    .ready_o(decoder_ready),
    .valid_o(decoder_valid),
    .symbol_o(decoded_symbol),
    .error_o(faulty_o),
    .fault_o
  );

  // To values: from the symbol and the rest, or, in mode whole, from the symbol alone.
  logic [MaxBits:0]     wide;
  logic [MaxBits-1:0]   q;
  logic [ExtraBits-1:0] se;

  assign decoded_valid_o = decoder_valid && !faulty_o && !stop_decode_i;
  assign decoded_o = decoded_symbol & symbol_mask_i;
  assign decoded_last_o = taken_last_q;
  assign wide = {{(Extra + 1){signed_i && taken_rest_q[Bits-1]}}, taken_rest_q};

  if (Whole != 0) begin : gen_whole
    logic signed [MaxBits:0] whole_value, shifted;

    assign whole_value = {signed_i && decoded_symbol[MaxBits-1], decoded_symbol};
    assign shifted = whole_value >>> extra_i;
    assign q = whole_i ? shifted[MaxBits-1:0] : wide[MaxBits-1:0];
    assign se = whole_i ? decoded_symbol[ExtraBits-1:0] & ~({ExtraBits{1'b1}} << extra_i)
        : decoded_symbol[ExtraBits-1:0];

    logic unused_sign;
    assign unused_sign = shifted[MaxBits];
  end else begin : gen_parts
    assign q = wide[MaxBits-1:0];
    assign se = decoded_symbol;
  end

  logic                  result_valid, result_last;
  logic [ResultBits-1:0] result;
  logic [1:0]            result_flags;

  edqa_dequantizer #(.Format(Format), .MaxBits(MaxBits), .MaxExtra(Extra)) u_dequantizer (
    .clk_i,
    .rst_ni,
    .bits_i,
    .extra_i,
    .signed_i,
    .raw_i,
    .valid_i(decoded_valid_o),
    .q_i(q),
    .se_i(se),
    .maximum_i(maxima_q[taken_channel_q]),
    .last_i(taken_last_q),
    .valid_o(result_valid),
    .value_o(result),
    .last_o(result_last),
    .flags_o(result_flags)
  );

  assign out_flags_o = result_valid ? result_flags : '0;

  output_fifo #(.Width(ResultBits + 1), .Depth(16)) u_output (
    .clk_i,
    .rst_ni,
    .push_i(result_valid),
    .data_i({result_last, result}),
    .valid_o,
    .data_o({last_o, value_o}),
    .ready_i
  );

  logic unused;
  assign unused = ^{symbols_full, rest_full, rest_there, quotient, wide[MaxBits], table_data_i, decode_book,
                    decode_book_next};

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(quantized_valid_o && symbols_full)) else $error("the queue of symbols is full");
      assert (!(quantized_valid_o && !whole_i && rest_full)) else $error("the queue of values is full");
      assert (!(take && !whole_i && !rest_there)) else $error("a value is taken before it is there");
      assert (!(channel_in && channels_full)) else $error("too many channels are inside");
      assert (!(decoder_ready && channels_q == '0) || faulty_o || stop_decode_i)
          else $error("a channel is there that did not come");
    end
  end
`endif

endmodule

`default_nettype wire
