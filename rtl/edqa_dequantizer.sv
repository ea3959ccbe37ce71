// Value = max * w / 2^K with w = q 2^m + se or, with raw_i, (q + se) 2^m; K is T - 1 if signed, else
// T. Integers are exact, max * w in units of 1 / 2^K of the input's: int16 in 32 bits, int32 in 64.
// float32 is rounded to 24 bits, half to even; then a value below the smallest normal number is +0
// (flag 0), one above the largest finite number is that (flag 1), and 0 is +0. A maximum with
// exponent 0 is 0, one with exponent 255 as any other.
// One value per cycle, and no stall: the value of cycle c comes out in cycle c + 3, float32 in c + 5,
// its flags with it. The first four inputs are stable while values are inside. A reset forgets those.

`default_nettype none

module edqa_dequantizer #(
  /// 0: int16, 1: int32, 2: float32.
  parameter int Format = 0,
  /// Largest T, 2 to 12.
  parameter int MaxBits = 6,
  /// Largest m, 0 to 7.
  parameter int MaxExtra = 3,
  localparam int MagnitudeBits = (Format == 0) ? 16 : (Format == 1) ? 32 : 31,
  localparam int ResultBits = (Format == 1) ? 64 : 32,
  localparam int ErrorBits = (MaxExtra > 1) ? MaxExtra : 1
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  // T, 2 to MaxBits, and m, up to MaxExtra
  input  logic [3:0]               bits_i,
  input  logic [2:0]               extra_i,
  input  logic                     signed_i,
  input  logic                     raw_i,
  // Values: q in two's complement, unsigned with zeros above; se below 2^m
  input  logic                     valid_i,
  input  logic [MaxBits-1:0]       q_i,
  input  logic [ErrorBits-1:0]     se_i,
  input  logic [MagnitudeBits-1:0] maximum_i,
  input  logic                     last_i,
  output logic                     valid_o,
  output logic [ResultBits-1:0]    value_o,
  output logic                     last_o,
  output logic [1:0]               flags_o
);

  if (Format < 0 || Format > 2) begin : gen_bad_format
    format_must_be_0_to_2 u_error ();
  end
  if (MaxBits < 2 || MaxBits > 12) begin : gen_bad_max_bits
    max_bits_must_be_2_to_12 u_error ();
  end
  if (MaxExtra < 0 || MaxExtra > 7) begin : gen_bad_max_extra
    max_extra_must_be_0_to_7 u_error ();
  end

  localparam int Latency = (Format == 2) ? 5 : 3;
  // |w| < 2^SizeBits: w <= (2^(T-m) - 1 + 2^m - 1) 2^m.
  localparam int SizeBits = ((MaxBits > 2 * MaxExtra) ? MaxBits : 2 * MaxExtra) + 1;

  logic [Latency-1:0] valid_q, last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Latency-2:0], valid_i};
    last_q <= {last_q[Latency-2:0], last_i};
  end

  assign valid_o = valid_q[Latency-1];
  assign last_o = last_q[Latency-1];

  // 1: w.
  logic signed [SizeBits:0]  q, w_q;
  logic [SizeBits:0]         se;
  logic [MagnitudeBits-1:0]  maximum_q;

  // Sign bits of their own: an unsigned q of MaxBits bits is no negative number.
  assign q = (SizeBits + 1)'($signed({signed_i && q_i[MaxBits-1], q_i}));
  assign se = (SizeBits + 1)'(se_i);

  // se comes late, behind a decoder: it goes through as little as can be.
  always_ff @(posedge clk_i) begin
    w_q <= (q <<< extra_i) + $signed(se << (raw_i ? extra_i : 3'd0));
    maximum_q <= maximum_i;
  end

  if (Format == 0) begin : gen_int16
    // 2: the product, within one DSP. 3: what it makes of its output.
    logic signed [SizeBits+17:0] product_q, result_q;

    always_ff @(posedge clk_i) begin
      product_q <= w_q * $signed({1'b0, maximum_q});
      result_q <= product_q;
    end

    assign value_o = ResultBits'(result_q);
    assign flags_o = '0;
  end

  if (Format == 1) begin : gen_int32
    // 2: the products of both halves, one DSP each. 3: their sum.
    logic signed [SizeBits+18:0] low_q;
    logic signed [SizeBits+16:0] high_q, upper_q;
    logic [16:0]                 lower_q;

    always_ff @(posedge clk_i) begin
      low_q <= w_q * $signed({1'b0, maximum_q[16:0]});
      high_q <= w_q * $signed({1'b0, maximum_q[31:17]});
      upper_q <= high_q + (SizeBits + 17)'(low_q >>> 17);
      lower_q <= low_q[16:0];
    end

    assign value_o = ResultBits'($signed({upper_q, lower_q}));
    assign flags_o = '0;
  end

  if (Format == 2) begin : gen_float
    localparam int ZeroBits = $clog2(SizeBits);
    localparam int ProductBits = SizeBits + 24;

    // 2: |w|, and the exponent that the result has if the highest bit of |w| can be 1.
    logic                   negative2_q, zero2_q;
    logic [SizeBits-1:0]    size2_q;
    logic [9:0]             exponent2_q;
    logic [22:0]            fraction2_q;
    // 3: |w| shifted until it is.
    logic                   negative3_q, zero3_q;
    logic [SizeBits-1:0]    size, size3_q;
    logic [ZeroBits-1:0]    zeros;
    logic [9:0]             exponent3_q;
    logic [22:0]            fraction3_q;
    // 4: the product, within one DSP. Of its two highest bits one is 1.
    logic                   negative4_q, zero4_q;
    logic [ProductBits-1:0] product_q;
    logic [9:0]             exponent4_q;

    logic [3:0]             highest;

    assign highest = 4'(SizeBits - 1) - bits_i + 4'(signed_i);  // w's highest bit / 2^K

    always_comb begin
      size = size2_q;
      zeros = '0;
      for (int b = ZeroBits - 1; b >= 0; b--) begin
        zeros[b] = (size >> (SizeBits - 2 ** b)) == '0;
        if (zeros[b]) size = size << 2 ** b;
      end
    end

    always_ff @(posedge clk_i) begin
      negative2_q <= w_q[SizeBits];
      zero2_q <= maximum_q[30:23] == '0;
      size2_q <= SizeBits'((w_q ^ {(SizeBits + 1){w_q[SizeBits]}}) + (SizeBits + 1)'(w_q[SizeBits]));
      exponent2_q <= {2'd0, maximum_q[30:23]} + {6'd0, highest};
      fraction2_q <= maximum_q[22:0];

      negative3_q <= negative2_q;
      zero3_q <= zero2_q || !size[SizeBits-1];
      size3_q <= size;
      exponent3_q <= exponent2_q - 10'(zeros);
      fraction3_q <= fraction2_q;

      negative4_q <= negative3_q;
      zero4_q <= zero3_q;
      product_q <= {1'b1, fraction3_q} * size3_q;
      exponent4_q <= exponent3_q;
    end

    // 5: rounded. A fraction that overflows is 0, and the exponent one more.
    logic        top, half, rest, up, below, above;
    logic [22:0] fraction;
    logic [32:0] rounded;
    logic [9:0]  exponent;
    logic [30:0] magnitude_q;
    logic        negative_q;
    logic [1:0]  flags_q;

    assign top = product_q[ProductBits-1];
    assign fraction = top ? product_q[ProductBits-2 -: 23] : product_q[ProductBits-3 -: 23];
    assign half = top ? product_q[SizeBits-1] : product_q[SizeBits-2];
    assign rest = product_q[SizeBits-3:0] != '0 || (top && product_q[SizeBits-2]);
    assign up = half && (rest || fraction[0]);
    assign rounded = {exponent4_q, fraction} + {9'd0, top, 22'd0, up};
    assign exponent = rounded[32:23];
    assign below = exponent[9] || exponent == '0;
    assign above = !exponent[9] && (exponent[8] || exponent[7:0] == '1);

    always_ff @(posedge clk_i) begin
      negative_q <= negative4_q && !zero4_q && !below;
      magnitude_q <= (zero4_q || below) ? '0 : above ? 31'h7f7f_ffff : rounded[30:0];
      flags_q <= zero4_q ? 2'd0 : {above, below};
    end

    assign value_o = {negative_q, magnitude_q};
    assign flags_o = flags_q;
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && valid_i) begin
      assert (bits_i >= 4'd2 && 32'(bits_i) <= MaxBits) else $error("T is outside 2 to MaxBits");
      assert (32'(extra_i) <= MaxExtra) else $error("m is above MaxExtra");
      assert (4'(extra_i) + 4'(signed_i) < bits_i) else $error("m leaves no bit");
      assert (8'(se_i) >> extra_i == '0) else $error("se has more than m bits");
    end
  end
`endif

endmodule

`default_nettype wire
