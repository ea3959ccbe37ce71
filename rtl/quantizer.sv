// Quantizes float32 values as ONNX's QuantizeLinear does: q = saturate(r + zero point), where r is x / scale
// divided in float32 (rounded to 24 bits, ties to even) and then rounded to an integer, ties to even. By
// mode_i q is
//   0 INT8, -128..127;  1 UINT8, 0..255;  2 INT4, -8..7, in the lower bits of y_o with its sign above;
//   3 binary: 1 where x >= 0 (also of -0), 0 of the rest and of NaN; scale and zero point do not count.
// NaN becomes the zero point, and infinities saturate. The zero point is signed but for UINT8; one outside
// the mode's range saturates with the rest. The scale is a positive normal number. Subnormal x count.
//
// One value per cycle, last_i with it; its result is on the output from the 15th cycle after it on. Up to 16
// values are inside: ready_o depends on their number alone. Mode, scale and zero point stand still while
// there are any. A reset forgets them.
//
// How it is exact without a quotient of 24 bits: 2 x / scale is divided down to its integer K, so that a
// remainder is left, and only a tie is of interest. The quotient in float32 is the half between two integers
// if it is no farther from it than half a unit of its 24th bit, that is if the remainder, or what it lacks
// to the scale's significand, is at most that significand's upper bits, as many as K has behind its first
// one. (Exactly half a unit does not occur: it would take an x of more than 24 bits.)

