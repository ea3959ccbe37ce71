// v = round(|a| 2^K / max) with a's sign, clamped to -2^K .. 2^K - 1 (unsigned, where K = T and not
// T - 1: to 0 .. 2^K - 1), exactly. A tie goes to even or, with half_down_i, down: toward 0 above 0,
// away from it below. A value with direct_i is quantized to T - m bits and shifted up by m. Above
// the maximum is as at it, and a maximum of 0 makes all 0. Magnitudes and maximum are those of
// edqa_magnitude; a float with exponent 0 is 0, one with exponent 255 as any other.
// One value per cycle, and no stall: the value of cycle c comes out in cycle c + T + 3. The first
// four inputs are stable while values are inside. A reset forgets those.

`default_nettype none

module edqa_quantizer #(
  /// 0: int16, 1: int32, 2: float32.
  parameter int Format = 0,
  /// Largest T, 2 to 12.
  parameter int MaxBits = 6,
  localparam int MagnitudeBits = (Format == 0) ? 16 : (Format == 1) ? 32 : 31
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  // T, 2 to MaxBits, and m: one bit of T, and the sign, are left
  input  logic [3:0]               bits_i,
  input  logic [2:0]               extra_i,
  input  logic                     signed_i,
  input  logic                     half_down_i,
  // Values; negative_i only if signed
  input  logic                     valid_i,
  input  logic                     negative_i,
  input  logic [MagnitudeBits-1:0] magnitude_i,
  input  logic [MagnitudeBits-1:0] maximum_i,
  input  logic                     direct_i,
  input  logic                     last_i,
  // Two's complement; unsigned, the bits above T are 0
  output logic                     valid_o,
  output logic [MaxBits-1:0]       v_o,
  output logic                     last_o
);

  if (Format < 0 || Format > 2) begin : gen_bad_format
    format_must_be_0_to_2 u_error ();
  end
  if (MaxBits < 2 || MaxBits > 12) begin : gen_bad_max_bits
    max_bits_must_be_2_to_12 u_error ();
  end

  // A bit of the quotient |a| / max a stage, the first one of weight 1/2; T + 1 of them hold half a
  // step. What travels along has a register 0 behind the input, and one behind each stage.
  localparam int Stages = MaxBits + 1;
  localparam int DivisorBits = (Format == 2) ? 24 : MagnitudeBits;
  localparam int RestBits = DivisorBits + 1;
  localparam int TapBits = $clog2(Stages);

  // Twice the dividend, and the divisor: of floats the mantissas, whose quotient has `shift` zeros in
  // front of it.
  logic [RestBits-1:0]    twice, twice_q;
  logic [DivisorBits-1:0] divisor, divisor_q;
  logic [3:0]             shift;
  logic                   zero, zero_q;

  if (Format == 2) begin : gen_float
    logic [8:0]  apart;  // the difference of the exponents, less one
    logic [23:0] mantissa;

    assign apart = {1'b0, maximum_i[30:23]} + {1'b1, ~magnitude_i[30:23]};
    assign mantissa = {1'b1, magnitude_i[22:0]};
    assign twice = apart[8] ? {mantissa, 1'b0} : {1'b0, mantissa};
    assign divisor = {1'b1, maximum_i[22:0]};
    assign shift = apart[8] ? '0 : apart[3:0] | {4{apart[7:4] != '0}};
    assign zero = maximum_i[30:23] == '0 || magnitude_i[30:23] == '0;
  end else begin : gen_integer
    assign twice = {magnitude_i, 1'b0};
    assign divisor = maximum_i;
    assign shift = '0;
    assign zero = maximum_i == '0;
  end

  logic [Stages:0]     valid_q, last_q, negative_q;
  logic [Stages-1:0]   above_q;
  logic [4*Stages+3:0] shifts_q;

  always_ff @(posedge clk_i) begin
    valid_q[0] <= rst_ni && valid_i;
    for (int s = 1; s <= Stages; s++) begin
      // None goes beyond stage T + 1: the next values may have another T.
      valid_q[s] <= rst_ni && valid_q[s-1] && 4'(s - 1) <= bits_i;
    end
    last_q <= {last_q[Stages-1:0], last_i};
    negative_q <= {negative_q[Stages-1:0], negative_i};
    above_q <= {above_q[Stages-2:0], magnitude_i > maximum_i};
    shifts_q <= {shifts_q[4*Stages-1:0], shift};
    twice_q <= twice;
    divisor_q <= divisor;
    zero_q <= zero;
  end

  // The stage that makes the bit of half a step: what is left of T + 1 behind the sign, the bits that
  // a direct value has not, and the zeros in front. Those behind repeat its bit. 0: there is none.
  logic [3:0]        half_q, half_stage;
  logic [Stages-1:0] reach;  // bit s - 1: stage s is not behind it

  always_ff @(posedge clk_i) half_q <= bits_i + 4'd1 - 4'(signed_i) - (direct_i ? 4'(extra_i) : 4'd0);

  assign half_stage = (zero_q || half_q <= shifts_q[3:0]) ? '0 : half_q - shifts_q[3:0];
  for (genvar s = 1; s <= Stages; s++) begin : gen_reach
    assign reach[s-1] = 4'(s) <= half_stage;
  end

  // Division without restoring: a stage subtracts the divisor from twice the rest, or adds it to a
  // rest below 0, and its bit is 1 if that is not below 0. A tie leaves a rest of 0 in the stage of
  // half a step. To even: where the bit before is 1 that stage subtracts, and 0 rounds up; where it
  // is 0, the stage adds one less. Where ties go toward 0 the dividend is a little less in any case:
  // by 1 in the first stage, and then ones are shifted in.
  logic [Stages*RestBits-1:0]    rests;
  logic [Stages*DivisorBits-1:0] minuses;  // the divisor, negated
  logic [Stages*Stages-1:0]      reaches, codes;
  logic [Stages:0]               less, ones;
  logic                          unused_bits;  // what the last stage hands on

  assign unused_bits = ^{rests[MaxBits*RestBits +: RestBits], reaches[MaxBits*Stages +: Stages],
                         minuses[MaxBits*DivisorBits +: DivisorBits], less[Stages], ones[Stages]};

  assign less[0] = half_down_i && !negative_q[0];
  // All bits so far are 1: there is no larger number to round up to.
  assign ones[0] = !negative_q[0] && shifts_q[3:0] == '0;

  for (genvar s = 1; s <= Stages; s++) begin : gen_stage
    logic [RestBits-1:0]    operand, subtrahend, rest, rest_q;
    logic [DivisorBits-1:0] minus, minus_q;
    logic [Stages-1:0]      reach_s, reach_q, code_q;
    logic [MaxBits-1:0]     code;
    logic                   borrow, here, one, less_q, ones_q, unused_bit;

    if (s == 1) begin : gen_first
      assign operand = twice_q;
      assign subtrahend = {1'b0, divisor_q};
      assign borrow = less[0] || (!half_down_i && here);  // the bit before is 0
      assign minus = -divisor_q;
      assign reach_s = reach;
      assign code = '0;
    end else begin : gen_next
      logic negative;

      assign negative = rests[(s-1)*RestBits-1];
      assign operand = {rests[(s-2)*RestBits +: DivisorBits], less[s-1]};
      assign subtrahend = {1'b1, minus} ^ {RestBits{!negative}};
      assign borrow = !negative || (!half_down_i && here);
      assign minus = minuses[(s-2)*DivisorBits +: DivisorBits];
      assign reach_s = reaches[(s-2)*Stages +: Stages];
      assign code = codes[(s-2)*Stages +: MaxBits];
    end

    assign here = reach_s[0] && !reach_s[1];
    // A subtraction, into which Yosys takes the choice of what is subtracted; the borrow comes from
    // a bit below.
    assign {rest, unused_bit} = {operand, 1'b0} - {subtrahend, borrow};
    assign one = !rest[RestBits-1] || above_q[s-1];

    always_ff @(posedge clk_i) begin
      rest_q <= rest;
      minus_q <= minus;
      reach_q <= {1'b0, reach_s[Stages-1:1]};
      code_q <= {code, reach_s[0] ? one && !(here && ones[s-1]) : code[0]};
      less_q <= less[s-1];
      ones_q <= ones[s-1] && one;
    end

    assign rests[(s-1)*RestBits +: RestBits] = rest_q;
    assign minuses[(s-1)*DivisorBits +: DivisorBits] = minus_q;
    assign reaches[(s-1)*Stages +: Stages] = reach_q;
    assign less[s] = less_q;
    assign ones[s] = ones_q;
    assign codes[(s-1)*Stages +: Stages] = code_q;
  end

  // What is behind stage T + 1 is rounded, negated, and put into the output register.
  logic [TapBits-1:0] tap;
  logic [Stages-1:0]  taken, steps;
  logic [3:0]         taken_shift;
  logic [Stages-1:0]  valid_late, last_late, negative_late;
  logic               negative, up;

  assign valid_late = valid_q[Stages:1];
  assign last_late = last_q[Stages:1];
  assign negative_late = negative_q[Stages:1];
  assign tap = TapBits'(bits_i);
  for (genvar b = 0; b < Stages; b++) begin : gen_taken
    logic [Stages-1:0] column;

    for (genvar s = 0; s < Stages; s++) begin : gen_column
      assign column[s] = codes[s*Stages + b];
    end
    assign taken[b] = column[tap];
  end
  for (genvar b = 0; b < 4; b++) begin : gen_taken_shift
    logic [Stages-1:0] column;

    for (genvar s = 0; s < Stages; s++) begin : gen_column
      assign column[s] = shifts_q[4*(s + 1) + b];
    end
    assign taken_shift[b] = column[tap];
  end
  assign negative = negative_late[tap];
  assign steps = taken >> (taken_shift + 4'(signed_i));
  assign up = steps[0] ^ negative;  // bit 0 is half a step

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_o <= 1'b0;
    else valid_o <= valid_late[tap];
    v_o <= (steps[Stages-1:1] ^ {MaxBits{negative}}) + MaxBits'(up);
    last_o <= last_late[tap];
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && valid_i) begin
      assert (bits_i >= 4'd2 && 32'(bits_i) <= MaxBits) else $error("T is outside 2 to MaxBits");
      assert (4'(extra_i) + 4'(signed_i) < bits_i) else $error("m leaves no bit");
      assert (signed_i || !negative_i) else $error("a value is negative, and unsigned");
    end
  end
`endif

endmodule

`default_nettype wire
