// Three outputs' products of a window of Bytes bytes of activations of 4 bits with their weights of 4 bits, both
// two's complement, in Bytes * 2 DSP48E1; a window per cycle. Of the window in cycle c each output's sum over the
// activations of x * w is sum_o + 1 in c + D, D = 6 + $clog2(Bytes / 2), as rtl/plane_product.sv has it of 4
// planes.
//
// A DSP multiplies an activation by the weights of all outputs, w2 * 2^18 + w1 * 2^9 + w0, and adds the product of
// the one before in a chain of four. A sum of four products lies in [-224, 256]: with 255 more it is 9 bits without
// a sign, so that none reaches into the next one.

`default_nettype none

module product_triple #(
  /// Bytes of a window: a power of two, 8 to 32.
  parameter int Bytes = 8,
  /// Bits of a sum, which is modulo 2^SumBits: 12 to 32.
  parameter int SumBits = 18
) (
  input  logic                  clk_i,
  // Window, its weights: of output p the bit u of activation i's is bit (4 p + u) * 8 * Bytes + 4 i, and the
  // three above it are equal
  input  logic [8*Bytes-1:0]    x_i,
  input  logic [12*8*Bytes-1:0] w_i,
  // Sums
  output logic [3*SumBits-1:0]  sum_o
);

  if (Bytes < 8 || Bytes > 32 || 2 ** $clog2(Bytes) != Bytes) begin : gen_bad_bytes
    bytes_must_be_a_power_of_two_of_8_to_32 u_error ();
  end
  if (SumBits < 12 || SumBits > 32) begin : gen_bad_sum_bits
    sum_bits_must_be_12_to_32 u_error ();
  end

  localparam int Chains = Bytes / 2;
  localparam int TreeBits = 9 + $clog2(Chains);
  localparam logic signed [27:0] Excesses = 28'sd255 * 28'sh0_04_0201;

  logic [3*9*Chains-1:0] terms;  // by output

  for (genvar c = 0; c < Chains; c++) begin : gen_chain
    for (genvar k = 0; k < 4; k++) begin : gen_link
      localparam int At = 4 * (4 * c + k);
      localparam int Plane = 8 * Bytes;

      // The operands come a cycle later to each DSP of the chain, for two of them in its own registers.
      logic [15:0] operands, late;  // weights, x
      logic [3:0]  w0, w1, w2;

      assign operands[3:0] = x_i[At +: 4];
      for (genvar p = 0; p < 3; p++) begin : gen_weight
        for (genvar u = 0; u < 4; u++) begin : gen_bit
          assign operands[4 + 4*p + u] = w_i[(4*p + u)*Plane + At];
        end
      end

      if (k > 1) begin : gen_late
        delay_line #(.Width(16), .Cycles(k - 1)) u_operands (.clk_i, .data_i(operands), .data_o(late));
      end else begin : gen_at_once
        assign late = operands;
      end
      assign {w2, w1, w0} = late[15:4];

      // The weights are a sum of two: w2 with w1 but for its sign, which is with w0. Every width is exact,
      // because Yosys 0.23 loses sign bits that it finds repeated in a product.
      logic signed [3:0]  x_q;
      logic signed [21:0] upper_q;
      logic signed [14:0] lower_q;
      logic signed [27:0] sum_q;

      always_ff @(posedge clk_i) begin
        x_q <= late[3:0];
        upper_q <= {w2, 5'd0, w1, 9'd0};
        lower_q <= {w0[3] | w1[3], w0[3] ^ w1[3], {9{w0[3]}}, w0};
      end

      if (k == 0) begin : gen_first
        logic signed [22:0] weights;
        logic signed [26:0] product_q;

        assign weights = 23'(upper_q) + 23'(lower_q);

        always_ff @(posedge clk_i) begin
          product_q <= weights * x_q;
          sum_q <= 28'(product_q) + Excesses;
        end
      end else begin : gen_next
        logic signed [22:0] weights_q;
        logic signed [3:0]  x_late_q;
        logic signed [26:0] product_q;

        always_ff @(posedge clk_i) begin
          weights_q <= 23'(upper_q) + 23'(lower_q);
          x_late_q <= x_q;
          product_q <= weights_q * x_late_q;
          sum_q <= 28'(product_q) + gen_link[k-1].sum_q;
        end
      end
    end

    for (genvar p = 0; p < 3; p++) begin : gen_term
      assign terms[9*(p*Chains + c) +: 9] = gen_link[3].sum_q[9*p +: 9];
    end

    logic unused_sign;
    assign unused_sign = gen_link[3].sum_q[27];
  end

  for (genvar p = 0; p < 3; p++) begin : gen_output
    logic [TreeBits-1:0] sum;

    adder_tree #(.Count(Chains), .Bits(9), .Excess(1)) u_tree (
      .clk_i, .terms_i(terms[9*Chains*p +: 9*Chains]), .sum_o(sum)
    );
    // With its sign the other way a sum with an excess is one less than what it stands for.
    assign sum_o[SumBits*p +: SumBits] = SumBits'($signed({~sum[TreeBits-1], sum[TreeBits-2:0]}));
  end

  logic unused_bits;
  assign unused_bits = ^w_i;

endmodule

`default_nettype wire
