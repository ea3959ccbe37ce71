// The book of each symbol of a channel by the symbol above it, Row symbols before: BOOK_OF of that one,
// and book 0 for a channel's first Row symbols. A step is one symbol of the channel; last_i is with its
// last one, and the next step is the next channel's first. A step per cycle.
//
// book_o is the book of the symbol of the next step, from a register; read_o is what book_o will be in
// the next cycle, for a memory that is read a cycle ahead: it depends on step_i and last_i. symbol_i is
// the symbol of the step one cycle before. It is looked up in the cycle after that and kept from then
// on, so that a row of four symbols, the shortest, has it in time. With mask_i 0 all books are 0.

`default_nettype none

module edqa_context #(
  /// Bits of a symbol, 1 to 6.
  parameter int SymbolBits = 6,
  /// Books: 2, 4 or 8.
  parameter int Books = 4,
  localparam int BookBits = $clog2(Books)
) (
  input  logic                  clk_i,
  input  logic                  rst_ni,
  // BOOK_OF
  input  logic                  we_i,
  input  logic [SymbolBits-1:0] waddr_i,
  input  logic [BookBits-1:0]   wdata_i,
  // The books in use less 1, the row's symbols less 1 (at least 3): stable from step to step
  input  logic [BookBits-1:0]   mask_i,
  input  logic [5:0]            row_i,
  // Steps
  input  logic                  step_i,
  input  logic                  last_i,
  input  logic [SymbolBits-1:0] symbol_i,
  output logic [BookBits-1:0]   book_o,
  output logic [BookBits-1:0]   read_o
);

  if (SymbolBits < 1 || SymbolBits > 6) begin : gen_bad_symbol_bits
    symbol_bits_must_be_1_to_6 u_error ();
  end
  if (Books != 2 && Books != 4 && Books != 8) begin : gen_bad_books
    books_must_be_2_4_or_8 u_error ();
  end

  (* ram_style = "distributed" *)
  logic [BookBits-1:0] book_of_q [2 ** SymbolBits];

  initial for (int i = 0; i < 2 ** SymbolBits; i++) book_of_q[i] = '0;

  always_ff @(posedge clk_i) begin
    if (we_i) book_of_q[waddr_i] <= wdata_i;
  end

  // The row is a ring: the next step's place, and that of the step behind it, which has a symbol above
  // once the ring went round.
  logic [5:0] place_q, ahead_q;
  logic       above_q, ahead_ends;

  assign ahead_ends = ahead_q == row_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || (step_i && last_i)) begin
      place_q <= 6'd0;
      ahead_q <= 6'd1;
      above_q <= 1'b0;
    end else if (step_i) begin
      place_q <= ahead_q;
      ahead_q <= ahead_ends ? '0 : ahead_q + 1'b1;
      above_q <= above_q || ahead_ends;
    end
  end

  // Steps of two cycles, until a symbol's book is in the ring.
  logic                  stepped_q, known_q;
  logic [5:0]            stepped_place_q, known_place_q;
  logic [SymbolBits-1:0] known_symbol_q;

  (* ram_style = "distributed" *)
  logic [BookBits-1:0] ring_q [64];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      stepped_q <= 1'b0;
      known_q <= 1'b0;
    end else begin
      stepped_q <= step_i;
      known_q <= stepped_q;
    end
    stepped_place_q <= place_q;
    known_place_q <= stepped_place_q;
    known_symbol_q <= symbol_i;
    if (known_q) ring_q[known_place_q] <= book_of_q[known_symbol_q] & mask_i;
  end

  // At the row's end the place behind the last one is the first one again.
  assign read_o = !step_i ? book_o : (last_i || !above_q) ? '0 : ring_q[ahead_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) book_o <= '0;
    else book_o <= read_o;
  end

endmodule

`default_nettype wire
