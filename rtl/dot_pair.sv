// Two channels' products for two outputs in two DSP48E1: sums_o holds each output's x0 * w0 + x1 * w1 of
// the operands four cycles before, and 2^15 - 1 more than that; one pair of sums per cycle.
//
// A DSP multiplies one activation by the weights of both outputs, wb * 2^16 + wa, and the second one
// adds the first one's product. A sum of two products lies in [-32512, 32768]: with 2^15 - 1 more it is 16
// bits without a sign, so that neither sum reaches into the other one.

`default_nettype none

module dot_pair (
  input  logic        clk_i,
  // Channels 0 and 1
  input  logic [15:0] x_i,
  // Their weights of outputs a and b
  input  logic [15:0] wa_i,
  input  logic [15:0] wb_i,
  // The sums of a and b
  output logic [31:0] sums_o
);

  // Every width is exact, because Yosys 0.23 loses sign bits that it finds repeated in a product.
  localparam logic signed [32:0] Excesses = 33'sh0_7FFF_7FFF;

  logic signed [7:0]  x0_q, x1_q, x1_late_q, wa0_q, wa1_q, wb0_q, wb1_q;
  logic signed [24:0] pair0, pair1_q;
  logic signed [32:0] product0_q, product1_q, sum0_q, sum_q;

  assign pair0 = $signed({wb0_q, 16'd0}) + 25'(wa0_q);

  // Four registers on each way, all of them the DSP's: the first one's sum comes to the second one's
  // adder together with the product there.
  always_ff @(posedge clk_i) begin
    {x1_q, x0_q} <= x_i;
    {wa1_q, wa0_q} <= wa_i;
    {wb1_q, wb0_q} <= wb_i;

    product0_q <= pair0 * x0_q;
    pair1_q <= $signed({wb1_q, 16'd0}) + 25'(wa1_q);
    x1_late_q <= x1_q;

    sum0_q <= product0_q + Excesses;
    product1_q <= pair1_q * x1_late_q;

    sum_q <= product1_q + sum0_q;
  end

  assign sums_o = sum_q[31:0];

  logic unused_sign;
  assign unused_sign = sum_q[32];

endmodule

`default_nettype wire
