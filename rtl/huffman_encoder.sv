// Packs one symbol's code a cycle into 36-bit words, highest bit first; last_i ends a stream, whose
// last word is padded with zeros (a stream without any bit is a word of zeros). A word is offered
// two cycles after the symbol that fills it. A stream whose last symbol fills a word and begins
// another costs one more cycle, in which ready_o is low. A symbol with empty_i adds no bits, whatever
// the table says, and is no error.

`default_nettype none

module huffman_encoder #(
  /// Bits of a symbol, 1 to 9.
  parameter int SymbolBits = 4
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  // Codes, addressed by symbol: length 0 (no code), 1 to 8; the code right-aligned
  input  logic                  table_we_i,
  input  logic [SymbolBits-1:0] table_addr_i,
  input  logic [3:0]            table_length_i,
  input  logic [7:0]            table_code_i,
  // Symbols
  input  logic                  valid_i,
  input  logic [SymbolBits-1:0] symbol_i,
  input  logic                  last_i,
  input  logic                  empty_i,
  output logic                  ready_o,
  // The bits that symbol_i adds, in the same cycle
  output logic [3:0]            length_o,
  // Words
  output logic                  word_valid_o,
  output logic [35:0]           word_o,
  output logic                  word_last_o,
  input  logic                  word_ready_i,
  // High in the cycle after the beat of a symbol without a code, which counts no bits
  output logic                  error_o
);

  if (SymbolBits < 1 || SymbolBits > 9) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_9 u_error ();
  end

  logic hold, beat, flush_q;

  assign hold = word_valid_o && !word_ready_i;
  assign ready_o = !hold && !flush_q;
  assign beat = valid_i && ready_o;

  // Code table: {length, code}, the code left-aligned.
  (* ram_style = "distributed" *)
  logic [11:0] table_q [2 ** SymbolBits];
  logic [11:0] entry;
  logic [7:0]  left_aligned;

  initial for (int i = 0; i < 2 ** SymbolBits; i++) table_q[i] = '0;

  always_ff @(posedge clk_i) begin
    if (table_we_i) table_q[table_addr_i] <= {table_length_i, left_aligned};
  end

  assign left_aligned = table_code_i << (4'd8 - table_length_i);
  assign entry = table_q[symbol_i];
  assign length_o = empty_i ? '0 : entry[11:8];

  // Stage 1: the symbol's code.
  logic       valid_q, last_q;
  logic [3:0] length_q;
  logic [7:0] code_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      error_o <= 1'b0;
    end else begin
      if (ready_o) valid_q <= valid_i;
      error_o <= beat && !empty_i && entry[11:8] == '0;
    end
    if (ready_o) begin
      last_q <= last_i;
      length_q <= length_o;
      code_q <= empty_i ? '0 : entry[7:0];
    end
  end

  // Stage 2: count_q bits wait, left-aligned, for the word to be full.
  logic [5:0]  count_q, total, excess;
  logic [35:0] bits_q;
  logic [43:0] joined;
  logic        fills, emit;

  assign total = count_q + 6'(length_q);
  assign excess = total - 6'd36;
  assign fills = total >= 6'd36;
  assign joined = {bits_q, 8'd0} | ({code_q, 36'd0} >> count_q);
  assign emit = flush_q || (valid_q && (fills || last_q));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      word_valid_o <= 1'b0;
      flush_q <= 1'b0;
      count_q <= '0;
      bits_q <= '0;
    end else if (!hold) begin
      word_valid_o <= emit;
      flush_q <= !flush_q && valid_q && last_q && fills && excess != '0;
      if (flush_q) begin
        count_q <= '0;
        bits_q <= '0;
      end else if (valid_q && fills) begin
        count_q <= excess;
        bits_q <= {joined[7:0], 28'd0};
      end else if (valid_q) begin
        count_q <= last_q ? '0 : total;
        bits_q <= last_q ? '0 : joined[43:8];
      end
    end
    if (!hold && emit) begin
      word_o <= flush_q ? bits_q : joined[43:8];
      word_last_o <= flush_q || (last_q && (!fills || excess == '0));
    end
  end

endmodule

`default_nettype wire
