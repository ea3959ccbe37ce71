// Counts the symbols of blocks, one symbol per cycle, in two banks: while a block is counted, the
// counts of the block before are taken. They are offered in order of symbols from the cycle after
// the block's last symbol on, or after the last count of the block before. A block's first symbol is
// taken from the cycle after the last count of the block two before it on, the others always.

`default_nettype none

module histogram #(
  /// Symbols, 2 to 32; each that comes is below.
  parameter int Symbols = 8,
  /// Bits of a count, 1 to 32; no block has more than 2^CountBits - 1 symbols.
  parameter int CountBits = 13,
  localparam int SymbolBits = $clog2(Symbols)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  // Symbols; last_i ends a block
  input  logic                  valid_i,
  input  logic [SymbolBits-1:0] symbol_i,
  input  logic                  last_i,
  output logic                  ready_o,
  // Counts, in order of symbols
  output logic                  count_valid_o,
  output logic [CountBits-1:0]  count_o,
  input  logic                  count_ready_i
);

  if (Symbols < 2 || Symbols > 32) begin : gen_bad_symbols
    symbols_must_be_2_to_32 u_error ();
  end
  if (CountBits < 1 || CountBits > 32) begin : gen_bad_count_bits
    count_bits_must_be_1_to_32 u_error ();
  end

  logic                  beat, count_beat, last_count;
  logic                  bank_q, count_bank_q;
  logic [1:0]            full_q;
  logic [SymbolBits-1:0] index_q;

  assign ready_o = !full_q[bank_q];
  assign beat = valid_i && ready_o;
  assign count_valid_o = full_q[count_bank_q];
  assign count_beat = count_valid_o && count_ready_i;
  assign last_count = index_q == SymbolBits'(Symbols - 1);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      bank_q <= 1'b0;
      count_bank_q <= 1'b0;
      full_q <= '0;
      index_q <= '0;
    end else begin
      if (beat && last_i) begin
        bank_q <= !bank_q;
        full_q[bank_q] <= 1'b1;
      end
      if (count_beat) index_q <= last_count ? '0 : index_q + 1'b1;
      if (count_beat && last_count) begin
        count_bank_q <= !count_bank_q;
        full_q[count_bank_q] <= 1'b0;
      end
    end
  end

  // A count is in the memory if its symbol was seen since the bank was last given out, else it is 0.
  localparam int Rows = 2 ** (SymbolBits + 1);

  (* ram_style = "distributed" *)
  logic [CountBits-1:0]  counts_q [Rows];
  logic [Rows-1:0]       seen_q;
  logic [SymbolBits:0]   row, count_row;
  logic [CountBits-1:0]  count;

  assign row = {bank_q, symbol_i};
  assign count_row = {count_bank_q, index_q};
  assign count = seen_q[row] ? counts_q[row] : '0;
  assign count_o = seen_q[count_row] ? counts_q[count_row] : '0;

  always_ff @(posedge clk_i) begin
    if (beat) counts_q[row] <= count + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      seen_q <= '0;
    end else begin
      if (count_beat) seen_q[count_row] <= 1'b0;
      if (beat) seen_q[row] <= 1'b1;
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && beat) begin
      assert (32'(symbol_i) < Symbols) else $error("a symbol is outside the alphabet");
      assert (count != '1) else $error("a count overflows");
      assert (!count_beat || bank_q != count_bank_q) else $error("a bank is counted and given out");
    end
  end

  handshake_check #(.Width(CountBits)) u_check (
    .clk_i, .rst_ni, .valid_i(count_valid_o), .ready_i(count_ready_i), .data_i(count_o)
  );
`endif

endmodule

`default_nettype wire
