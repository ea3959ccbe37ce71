// Takes a value apart, without a clock: is it negative, and how large is it? Magnitudes are in the
// order of the unsigned numbers that they are: of float32 they are the lower 31 bits, exponent and
// fraction. One of 0 is not negative. Without signed_i a negative value has the magnitude 0. Floats
// that are no ordinary numbers become one, and a flag says so, whatever signed_i is: NaN is 0 (flag
// 0), an infinity the largest finite number (flag 1), what is denormal and not 0 is 0 (flag 2).

`default_nettype none

module edqa_magnitude #(
  /// 0: int16, 1: int32, 2: float32.
  parameter int Format = 0,
  localparam int ValueBits = (Format == 0) ? 16 : 32,
  localparam int MagnitudeBits = (Format == 2) ? 31 : ValueBits
) (
  input  logic                     signed_i,
  input  logic [ValueBits-1:0]     value_i,
  output logic                     negative_o,
  output logic [MagnitudeBits-1:0] magnitude_o,
  output logic [2:0]               flags_o
);

  if (Format < 0 || Format > 2) begin : gen_bad_format
    format_must_be_0_to_2 u_error ();
  end

  logic below;

  assign below = value_i[ValueBits-1];

  if (Format == 2) begin : gen_float
    logic highest, lowest, fraction, nan, infinite, zero;

    assign highest = value_i[30:23] == '1;
    assign lowest = value_i[30:23] == '0;
    assign fraction = value_i[22:0] != '0;
    assign nan = highest && fraction;
    assign infinite = highest && !fraction;
    assign zero = nan || lowest || (below && !signed_i);
    assign negative_o = below && !zero;
    // The largest finite number has an infinity's exponent less 1, and ones.
    assign magnitude_o = {31{!zero}} & {value_i[30:24], value_i[23] && !infinite, value_i[22:0] | {23{infinite}}};
    assign flags_o = {lowest && fraction, infinite, nan};
  end else begin : gen_integer
    assign negative_o = below && signed_i;
    assign magnitude_o = (below ? (signed_i ? ~value_i : '0) : value_i) + ValueBits'(negative_o);
    assign flags_o = '0;
  end

endmodule

`default_nettype wire
