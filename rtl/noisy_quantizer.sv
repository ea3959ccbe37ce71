// Quantizes values to a step s behind an offset c: code q = ceil(t / s - 1/2) of t = F x + c, that is
// t / s rounded with halves down; the error s q - t; and the value s q - c that q stands for. Step,
// offset, error and value are integers in units of 1/F of x's, F = 50 (2^(Bits-1) - 1), in which
// NoisyQuant's steps and offsets are whole numbers. One value a cycle, each with a step, an offset and a
// range of its own; the outputs come Latency = 5 + QuotientBits cycles later, by a restoring division.
//
// The range: Clip holds q in +-(2^(Bits-1) - 1), what clamping x to that many steps does; Free has no
// bound that matters (q to 2^QuotientBits - 1); Code is what Bits bits hold, -2^(Bits-1) to
// 2^(Bits-1) - 1, and the only one with a code at the output. A step of 0 makes q 0.

`default_nettype none

module noisy_quantizer #(
  /// Bits of a value, 8 to 16.
  parameter int DataBits = 16,
  /// Bits of a code, 2 to 5.
  parameter int Bits = 3,
  /// Bits of a tag that travels with a value.
  parameter int TagBits = 7,
  localparam int Most = 2 ** (Bits - 1) - 1,
  localparam int StepBits = DataBits + 5,
  localparam int OffsetBits = DataBits + 6,
  localparam int ErrorBits = DataBits + $clog2(45 * Most)
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  // Values
  input  logic                         valid_i,
  input  logic signed [DataBits-1:0]   x_i,
  input  logic [StepBits-1:0]          step_i,
  input  logic signed [OffsetBits-1:0] offset_i,
  input  logic [1:0]                   range_i,
  input  logic [TagBits-1:0]           tag_i,
  // Results; the error of Clip and Free, for steps of a tenth to ten tenths of the largest value
  output logic                         valid_o,
  output logic signed [ErrorBits-1:0]  error_o,
  output logic signed [4:0]            code_o,
  output logic signed [26:0]           value_o,
  output logic [TagBits-1:0]           tag_o
);

  localparam int Factor = 50 * Most;
  localparam int QuotientBits = $clog2(10 * Most + 2);
  localparam int Latency = 5 + QuotientBits;
  localparam int ScaledBits = DataBits + $clog2(Factor + 1);
  localparam int SumBits = ((ScaledBits > OffsetBits) ? ScaledBits : OffsetBits) + 1;
  localparam int RestBits = SumBits + 1;
  localparam int StepsBits = StepBits + QuotientBits;
  localparam int CompareBits = ((RestBits > StepsBits) ? RestBits : StepsBits) + 1;
  localparam logic [1:0] Free = 2'd1, Code = 2'd2;

  if (DataBits < 8 || DataBits > 16) begin : gen_bad_data_bits
    data_bits_must_be_8_to_16 u_error ();
  end
  if (Bits < 2 || Bits > 5) begin : gen_bad_bits
    bits_must_be_2_to_5 u_error ();
  end

  // What only travels along.
  logic [Latency-1:0]         valid_q;
  logic [Latency*TagBits-1:0] tags_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Latency-2:0], valid_i};
    tags_q <= {tags_q[(Latency-1)*TagBits-1:0], tag_i};
  end

  assign valid_o = valid_q[Latency-1];
  assign tag_o = tags_q[(Latency-1)*TagBits +: TagBits];

  // 1: F x. 2: t - 1, whose sign tells t > 0. 3: what is divided by 2s: 2t + s - 1 or, of t <= 0,
  // -2t + s, so that halves go down in both. A step of 0 subtracts nothing.
  logic signed [ScaledBits-1:0]  scaled1_q, scaled2_q, scaled3_q;
  logic signed [OffsetBits-1:0]  offset1_q;
  logic signed [SumBits-1:0]     less2_q;
  logic [StepBits-1:0]           step1_q, step2_q, step3_q;
  logic [1:0]                    range1_q, range2_q;
  logic [RestBits-1:0]           rest3_q;
  logic                          positive3_q;
  logic [2:0]                    enable3_q;  // the divisor's multiples: upper ones, lower ones, once more

  always_ff @(posedge clk_i) begin
    scaled1_q <= ScaledBits'(x_i) * $signed(ScaledBits'(Factor));
    offset1_q <= offset_i;
    step1_q <= step_i;
    range1_q <= range_i;

    less2_q <= SumBits'(scaled1_q) + SumBits'(offset1_q) - SumBits'(1);
    scaled2_q <= scaled1_q;
    step2_q <= step1_q;
    range2_q <= range1_q;

    rest3_q <= RestBits'(step2_q) + ({less2_q, 1'b1} ^ {RestBits{less2_q[SumBits-1]}});
    positive3_q <= !less2_q[SumBits-1];
    enable3_q <= {range2_q == Free, 1'b1, range2_q == Code && less2_q[SumBits-1]}
        & {3{step2_q != '0}};
    scaled3_q <= scaled2_q;
    step3_q <= step2_q;
  end

  // A stage for each multiple 2s * 2^k, from the largest, and one more of 2s, that of -2^(Bits-1).
  localparam int Stages = QuotientBits + 1;

  logic [(Stages+1)*RestBits-1:0]   rests;
  logic [(Stages+1)*StepBits-1:0]   steps;
  logic [(Stages+1)*ScaledBits-1:0] scaleds;
  logic [(Stages+1)*3-1:0]          enables;
  logic [Stages:0]                  positives;
  logic [(Stages+1)*Bits-1:0]       counts;

  assign rests[RestBits-1:0] = rest3_q;
  assign steps[StepBits-1:0] = step3_q;
  assign scaleds[ScaledBits-1:0] = scaled3_q;
  assign enables[2:0] = enable3_q;
  assign positives[0] = positive3_q;
  assign counts[Bits-1:0] = '0;

  for (genvar g = 0; g < Stages; g++) begin : gen_stage
    localparam int Shift = (g == QuotientBits) ? 0 : QuotientBits - 1 - g;
    localparam int Enable = (g == QuotientBits) ? 0 : (Shift >= Bits - 1) ? 2 : 1;
    localparam int Weight = (Shift >= Bits) ? 0 : 2 ** Shift;

    logic [RestBits-1:0]    rest, rest_q;
    logic [StepBits-1:0]    step, step_q;
    logic [ScaledBits-1:0]  scaled_q;
    logic [2:0]             enable, enable_q;
    logic [Bits-1:0]        count, count_q;
    logic [CompareBits-1:0] difference;
    logic                   positive_q, take;

    assign rest = rests[g*RestBits +: RestBits];
    assign step = steps[g*StepBits +: StepBits];
    assign enable = enables[3*g +: 3];
    assign count = counts[g*Bits +: Bits];
    assign difference = CompareBits'(rest) - (CompareBits'(step) << (Shift + 1));
    assign take = enable[Enable] && !difference[CompareBits-1];

    always_ff @(posedge clk_i) begin
      rest_q <= take ? difference[RestBits-1:0] : rest;
      count_q <= take ? count + Bits'(Weight) : count;
      step_q <= step;
      scaled_q <= scaleds[g*ScaledBits +: ScaledBits];
      enable_q <= enable;
      positive_q <= positives[g];
    end

    assign rests[(g+1)*RestBits +: RestBits] = rest_q;
    assign steps[(g+1)*StepBits +: StepBits] = step_q;
    assign scaleds[(g+1)*ScaledBits +: ScaledBits] = scaled_q;
    assign enables[3*(g+1) +: 3] = enable_q;
    assign positives[g+1] = positive_q;
    assign counts[(g+1)*Bits +: Bits] = count_q;
  end

  // The rest is 2 |t| - 2s |q| + s, less 1 if t > 0: half of it without s is the error or its
  // complement, because the 1 that is missing is the complement's.
  logic                         positive;
  logic [Bits-1:0]              count;
  logic signed [RestBits:0]     doubled;
  logic signed [RestBits-1:0]   error_q;
  logic signed [ScaledBits-1:0] scaled_q;
  logic                         unused_bits;

  assign positive = positives[Stages];
  assign count = counts[Stages*Bits +: Bits];
  assign doubled = $signed({1'b0, rests[Stages*RestBits +: RestBits]})
      - (RestBits + 1)'(steps[Stages*StepBits +: StepBits]);

  always_ff @(posedge clk_i) begin
    error_q <= doubled[RestBits:1] ^ {RestBits{positive}};
    code_o <= positive ? 5'(count) : 5'd0 - 5'(count);
    scaled_q <= $signed(scaleds[Stages*ScaledBits +: ScaledBits]);
  end

  assign error_o = error_q[ErrorBits-1:0];
  assign value_o = 27'(scaled_q) + 27'(error_q);
  assign unused_bits = ^{doubled[0], enables[3*Stages +: 3], error_q};

endmodule

`default_nettype wire
