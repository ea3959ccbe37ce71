// A Huffman codec for blocks of symbols: a block comes in, is counted, gets a code book of its own,
// is encoded with it into block RAM, and is decoded from there. While block n is decoded, n + 1 is
// encoded and n + 2 is counted.
//
// Blocks are 1 to Depth symbols, ended by TLAST, in any mix of sizes; TLAST is on each block's last
// symbol at the output too. A symbol per cycle goes in, unless 2 * Depth of them (or the next power
// of two) wait to be encoded, or the counts of the block two before are not taken yet. A lone block
// of N symbols, its last one in cycle c, at S symbols and B = log2 S rounded up:
//   c + 1          the first of S counts goes to the builder, which takes S cycles for them, then
//   T              (huffman_builder.sv), then gives a length per cycle to the code book, which needs
//   2 * 2^B + 8    from the last length on (huffman_code_book.sv); in the cycle after it is done
//                  the block is begun, and from the next one on a symbol per cycle is encoded;
//   + 8            after the last one the first symbol is decoded, and offered two cycles later.
// A block is begun when its book is there, the block before is encoded, and a half of the store is
// free, which the block two before gives back when its last symbol is decoded. A stream ended in
// cycle e lets the next one be decoded from e + 9 on, so that blocks of N symbols take N + 8 cycles
// each, or what the builder needs, 2 * S and its T - 1, whichever is more; it stops for nothing else
// but the output: a symbol is decoded while fewer than four wait to be taken.
//
// The store cannot overflow: with Limit >= B one of the codes that the builder chooses the best of
// has B bits for every symbol, so that no block takes more than B bits per symbol, the size of its
// half.
//
// Errors are seen in the cycle of their symbol and stand in STATUS from the next one on; in that one
// TREADY falls, until a reset. The block with the error is dropped, those before it still leave, so
// that its number is BLOCKS when they have. 1: a symbol is not below Symbols. 2: the symbol that is
// number Depth of its block comes without TLAST. A TLAST that is missing is not an error of its own:
// two blocks become one, which may be too long. Of both errors 1 is said.
//
// A reset, also by CONTROL, forgets all blocks and parts of blocks inside; what has left of a block
// stays without its TLAST. In its cycles neither stream has a beat; the first cycle after it takes a
// block's first symbol. SIZE keeps its values, BLOCKS and errors are cleared.

