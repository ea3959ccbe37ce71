// Adds up squares of sums, exactly, and keeps the least: a sum a cycle, end_i with the last one of a
// candidate, whose loss stands with its verdict five cycles later. The verdict is better if the loss is
// less than that of each candidate before it, since start_i: of equal ones the first is the best. With
// start_i no sum is on its way.

`default_nettype none

module noisy_loss #(
  /// Bits of a sum, 3 to 52; -2^(SumBits-1) does not come.
  parameter int SumBits = 45,
  /// Most sums of a candidate: 2^CountBits.
  parameter int CountBits = 12,
  localparam int LossBits = 2 * (SumBits - 1) + CountBits
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  input  logic                      start_i,
  // Sums
  input  logic                      valid_i,
  input  logic signed [SumBits-1:0] sum_i,
  input  logic                      end_i,
  // Verdicts
  output logic                      verdict_o,
  output logic [LossBits-1:0]       loss_o,
  output logic                      better_o
);

  localparam int SizeBits = SumBits - 1;
  localparam int SquareBits = 2 * SizeBits;

  if (SumBits < 3 || SumBits > 52) begin : gen_bad_sum_bits
    sum_bits_must_be_3_to_52 u_error ();
  end

  // 1: |sum|, in limbs of 17 bits. 2: their products. 3: those of like weight. 4: the square.
  // 5: the loss.
  logic [3:0]          valid_q, end_q;
  logic [SizeBits-1:0] size_q;
  logic [16:0]         a, b, c;
  logic [33:0]         aa_q, ab_q, bb_q, ac_q, bc_q, cc_q;
  logic [53:0]         low_q;
  logic [35:0]         middle_q;
  logic [51:0]         high_q;
  logic [103:0]        square;
  logic [SquareBits-1:0] square_q;

  assign {c, b, a} = 51'(size_q);
  assign square = 104'(low_q) + (104'(middle_q) << 34) + (104'(high_q) << 51);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[2:0], valid_i};
    end_q <= {end_q[2:0], end_i};
    size_q <= SizeBits'(sum_i[SumBits-1] ? -sum_i : sum_i);
    aa_q <= 34'(a) * 34'(a);
    ab_q <= 34'(a) * 34'(b);
    bb_q <= 34'(b) * 34'(b);
    ac_q <= 34'(a) * 34'(c);
    bc_q <= 34'(b) * 34'(c);
    cc_q <= 34'(c) * 34'(c);
    low_q <= 54'(aa_q) + {2'b0, ab_q, 18'd0};
    middle_q <= 36'(bb_q) + {1'b0, ac_q, 1'b0};
    high_q <= {1'b0, cc_q, 17'd0} + 52'({bc_q, 1'b0});
    square_q <= square[SquareBits-1:0];
  end

  logic                verdict_q, first_q, fresh_q;
  logic [LossBits-1:0] loss_q, best_q;

  assign verdict_o = verdict_q;
  assign loss_o = loss_q;
  assign better_o = fresh_q || loss_q < best_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      verdict_q <= 1'b0;
      first_q <= 1'b1;
      fresh_q <= 1'b1;
    end else begin
      verdict_q <= valid_q[3] && end_q[3];
      if (valid_q[3]) first_q <= end_q[3];
      if (start_i) fresh_q <= 1'b1;
      else if (verdict_q) fresh_q <= 1'b0;
    end
    if (valid_q[3]) loss_q <= LossBits'(square_q) + (first_q ? '0 : loss_q);
    if (verdict_q && better_o) best_q <= loss_q;
  end

  logic unused_square;
  assign unused_square = ^square[103:SquareBits];

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && start_i)
      assert (!valid_i && valid_q == '0 && !verdict_q) else $error("a search starts among sums");
  end
`endif

endmodule

`default_nettype wire