`default_nettype none

module quantizer (
  input  logic        clk_i,
  input  logic        rst_ni,
  // How; float32, and in the mode's format
  input  logic [1:0]  mode_i,
  input  logic [31:0] scale_i,
  input  logic [7:0]  zero_i,
  // Values
  input  logic        valid_i,
  output logic        ready_o,
  input  logic [31:0] x_i,
  input  logic        last_i,
  // Results
  output logic        valid_o,
  input  logic        ready_i,
  output logic [7:0]  y_o,
  output logic        last_o
);

  localparam int Latency = 15;
  localparam int Inside = 16;
  localparam int Digits = 10;  // of K
  localparam logic [1:0] Uint8 = 2'd1, Int4 = 2'd2, Binary = 2'd3;

  // How many are inside.
  logic [4:0] inside_q;
  logic       accept, leave;

  assign ready_o = !inside_q[4];
  assign accept = valid_i && ready_o;
  assign leave = valid_o && ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) inside_q <= '0;
    else if (accept && !leave) inside_q <= inside_q + 1'b1;
    else if (leave && !accept) inside_q <= inside_q - 1'b1;
  end

  // What only travels along.
  logic [Latency-2:0] valid_q, last_q, negative_q, at_least_0_q;
  logic [Digits:0]    huge_q;  // from stage 2 on

  // 1: what x is, and how many places it lies above the scale.
  logic        normal, special, nan;
  logic [23:0] significand, significand_q;
  logic [9:0]  places, places_q;
  logic        special_q, nan_q;

  assign normal = x_i[30:23] != '0;
  assign special = x_i[30:23] == '1;
  assign nan = special && x_i[22:0] != '0;
  assign significand = {normal, x_i[22:0]};
  // Exponents less each other, and 1 for the half: a subnormal number's exponent is as if it were 1.
  assign places = {2'b0, x_i[30:1+23], x_i[23] || !normal} - {2'b0, scale_i[30:23]} + 10'd1;

  always_ff @(posedge clk_i) begin
    significand_q <= significand;
    places_q <= places;
    special_q <= special;
    nan_q <= nan;
  end

  // 2: x in halves of the scale's exponent: what is less than half of one is 0, as is NaN.
  logic        huge_d, tiny;
  logic [32:0] shifted, shifted_q;

  assign tiny = places_q[9] || nan_q;
  assign huge_d = !tiny && (special_q || places_q[8:0] >= 9'd10);
  assign shifted = 33'(significand_q) << places_q[3:0];

  always_ff @(posedge clk_i) begin
    shifted_q <= tiny ? '0 : shifted;
  end

  // 3 to 12: a digit of K each, by a division that subtracts the divisor after a digit of 1 and adds it
  // after one of 0. What is left is the remainder, or after a last digit of 0 that less the divisor.
  logic [23:0]                  divisor;
  logic [25*(Digits+1)-1:0]     rests;
  logic [Digits*(Digits+1)-1:0] waiting, signs;  // a field for each stage; digits are their signs' inverse

  assign divisor = {1'b1, scale_i[22:0]};
  assign rests[24:0] = {2'b0, shifted_q[32:10]};
  assign waiting[Digits-1:0] = shifted_q[9:0];
  assign signs[Digits-1:0] = '0;

  for (genvar s = 0; s < Digits; s++) begin : gen_digit
    logic [24:0]       operand, subtrahend, rest, rest_q;
    logic [Digits-2:0] waiting_q;
    logic [Digits-1:0] signs_q;
    logic              negative, unused_bit, unused_sign;

    assign negative = rests[25*s + 24];
    assign operand = {rests[25*s +: 24], waiting[Digits*(s+1) - 1]};
    // A subtraction, into which Yosys takes the choice of what is subtracted; the borrow comes from
    // a bit below.
    assign subtrahend = {1'b0, divisor} ^ {25{negative}};
    assign {rest, unused_bit} = {operand, 1'b0} - {subtrahend, negative};

    always_ff @(posedge clk_i) begin
      rest_q <= rest;
      waiting_q <= waiting[Digits*s +: Digits-1];
      signs_q <= {signs[Digits*s +: Digits-1], rest[24]};
    end

    assign rests[25*(s+1) +: 25] = rest_q;
    assign waiting[Digits*(s+1) +: Digits] = {waiting_q, 1'b0};
    assign signs[Digits*(s+1) +: Digits] = signs_q;
    assign unused_sign = signs[Digits*(s+1) - 1];
  end

  // 13: how far from a half it is, less one where it lies below it, and how far it may be.
  logic [Digits-1:0] k, k_q;
  logic [24:0]       last_rest;
  logic [23:0]       distance;
  logic [7:0]        digits_above, upper, near, near_q, distance_q;
  logic              close_q;

  assign last_rest = rests[25*Digits +: 25];
  assign k = ~signs[Digits*Digits +: Digits];
  assign distance = last_rest[23:0] ^ {24{last_rest[24]}};

  assign digits_above = k[8:1];
  assign upper = divisor[23:16];

  always_comb begin
    casez (digits_above)  // its first digit of 1; a longer K is too large anyway
      8'b1???????: near = upper;
      8'b01??????: near = upper >> 1;
      8'b001?????: near = upper >> 2;
      8'b0001????: near = upper >> 3;
      8'b00001???: near = upper >> 4;
      8'b000001??: near = upper >> 5;
      8'b0000001?: near = upper >> 6;
      8'b00000001: near = upper >> 7;
      default: near = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    k_q <= k | {huge_q[Digits], 9'd0};
    near_q <= near;
    distance_q <= distance[7:0];
    close_q <= distance[23:8] == '0;
  end

  // 14: rounded; K's last digit is the half.
  logic       tie, up;
  logic [9:0] rounded_q;

  assign tie = close_q && {1'b0, distance_q} < 9'(near_q) + 9'(k_q[0]);
  assign up = tie ? k_q[1] : k_q[0];

  always_ff @(posedge clk_i) begin
    rounded_q <= 10'(k_q[9:1]) + 10'(up);
  end

  // 15: the zero point, and the range, in front of the queue.
  logic signed [11:0] zero, sum;
  logic               negative, at_least_0;
  logic               fits_int8, fits_uint8, fits_int4;
  logic [7:0]         wrapped, y;

  assign zero = {{4{zero_i[7] && mode_i != Uint8}}, zero_i};
  assign sum = negative_q[Latency-2] ? zero - $signed({2'b0, rounded_q}) : zero + $signed({2'b0, rounded_q});
  assign wrapped = sum[7:0];
  assign negative = sum[11];
  assign fits_int8 = sum[11:7] == {5{negative}};
  assign fits_uint8 = sum[11:8] == '0;
  assign fits_int4 = sum[11:3] == {9{negative}};
  assign at_least_0 = at_least_0_q[Latency-2];

  always_comb begin
    y = wrapped;
    case (mode_i)
      Binary: y = 8'(at_least_0);
      Uint8: if (!fits_uint8) y = {8{!negative}};
      Int4: if (!fits_int4) y = {{5{negative}}, {3{!negative}}};
      default: if (!fits_int8) y = {negative, {7{!negative}}};
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else valid_q <= {valid_q[Latency-3:0], accept};
    last_q <= {last_q[Latency-3:0], last_i};
    negative_q <= {negative_q[Latency-3:0], x_i[31]};
    at_least_0_q <= {at_least_0_q[Latency-3:0], !nan && (!x_i[31] || x_i[30:0] == '0)};
    huge_q <= {huge_q[Digits-1:0], huge_d};
  end

  output_fifo #(.Width(9), .Depth(Inside)) u_fifo (
    .clk_i, .rst_ni,
    .push_i(valid_q[Latency-2]), .data_i({last_q[Latency-2], y}),
    .valid_o, .data_o({last_o, y_o}), .ready_i
  );

  logic unused_bits;
  assign unused_bits = ^{scale_i[31], waiting[Digits*Digits +: Digits]};

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni && valid_i)
      assert (!scale_i[31] && scale_i[30:23] != '0 && scale_i[30:23] != '1)
      else $error("the scale is not positive and normal");
  end
`endif

endmodule

`default_nettype wire
