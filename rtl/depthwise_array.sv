// Channels dot products at once, each of a channel of its own, a window of Lanes words of Channels
// activations per cycle: channel s's sum is that of x * w over all lanes and beats from one with first_i to
// one with last_i, modulo 2^25. The sums of a last beat in cycle c are on sums_o in cycle c + D with valid_o,
// D = 4 + $clog2(Lanes), whatever comes behind it; gaps may be anywhere. A reset drops what is inside; the
// first beat after it has first_i.

`default_nettype none

module depthwise_array #(
  /// S, channels of a word: a power of two, 4 to 32.
  parameter int Channels = 16,
  /// T, words of a window: 1 to 7.
  parameter int Lanes = 3,
  /// 0 lut, 1 dsp: a DSP48E1 a product.
  parameter int Multiplier = 1,
  localparam int Terms = Lanes * Channels,
  localparam int AccBits = 25
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // Input beat: channel s of lane j is byte j * S + s of x_i, its weight the same byte of w_i
  input  logic                        valid_i,
  input  logic                        first_i,
  input  logic                        last_i,
  input  logic [Terms*8-1:0]          x_i,
  input  logic [Terms*8-1:0]          w_i,
  // Sums
  output logic                        valid_o,
  output logic [Channels*AccBits-1:0] sums_o
);

  if (Channels < 4 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_4_to_32 u_error ();
  end
  if (Lanes < 1 || Lanes > 7) begin : gen_bad_lanes
    lanes_must_be_1_to_7 u_error ();
  end
  if (Multiplier != 0 && Multiplier != 1) begin : gen_bad_multiplier
    multiplier_must_be_0_or_1 u_error ();
  end

  localparam int Latency = 4 + $clog2(Lanes);
  localparam int SumBits = 16 + $clog2(Lanes);

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

  for (genvar s = 0; s < Channels; s++) begin : gen_channel
    logic [Lanes*16-1:0]       products;
    logic [SumBits-1:0]        tree_sum;
    logic signed [SumBits-1:0] sum;
    logic signed [AccBits-1:0] acc_q, acc_d;
    logic                      unused_bit;

    for (genvar j = 0; j < Lanes; j++) begin : gen_lane
      logic signed [7:0] x, w;

      assign x = $signed(x_i[8*(j*Channels+s) +: 8]);
      assign w = $signed(w_i[8*(j*Channels+s) +: 8]);

      if (Multiplier == 1) begin : gen_dsp
        // All four registers are the DSP's.
        logic signed [7:0]  x_q, w_q;
        logic signed [15:0] product_q, product_late_q;

        always_ff @(posedge clk_i) begin
          x_q <= x;
          w_q <= w;
          product_q <= x_q * w_q;
          product_late_q <= product_q;
        end
        assign products[16*j +: 16] = product_late_q;
      end else begin : gen_lut
        logic signed [7:0] x_q, x_late_q;
        logic signed [9:0] triple_q, triple_late_q;
        logic signed [8:0] negative_q, negative_late_q;

        always_ff @(posedge clk_i) begin
          x_q <= x;
          triple_q <= 10'(x) + (10'(x) <<< 1);
          negative_q <= -(9'(x));
          x_late_q <= x_q;
          triple_late_q <= triple_q;
          negative_late_q <= negative_q;
        end

        dot_product u_product (
          .clk_i,
          .w_i(w),
          .x_next_i(x_q),
          .triple_next_i(triple_q),
          .x_late_i(x_late_q),
          .triple_late_i(triple_late_q),
          .negative_late_i(negative_late_q),
          .product_o(products[16*j +: 16])
        );
      end
    end

    adder_tree #(.Count(Lanes), .Bits(16)) u_tree (.clk_i, .terms_i(products), .sum_o(tree_sum));

    assign sum = tree_sum;
    // sum + acc_q is sum - ~acc_q - 1, and the bit below borrows the 1: a LUT a bit, where Yosys 0.23 makes two
    // of a sum with (first ? 0 : acc_q).
    assign {acc_d, unused_bit} = {AccBits'(sum), 1'b0} - (first ? '0 : {~acc_q, 1'b1});

    always_ff @(posedge clk_i) begin
      if (add) acc_q <= acc_d;
    end
    assign sums_o[AccBits*s +: AccBits] = acc_q;
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
