// y = clamp((sum * m + b * 2^k + 2^(k+7)) >> (k+8)): scale, bias, round half up; one sum a cycle.
// param_i = {b[19:0] signed, m[15:0]} answers one cycle after param_re_o; the output beat comes
// exactly five cycles after the input beat, and every value in between is exact.

`default_nettype none

module requantizer #(
  /// Bits of the tag that travels with a sum.
  parameter int TagBits = 12,
  /// Bits of a sum, 18 to 32.
  parameter int SumBits = 32
) (
  input  logic                      clk_i,
  input  logic                      rst_ni,
  // Input beat
  input  logic                      valid_i,
  input  logic signed [SumBits-1:0] sum_i,
  input  logic [4:0]                shift_i,
  input  logic [1:0]                activation_i,
  input  logic [TagBits-1:0]        tag_i,
  // Parameters
  output logic                      param_re_o,
  input  logic [35:0]               param_i,
  // Output beat
  output logic                      valid_o,
  output logic [15:0]               y_o,
  output logic [TagBits-1:0]        tag_o
);

  localparam int Latency = 5;
  localparam int ProductBits = SumBits + 16;
  localparam int RoundedBits = ProductBits - 6;
  localparam logic [1:0] Relu = 2'd1, HardTanh = 2'd2;

  assign param_re_o = valid_i;

  // What only travels along: stage s's copy is what stage 1 saw s - 1 cycles ago.
  logic [Latency:1]         valid_q;
  logic [Latency*TagBits-1:0] tags_q;
  logic [14:0]              shifts_q;
  logic [7:0]               activations_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Latency-1:1], valid_i};
    tags_q <= {tags_q[(Latency-1)*TagBits-1:0], tag_i};
    shifts_q <= {shifts_q[9:0], shift_i};
    activations_q <= {activations_q[5:0], activation_i};
  end

  assign valid_o = valid_q[Latency];
  assign tag_o = tags_q[(Latency-1)*TagBits +: TagBits];

  // 1: the sum. 2: its product's halves, one DSP each. 3: the product. 4: the product >> k.
  logic signed [SumBits-1:0]     sum_q;
  logic signed [16:0]            scale;
  logic signed [33:0]            low_q;
  logic signed [SumBits-1:0]     high_q;
  logic signed [ProductBits-1:0] product_q, shifted_q;
  logic signed [19:0]            bias2_q, bias3_q, bias4_q;

  assign scale = $signed({1'b0, param_i[15:0]});

  always_ff @(posedge clk_i) begin
    sum_q <= sum_i;

    low_q <= $signed({1'b0, sum_q[16:0]}) * scale;
    high_q <= $signed(sum_q[SumBits-1:17]) * scale;
    bias2_q <= $signed(param_i[35:16]);

    product_q <= $signed({high_q[SumBits-2:0], 17'd0}) + ProductBits'(low_q);
    bias3_q <= bias2_q;

    shifted_q <= product_q >>> shifts_q[14:10];
    bias4_q <= bias3_q;
  end

  // 5: bias, rounding and clamp.
  logic signed [RoundedBits+7:0] biased;
  logic signed [RoundedBits-1:0] rounded;
  logic                          fits_byte, fits_word, negative;
  logic [1:0]                    activation;
  logic [15:0]                   wrapped, y;

  assign biased = (RoundedBits + 8)'(shifted_q) + (RoundedBits + 8)'(bias4_q)
      + (RoundedBits + 8)'(128);
  assign rounded = biased[RoundedBits+7:8];
  assign wrapped = rounded[15:0];
  assign negative = rounded[RoundedBits-1];
  assign fits_byte = rounded[RoundedBits-1:7] == {(RoundedBits - 7){negative}};
  assign fits_word = rounded[RoundedBits-1:15] == {(RoundedBits - 15){negative}};
  assign activation = activations_q[7:6];

  always_comb begin
    y = wrapped;
    case (activation)
      Relu: begin
        if (negative) y = '0;
        else if (!fits_byte) y = 16'd127;
      end
      HardTanh: if (!fits_byte) y = negative ? -16'sd128 : 16'sd127;
      default: if (!fits_word) y = {negative, {15{!negative}}};
    endcase
  end

  always_ff @(posedge clk_i) y_o <= y;

  logic unused_bits;
  assign unused_bits = ^{biased[7:0], high_q[SumBits-1]};

endmodule

`default_nettype wire