`default_nettype none

module codec #(
  /// Symbols, 2 to 32.
  parameter int Symbols = 8,
  /// Longest code: log2 of Symbols rounded up, to 8.
  parameter int Limit = 8,
  /// Symbols of the longest block, 1 to 4096.
  parameter int Depth = 4096
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // AXI4-Lite: control, status, sizes
  input  logic [11:0] s_axil_awaddr_i,
  input  logic [2:0]  s_axil_awprot_i,
  input  logic        s_axil_awvalid_i,
  output logic        s_axil_awready_o,
  input  logic [31:0] s_axil_wdata_i,
  input  logic [3:0]  s_axil_wstrb_i,
  input  logic        s_axil_wvalid_i,
  output logic        s_axil_wready_o,
  output logic [1:0]  s_axil_bresp_o,
  output logic        s_axil_bvalid_o,
  input  logic        s_axil_bready_i,
  input  logic [11:0] s_axil_araddr_i,
  input  logic [2:0]  s_axil_arprot_i,
  input  logic        s_axil_arvalid_i,
  output logic        s_axil_arready_o,
  output logic [31:0] s_axil_rdata_o,
  output logic [1:0]  s_axil_rresp_o,
  output logic        s_axil_rvalid_o,
  input  logic        s_axil_rready_i,
  // AXI4-Stream: symbols
  input  logic [7:0]  s_axis_tdata_i,
  input  logic        s_axis_tlast_i,
  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  // AXI4-Stream: the same symbols
  output logic [7:0]  m_axis_tdata_o,
  output logic        m_axis_tlast_o,
  output logic        m_axis_tvalid_o,
  input  logic        m_axis_tready_i
);

  localparam int SymbolBits = $clog2(Symbols);
  localparam int CountBits = $clog2(Depth + 1);
  localparam int FifoDepth = 2 ** $clog2(2 * Depth);
  localparam int StoreWords = (Depth * SymbolBits + 35) / 36;
  // Books live from a block's first length to its last decoded symbol: one is built, one is encoded
  // with, and two blocks of the store at most are not yet decoded.
  localparam int Books = 4;
  localparam int TableBits = SymbolBits + 2;

  if (Symbols < 2 || Symbols > 32) begin : gen_bad_symbols
    symbols_must_be_2_to_32 u_error ();
  end
  if (Limit < SymbolBits || Limit > 8) begin : gen_bad_limit
    limit_must_have_a_code_for_every_symbol_and_be_at_most_8 u_error ();
  end
  if (Depth < 1 || Depth > 4096) begin : gen_bad_depth
    depth_must_be_1_to_4096 u_error ();
  end

  // Registers.
  logic        interior_rst_n, encoded;
  logic [1:0]  status, error_q;
  logic [15:0] size;

  codec_control #(.Symbols(Symbols), .Limit(Limit), .Depth(Depth)) u_control (
    .clk_i,
    .rst_ni,
    .s_axil_awaddr_i,
    .s_axil_awprot_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arprot_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .interior_rst_no(interior_rst_n),
    .status_i(status),
    .error_i(error_q),
    .encoded_i(encoded),
    .size_i(size)
  );

  // Symbols in.
  logic                  symbol_beat, outside, too_long, push, histogram_ready, fifo_full;
  logic [CountBits-1:0]  position_q;
  logic [SymbolBits-1:0] symbol;

  assign s_axis_tready_o = interior_rst_n && histogram_ready && !fifo_full && error_q == '0;
  assign symbol_beat = s_axis_tvalid_i && s_axis_tready_o;
  assign symbol = s_axis_tdata_i[SymbolBits-1:0];
  assign outside = s_axis_tdata_i >= 8'(Symbols);
  assign too_long = position_q == CountBits'(Depth - 1) && !s_axis_tlast_i;
  assign push = symbol_beat && !outside && !too_long;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      error_q <= '0;
      position_q <= '0;
    end else begin
      if (symbol_beat && (outside || too_long)) error_q <= outside ? 2'd1 : 2'd2;
      if (push) position_q <= s_axis_tlast_i ? '0 : position_q + 1'b1;
    end
  end

  // Whole blocks inside: at most one in each bank of counts, in the builder, and as a book, two in the
  // store, and four of one symbol each at the output.
  logic       block_in, block_out;
  logic [3:0] blocks_inside_q;

  assign block_in = push && s_axis_tlast_i;
  assign block_out = m_axis_tvalid_o && m_axis_tready_i && m_axis_tlast_o;
  assign status = (error_q != '0) ? 2'd3 : 2'(blocks_inside_q != '0 || position_q != '0);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) blocks_inside_q <= '0;
    else blocks_inside_q <= blocks_inside_q + 4'(block_in) - 4'(block_out);
  end

  // Counts, then lengths.
  logic                 count_valid, count_ready, length_valid, length_ready, builder_error;
  logic [CountBits-1:0] count;
  logic [3:0]           length;

  histogram #(.Symbols(Symbols), .CountBits(CountBits)) u_histogram (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(push),
    .symbol_i(symbol),
    .last_i(s_axis_tlast_i),
    .ready_o(histogram_ready),
    .count_valid_o(count_valid),
    .count_o(count),
    .count_ready_i(count_ready)
  );

  huffman_builder #(.Symbols(Symbols), .Limit(Limit), .CountBits(CountBits)) u_builder (
    .clk_i,
    .rst_ni(interior_rst_n),
    .count_valid_i(count_valid),
    .count_i(count),
    .count_ready_o(count_ready),
    .length_valid_o(length_valid),
    .length_o(length),
    .length_ready_i(length_ready),
    .error_o(builder_error)
  );

  // The book: its lengths are taken, it is built, and it waits until its block is begun.
  typedef enum logic [1:0] {Fill, Build, Ready} state_e;
  state_e state_q;

  logic                    length_beat, last_length, book_done, begin_block;
  logic [1:0]              book_q, book_fault, table_book, decode_book_q;
  logic [SymbolBits-1:0]   fill_q, table_symbol, table_rank;
  logic                    table_valid;
  logic [3:0]              table_length;
  logic [7:0]              table_code;
  logic [71:0]             limits;
  logic [8*SymbolBits-1:0] bases;

  assign length_ready = state_q == Fill;
  assign length_beat = length_valid && length_ready;
  assign last_length = length_beat && fill_q == SymbolBits'(Symbols - 1);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      state_q <= Fill;
      fill_q <= '0;
      book_q <= '0;
    end else begin
      if (last_length) state_q <= Build;
      if (book_done) state_q <= Ready;
      if (begin_block) state_q <= Fill;
      if (length_beat) fill_q <= last_length ? '0 : fill_q + 1'b1;
      if (begin_block) book_q <= book_q + 1'b1;
    end
  end

  huffman_code_book #(.SymbolBits(SymbolBits), .Books(Books)) u_code_book (
    .clk_i,
    .rst_ni(interior_rst_n),
    .we_i(length_beat),
    .waddr_i({book_q, fill_q}),
    .wdata_i(length),
    .start_i(last_length),
    .book_i(book_q),
    .uniform_i(1'b0),
    .last_symbol_i({SymbolBits{1'b1}}),
    .done_o(book_done),
    .fault_o(book_fault),
    .table_valid_o(table_valid),
    .table_book_o(table_book),
    .table_symbol_o(table_symbol),
    .table_length_o(table_length),
    .table_code_o(table_code),
    .table_rank_o(table_rank),
    .read_book_i(decode_book_q),
    .limits_o(limits),
    .bases_o(bases)
  );

  // Symbols of a begun block go to the encoder.
  logic                  active_q, store_free, fifo_valid, fifo_ready, last;
  logic                  encoder_valid, encoder_ready, encode_beat, encoder_error;
  logic [1:0]            encode_book_q;
  logic [SymbolBits-1:0] encode_symbol;
  logic [CountBits-1:0]  index_q;
  logic [3:0]            code_length;
  logic [15:0]           size_q;
  logic                  word_valid, word_last;
  logic [35:0]           word;

  assign begin_block = state_q == Ready && store_free && !active_q;
  assign encoder_valid = fifo_valid && active_q;
  assign fifo_ready = encoder_ready && active_q;
  assign encode_beat = encoder_valid && encoder_ready;
  assign encoded = encode_beat && last;
  assign size = size_q + 16'(code_length);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      active_q <= 1'b0;
      index_q <= '0;
      size_q <= '0;
    end else begin
      if (begin_block) active_q <= 1'b1;
      else if (encoded) active_q <= 1'b0;
      if (encode_beat) begin
        index_q <= last ? '0 : index_q + 1'b1;
        size_q <= last ? '0 : size;
      end
    end
    if (begin_block) encode_book_q <= book_q;
  end

  symbol_fifo #(.Width(SymbolBits + 1), .Depth(FifoDepth)) u_symbols (
    .clk_i,
    .rst_ni(interior_rst_n),
    .push_i(push),
    .data_i({s_axis_tlast_i, symbol}),
    .full_o(fifo_full),
    .valid_o(fifo_valid),
    .data_o({last, encode_symbol}),
    .ready_i(fifo_ready)
  );

  huffman_encoder #(.SymbolBits(TableBits)) u_encoder (
    .clk_i,
    .rst_ni(interior_rst_n),
    .table_we_i(table_valid),
    .table_addr_i({table_book, table_symbol}),
    .table_length_i(table_length),
    .table_code_i(table_code),
    .valid_i(encoder_valid),
    .symbol_i({encode_book_q, encode_symbol}),
    .last_i(last),
    .empty_i(1'b0),
    .ready_o(encoder_ready),
    .length_o(code_length),
    .word_valid_o(word_valid),
    .word_o(word),
    .word_last_o(word_last),
    .word_ready_i(1'b1),
    .error_o(encoder_error)
  );

  // The store of codes, and for each of its halves the index of the block's last symbol.
  logic                 stored_valid, stored_last, stored_ready, take, last_take;
  logic [35:0]          stored_word;
  logic [CountBits-1:0] last_index_q [2];

  always_ff @(posedge clk_i) begin
    if (encoded) last_index_q[encode_book_q[0]] <= index_q;
  end

  code_store #(.Words(StoreWords)) u_codes (
    .clk_i,
    .rst_ni(interior_rst_n),
    .begin_i(begin_block),
    .free_o(store_free),
    .release_i(last_take),
    .we_i(word_valid),
    .word_i(word),
    .last_i(word_last),
    .valid_o(stored_valid),
    .word_o(stored_word),
    .last_o(stored_last),
    .ready_i(stored_ready)
  );

  // Symbols out: a symbol is taken from the decoder while fewer than four are on their way.
  logic                  decoder_ready, decoder_error, decoded, decoded_last_q, out_valid;
  logic [1:0]            decoder_fault;
  logic [2:0]            outside_q;
  logic [SymbolBits-1:0] decoded_symbol, out_symbol;
  logic [CountBits-1:0]  take_index_q;

  assign take = decoder_ready && !outside_q[2];
  assign last_take = take && take_index_q == last_index_q[decode_book_q[0]];

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      decode_book_q <= '0;
      take_index_q <= '0;
      outside_q <= '0;
    end else begin
      if (last_take) decode_book_q <= decode_book_q + 1'b1;
      if (take) take_index_q <= last_take ? '0 : take_index_q + 1'b1;
      outside_q <= outside_q + 3'(take) - 3'(m_axis_tvalid_o && m_axis_tready_i);
    end
    decoded_last_q <= last_take;
  end

  huffman_decoder #(.SymbolBits(SymbolBits), .Books(Books), .Complete(1)) u_decoder (
    .clk_i,
    .rst_ni(interior_rst_n),
    .table_we_i(table_valid && table_length != '0),
    .table_addr_i({table_book, table_rank}),
    .table_symbol_i(table_symbol),
    .limits_i(limits),
    .bases_i(bases),
    .book_i(decode_book_q),
    .word_valid_i(stored_valid),
    .word_i(stored_word),
    .word_last_i(stored_last),
    .word_ready_o(stored_ready),
    .take_i(take),
    .end_i(last_take),
    .ready_o(decoder_ready),
    .valid_o(decoded),
    .symbol_o(decoded_symbol),
    .error_o(decoder_error),
    .fault_o(decoder_fault)
  );

  output_fifo #(.Width(SymbolBits + 1), .Depth(4)) u_output (
    .clk_i,
    .rst_ni(interior_rst_n),
    .push_i(decoded),
    .data_i({decoded_last_q, decoded_symbol}),
    .valid_o(out_valid),
    .data_o({m_axis_tlast_o, out_symbol}),
    .ready_i(m_axis_tready_i)
  );

  assign m_axis_tvalid_o = out_valid && interior_rst_n;
  assign m_axis_tdata_o = 8'(out_symbol);

  logic unused;
  assign unused = ^{builder_error, book_fault, encoder_error, decoder_error, decoder_fault};

`ifndef YOSYS
  // What is encoded is decoded: no block makes any part of the codec err, or waits for its symbols.
  always @(posedge clk_i) begin
    if (interior_rst_n) begin
      assert (!builder_error) else $error("a block has no book");
      assert (!book_done || book_fault == '0) else $error("a book has a fault");
      assert (!encoder_error) else $error("a symbol has no code");
      assert (!active_q || fifo_valid) else $error("a block is begun before its symbols are there");
      assert (!encoded || 32'(size) <= Depth * SymbolBits) else $error("a block is too large");
      assert (!decoder_error) else $error("a stored stream has a fault");
    end
  end
`endif

endmodule

`default_nettype wire
