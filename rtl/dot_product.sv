// One product in LUTs, of the operands three cycles before, one per cycle. Its owner brings the
// activation's multiples, which all outputs share: those of the x that comes together with w_i a cycle
// later in _next_i, and another cycle later in _late_i.

`default_nettype none

module dot_product (
  input  logic               clk_i,
  input  logic [7:0]         w_i,
  // x, 3x and -x
  input  logic signed [7:0]  x_next_i,
  input  logic signed [9:0]  triple_next_i,
  input  logic signed [7:0]  x_late_i,
  input  logic signed [9:0]  triple_late_i,
  input  logic signed [8:0]  negative_late_i,
  output logic signed [15:0] product_o
);

  // The weight's radix-4 digits select multiples of x; only the top digit is negative. |part| <=
  // 384 * (1 + 1/4 + 1/16 + ...) = 512: ten bits hold every one.
  logic [1:0]        digit0_q, digit1_q, digit2_q, digit2_late_q, digit3_q, digit3_late_q;
  logic signed [9:0] multiple0, multiple1, multiple2, multiple3, part1_q, part2, part3;
  logic [1:0]        part0_q;

  always_comb begin
    case (digit0_q)
      2'd1:    multiple0 = 10'(x_next_i);
      2'd2:    multiple0 = 10'(x_next_i) <<< 1;
      2'd3:    multiple0 = triple_next_i;
      default: multiple0 = '0;
    endcase
    case (digit1_q)
      2'd1:    multiple1 = 10'(x_next_i);
      2'd2:    multiple1 = 10'(x_next_i) <<< 1;
      2'd3:    multiple1 = triple_next_i;
      default: multiple1 = '0;
    endcase
    case (digit2_late_q)
      2'd1:    multiple2 = 10'(x_late_i);
      2'd2:    multiple2 = 10'(x_late_i) <<< 1;
      2'd3:    multiple2 = triple_late_i;
      default: multiple2 = '0;
    endcase
    case (digit3_late_q)
      2'd1:    multiple3 = 10'(x_late_i);
      2'd2:    multiple3 = 10'(negative_late_i) <<< 1;
      2'd3:    multiple3 = 10'(negative_late_i);
      default: multiple3 = '0;
    endcase
    part2 = (part1_q >>> 2) + multiple2;
    part3 = (part2 >>> 2) + multiple3;
  end

  always_ff @(posedge clk_i) begin
    {digit3_q, digit2_q, digit1_q, digit0_q} <= w_i;

    {digit3_late_q, digit2_late_q} <= {digit3_q, digit2_q};
    part0_q <= multiple0[1:0];
    part1_q <= (multiple0 >>> 2) + multiple1;

    product_o <= {part3, part2[1:0], part1_q[1:0], part0_q};
  end

endmodule

`default_nettype wire
