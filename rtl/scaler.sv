// y = clamp(zero_point + round(v * m / 2^s), low, high): a sum becomes a value of another scale, one a
// cycle, by a rule of its own; the output beat comes exactly seven cycles after the input beat. The
// factor is m / 2^s with m of FactorBits bits and s in 0..63. Nothing wraps: what is too large saturates.
//
// The rules, by rule_i:
//   0 (and 3) half up: the nearest integer, ties upwards;
//   1 half even: the nearest, ties to the even one;
//   2 as TensorFlow Lite's integer kernels round: up to s = 31 half up at s, above it half up at 31
//     and then, of that result, the nearest at s - 31 with ties away from zero.
// y is low where zero point + rounded is below it, else high where it is above that: of a low above
// high, low or high.
//
// The product is exact: 2 DSP48E1 for sums of up to 25 bits, 4 for wider ones, half as many where m has 17 bits
// at most, and none where it is not there and counts as 1. Of it an 8-bit window and a bit below are shifted
// out; what lies above only saturates, what lies below only breaks ties.

`default_nettype none

module scaler #(
  /// Bits of v, 12 to 32.
  parameter int SumBits = 25,
  /// 0: m is 1, whatever m_i is.
  parameter int Multiply = 1,
  /// Bits of m, 8 to 31.
  parameter int FactorBits = 31
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  // Sums
  input  logic                      valid_i,
  input  logic signed [SumBits-1:0] v_i,
  input  logic [FactorBits-1:0]     m_i,
  input  logic [5:0]                shift_i,
  input  logic [1:0]                rule_i,
  input  logic signed [7:0]         zero_i,
  input  logic signed [7:0]         low_i,
  input  logic signed [7:0]         high_i,
  // Values
  output logic                      valid_o,
  output logic signed [7:0]         y_o
);

  localparam int Latency = 7;
  localparam int ProductBits = SumBits + FactorBits;
  localparam logic [1:0] HalfEven = 2'd1, Tflite = 2'd2;

  if (SumBits < 12 || SumBits > 32) begin : gen_bad_sum_bits
    sum_bits_must_be_12_to_32 u_error ();
  end
  if (FactorBits < 8 || FactorBits > 31) begin : gen_bad_factor_bits
    factor_bits_must_be_8_to_31 u_error ();
  end

  // What only travels along, up to the stage that reads it.
  logic [Latency-1:0] valid_q;
  logic [3*6-1:0]     shifts_q;
  logic [3:0]         near_q;
  logic [3*2-1:0]     rules_q;
  logic [5*8-1:0]     zeros_q;
  logic [6*16-1:0]    bounds_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Latency-2:0], valid_i};
    shifts_q <= {shifts_q[2*6-1:0], shift_i};
    near_q <= shifts_q[2*6 +: 4];
    rules_q <= {rules_q[2*2-1:0], rule_i};
    zeros_q <= {zeros_q[4*8-1:0], zero_i};
    bounds_q <= {bounds_q[5*16-1:0], high_i, low_i};
  end

  assign valid_o = valid_q[Latency-1];

  // 1: the operands. 2: the product's parts, by 17 bits of m. 3: the product.
  logic signed [SumBits-1:0]     v_q;
  logic [FactorBits-1:0]         m_q;
  logic signed [ProductBits-1:0] product_q;

  always_ff @(posedge clk_i) begin
    v_q <= v_i;
    m_q <= m_i;
  end

  if (Multiply == 0) begin : gen_no_product
    logic signed [SumBits-1:0] late_q, later_q;
    logic                      unused_m;

    always_ff @(posedge clk_i) begin
      late_q <= v_q;
      later_q <= late_q;
    end
    assign product_q = ProductBits'(later_q);
    assign unused_m = ^m_q;
  end else if (SumBits <= 25 && FactorBits <= 17) begin : gen_one_part
    logic signed [ProductBits-1:0] early_q, whole_q;

    always_ff @(posedge clk_i) begin
      early_q <= v_q * $signed({1'b0, m_q});
      whole_q <= early_q;
    end
    assign product_q = whole_q;
  end else if (SumBits <= 25) begin : gen_two_parts
    logic signed [SumBits+16:0] low_q;
    logic signed [SumBits+FactorBits-18:0] high_q, top_q;
    logic [16:0]                bottom_q;

    // Written so that all of it is in two DSP48E1.
    always_ff @(posedge clk_i) begin
      low_q <= v_q * $signed({1'b0, m_q[16:0]});
      high_q <= v_q * $signed({1'b0, m_q[FactorBits-1:17]});
      top_q <= high_q + (SumBits + FactorBits - 17)'($signed(low_q[SumBits+16:17]));
      bottom_q <= low_q[16:0];
    end
    assign product_q = {top_q, bottom_q};
  end else if (FactorBits <= 17) begin : gen_two_halves
    logic signed [17:0]                       lower;
    logic signed [SumBits-18:0]               upper;
    logic signed [FactorBits+17:0]            low_q;
    logic signed [SumBits+FactorBits-18:0]    high_q, top_q;
    logic [16:0]                              bottom_q;

    assign lower = $signed({1'b0, v_q[16:0]});
    assign upper = $signed(v_q[SumBits-1:17]);

    always_ff @(posedge clk_i) begin
      low_q <= lower * $signed({1'b0, m_q});
      high_q <= upper * $signed({1'b0, m_q});
      top_q <= high_q + (SumBits + FactorBits - 17)'($signed(low_q[FactorBits+17:17]));
      bottom_q <= low_q[16:0];
    end
    assign product_q = {top_q, bottom_q};
  end else begin : gen_four_parts
    logic signed [17:0]         lower;
    logic signed [SumBits-18:0] upper;
    logic signed [34:0]         low_q;
    logic signed [SumBits-1:0]  upper_low_q;
    logic signed [FactorBits:0] lower_high_q;
    logic signed [35:0]         middle, across;
    logic signed [SumBits+FactorBits-35:0] high_q, top_q;
    logic [33:0]                bottom_q;

    assign lower = $signed({1'b0, v_q[16:0]});
    assign upper = $signed(v_q[SumBits-1:17]);
    assign middle = 36'(lower_high_q) + 36'($signed(low_q[34:17]));
    assign across = 36'(upper_low_q) + middle;

    always_ff @(posedge clk_i) begin
      low_q <= lower * $signed({1'b0, m_q[16:0]});
      upper_low_q <= upper * $signed({1'b0, m_q[16:0]});
      lower_high_q <= lower * $signed({1'b0, m_q[FactorBits-1:17]});
      high_q <= upper * $signed({1'b0, m_q[FactorBits-1:17]});
      top_q <= high_q + (SumBits + FactorBits - 34)'($signed(across[35:17]));
      bottom_q <= {across[16:0], low_q[16:0]};
    end
    assign product_q = {top_q, bottom_q};
  end

  // 4: {product, 0} by multiples of 16: from bit 0 on, the half below the result and the result. Bits
  // above that are not like the sign say that it is too large; of those below counts whether one is set
  // or, where a half may be missing by less than one at 31 (round_up), whether all are.
  localparam int WideBits = 3 * 16 + 24;

  logic signed [WideBits-1:0] wide;
  logic [WideBits-1:24]       unlike;  // the sign
  logic                       negative, twice, round_up;
  logic [1:0]                 far, rule;
  logic [23:0]                window4_q;
  logic                       above4_q, below4_q, negative4_q, even4_q, down4_q, up4_q;

  assign wide = WideBits'($signed({product_q, 1'b0}));
  assign negative = product_q[ProductBits-1];
  assign unlike = wide[WideBits-1:24] ^ {(WideBits - 24){negative}};
  assign far = shifts_q[2*6+4 +: 2];
  assign rule = rules_q[2*2 +: 2];
  assign twice = rule == Tflite && far[1];  // first at 31, bit 31 of `wide` being its half
  assign round_up = twice && !negative && wide[31];

  always_ff @(posedge clk_i) begin
    case (far)
      2'd0: begin
        window4_q <= wide[23:0];
        above4_q <= unlike != '0;
        below4_q <= 1'b0;
      end
      2'd1: begin
        window4_q <= wide[39:16];
        above4_q <= unlike[WideBits-1:40] != '0;
        below4_q <= wide[15:0] != '0;
      end
      2'd2: begin
        window4_q <= wide[55:32];
        above4_q <= unlike[WideBits-1:56] != '0;
        below4_q <= !twice && wide[31:0] != '0;
      end
      default: begin
        window4_q <= wide[71:48];
        above4_q <= 1'b0;
        below4_q <= (wide[47:32] ^ {16{round_up}}) != '0 || (!twice && wide[31:0] != '0);
      end
    endcase
    negative4_q <= negative;
    even4_q <= rule == HalfEven;
    down4_q <= twice && negative && !wide[31];
    up4_q <= round_up;
  end

  // 5: by the rest of s, first by multiples of 4.
  logic [1:0]  near_high, near_low;
  logic [11:0] coarse, above_coarse, below_coarse;
  logic [8:0]  fine;
  logic [2:0]  above_fine, below_fine;
  logic [8:0]  window5_q;
  logic        above5_q, below5_q, negative5_q, even5_q, down5_q, up5_q;

  assign {near_high, near_low} = near_q;

  always_comb begin
    case (near_high)
      2'd0: {above_coarse, coarse, below_coarse} = {window4_q, {12{up4_q}}};
      2'd1: {above_coarse, coarse, below_coarse} = {{4{negative4_q}}, window4_q, {8{up4_q}}};
      2'd2: {above_coarse, coarse, below_coarse} = {{8{negative4_q}}, window4_q, {4{up4_q}}};
      default: {above_coarse, coarse, below_coarse} = {{12{negative4_q}}, window4_q};
    endcase
    case (near_low)
      2'd0: {above_fine, fine, below_fine} = {coarse, {3{up4_q}}};
      2'd1: {above_fine, fine, below_fine} = {negative4_q, coarse, {2{up4_q}}};
      2'd2: {above_fine, fine, below_fine} = {{2{negative4_q}}, coarse, up4_q};
      default: {above_fine, fine, below_fine} = {{3{negative4_q}}, coarse};
    endcase
  end

  always_ff @(posedge clk_i) begin
    window5_q <= fine;
    above5_q <= above4_q || {above_coarse, above_fine} != {15{negative4_q}};
    below5_q <= below4_q || {below_coarse, below_fine} != {15{up4_q}};
    negative5_q <= negative4_q;
    even5_q <= even4_q;
    down5_q <= down4_q;
    up5_q <= up4_q;
  end

  // 6: rounded, and the zero point added. A result that was too large is so far out that no zero
  // point brings it back, rounded or not.
  logic              half, odd, up;
  logic [7:0]        result;
  logic signed [9:0] value6_q;

  assign half = window5_q[0];
  assign odd = window5_q[1];
  assign result = above5_q ? {8{!negative5_q}} : window5_q[8:1];

  always_comb begin
    up = half;
    if (even5_q) up = half && (below5_q || odd);
    if (down5_q) up = half && below5_q;
    if (up5_q) up = half || !below5_q;
  end

  always_ff @(posedge clk_i) begin
    value6_q <= 10'($signed({negative5_q, result})) + 10'($signed(zeros_q[4*8 +: 8]))
        + 10'($signed({1'b0, up}));
  end

  // 7: clamped.
  logic signed [7:0] low, high;

  assign {high, low} = bounds_q[5*16 +: 16];

  always_ff @(posedge clk_i) begin
    if (value6_q < 10'(low)) y_o <= low;
    else if (value6_q > 10'(high)) y_o <= high;
    else y_o <= value6_q[7:0];
  end

endmodule

`default_nettype wire
