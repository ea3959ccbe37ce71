// Outputs dot products at once, of the same activations, a window of Lanes words of Channels
// activations per cycle: output p's sum is that of x * w over all lanes, channels and beats from one
// with first_i to one with last_i, modulo 2^AccBits. The sums of a last beat in cycle c are on sums_o
// in cycle c + D with valid_o, D = 4 + $clog2(Lanes * Channels), whatever comes behind it; gaps may be
// anywhere. A reset drops what is inside; the first beat after it has first_i.

`default_nettype none

module dot_array #(
  /// P, outputs at once: 2 to 32, even.
  parameter int Outputs = 8,
  /// S, channels of a word: a power of two, 4 to 32.
  parameter int Channels = 16,
  /// T, words of a window: 1 to 7.
  parameter int Lanes = 3,
  /// 0 lut, 1 dsp_pairs: two outputs' weights share a DSP48E1.
  parameter int Multiplier = 1,
  /// Bits of a sum, 23 to 32.
  parameter int AccBits = 25,
  localparam int Terms = Lanes * Channels
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Input beat: channel s of lane j is byte j * S + s of x_i, its weight of output p byte
  // (p * T + j) * S + s of w_i
  input  logic                       valid_i,
  input  logic                       first_i,
  input  logic                       last_i,
  input  logic [Terms*8-1:0]         x_i,
  input  logic [Outputs*Terms*8-1:0] w_i,
  // Sums
  output logic                       valid_o,
  output logic [Outputs*AccBits-1:0] sums_o
);

  if (Outputs < 2 || Outputs > 32 || Outputs % 2 != 0) begin : gen_bad_outputs
    outputs_must_be_even_and_2_to_32 u_error ();
  end
  if (Channels < 4 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_4_to_32 u_error ();
  end
  if (Lanes < 1 || Lanes > 7) begin : gen_bad_lanes
    lanes_must_be_1_to_7 u_error ();
  end
  if (Multiplier != 0 && Multiplier != 1) begin : gen_bad_multiplier
    multiplier_must_be_0_or_1 u_error ();
  end
  if (AccBits < 23 || AccBits > 32) begin : gen_bad_acc_bits
    acc_bits_must_be_23_to_32 u_error ();
  end

  localparam int Latency = 4 + $clog2(Terms);
  // What the adders add, for each output: single products, or sums of two.
  localparam int Leaves = (Multiplier == 1) ? Terms / 2 : Terms;
  localparam int SumBits = 16 + $clog2(Leaves);

  // Of the beats on their way, from a register behind the inputs to the accumulators.
  logic [Latency-2:0] valids_q, firsts_q, lasts_q;
  logic               add, first;

  assign add = valids_q[Latency-2];
  assign first = firsts_q[Latency-2];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valids_q <= '0;
      valid_o <= 1'b0;
    end else begin
      valids_q <= {valids_q[Latency-3:0], valid_i};
      valid_o <= add && lasts_q[Latency-2];
    end
    firsts_q <= {firsts_q[Latency-3:0], first_i};
    lasts_q <= {lasts_q[Latency-3:0], last_i};
  end

  logic [Outputs*Leaves*16-1:0] leaves;

  if (Multiplier == 1) begin : gen_dsp
    for (genvar p = 0; p < Outputs; p = p + 2) begin : gen_outputs
      for (genvar l = 0; l < Leaves; l++) begin : gen_pair
        dot_pair u_pair (
          .clk_i,
          .x_i(x_i[16*l +: 16]),
          .wa_i(w_i[8*p*Terms + 16*l +: 16]),
          .wb_i(w_i[8*(p+1)*Terms + 16*l +: 16]),
          .sums_o({leaves[16*((p+1)*Leaves + l) +: 16], leaves[16*(p*Leaves + l) +: 16]})
        );
      end
    end
  end else begin : gen_lut
    for (genvar t = 0; t < Terms; t++) begin : gen_term
      logic signed [7:0] x, x_q, x_late_q;
      logic signed [9:0] triple_q, triple_late_q;
      logic signed [8:0] negative_q, negative_late_q;

      assign x = $signed(x_i[8*t +: 8]);

      always_ff @(posedge clk_i) begin
        x_q <= x;
        triple_q <= 10'(x) + (10'(x) <<< 1);
        negative_q <= -(9'(x));
        x_late_q <= x_q;
        triple_late_q <= triple_q;
        negative_late_q <= negative_q;
      end

      for (genvar p = 0; p < Outputs; p++) begin : gen_output
        dot_product u_product (
          .clk_i,
          .w_i(w_i[8*(p*Terms + t) +: 8]),
          .x_next_i(x_q),
          .triple_next_i(triple_q),
          .x_late_i(x_late_q),
          .triple_late_i(triple_late_q),
          .negative_late_i(negative_late_q),
          .product_o(leaves[16*(p*Leaves + t) +: 16])
        );
      end
    end
  end

  for (genvar p = 0; p < Outputs; p++) begin : gen_output
    logic [SumBits-1:0]        tree_sum;
    logic signed [SumBits-1:0] sum;
    logic signed [AccBits-1:0] acc_q, acc_d, above;

    adder_tree #(.Count(Leaves), .Bits(16), .Excess(Multiplier)) u_tree (
      .clk_i, .terms_i(leaves[16*p*Leaves +: 16*Leaves]), .sum_o(tree_sum)
    );

    if (Multiplier == 1) begin : gen_excess
      // With its sign the other way a sum with an excess is one less than what it stands for.
      assign sum = {~tree_sum[SumBits-1], tree_sum[SumBits-2:0]};
      assign above = first ? '1 : ~acc_q;
      assign acc_d = AccBits'(sum) - above;
    end else begin : gen_signed
      assign sum = tree_sum;
      assign above = first ? '0 : acc_q;
      assign acc_d = AccBits'(sum) + above;
    end

    always_ff @(posedge clk_i) begin
      if (add) acc_q <= acc_d;
    end
    assign sums_o[AccBits*p +: AccBits] = acc_q;
  end

`ifndef YOSYS
  // Whether a sum goes on.
  logic open_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= 1'b0;
    else if (valid_i) open_q <= !last_i;
  end

  always @(posedge clk_i) begin
    if (rst_ni && valid_i && !first_i) assert (open_q) else $error("a sum goes on that did not begin");
  end
`endif

endmodule

`default_nettype wire
