// Outputs dot products of the same window of Channels bytes per cycle, whose sums lie in LUT-RAM, Pixels of
// each output, so that weights may stand still while windows pass. What a beat's product is, of activations of
// few bits by planes of weight bits, says rtl/plane_product.sv. It is added to the sums of pixel_i, modulo
// 2^AccBits; with first_i they begin anew, with shift_i what they were is worth 2^Planes more. Beats of a pixel
// are at least 4 cycles apart; the first one of a sum has first_i. With last_i the sums are also written where
// they can be read, and stay there while the next ones are summed.
//
// A read in cycle r gives the sums of a pixel, of all outputs, with valid_o in r + 2, a read a cycle. It sees
// beats with last_i in cycles up to r - E, E = 5 + $clog2(ceil(Channels / 3)) + $clog2(Planes), and none of those
// after. A reset in cycle r drops reads that are on their way, and all beats after r - E; other sums stay.
//
// The first DspOutputs outputs are summed in DSP48E1s, three outputs in two of them a byte
// (rtl/product_triple.sv). Their activations have 4 bits alone, with the same weight bit each, and top_i is high.

`default_nettype none

module sweep_array #(
  /// P, outputs: 2 to 32.
  parameter int Outputs = 8,
  /// S, bytes of a window: a power of two, 8 to 32.
  parameter int Channels = 8,
  /// U, weight planes a beat: 1, 2, 4 or 8.
  parameter int Planes = 4,
  /// Widths of activations: bit c: 8 >> c bits.
  parameter int Widths = 2,
  /// Bits of a sum, 12 to 25.
  parameter int AccBits = 18,
  /// Sums of an output: 16, 32 or 64.
  parameter int Pixels = 64,
  /// Outputs of DSPs: a multiple of 3, at most P; others than 0 with 4 planes, of activations of 4 bits.
  parameter int DspOutputs = 0,
  localparam int PixelBits = $clog2(Pixels),
  localparam int Window = 8 * Channels  // bits
) (
  input  logic                             clk_i,
  input  logic                             rst_ni,
  // Beats: plane u of output p is word p * U + u of w_i, a weight bit for each bit of x_i
  input  logic                             valid_i,
  input  logic                             first_i,
  input  logic                             last_i,
  input  logic                             shift_i,
  input  logic                             top_i,
  input  logic [1:0]                       width_i,
  input  logic [PixelBits-1:0]             pixel_i,
  input  logic [Window-1:0]                x_i,
  input  logic [Outputs*Planes*Window-1:0] w_i,
  // Reads
  input  logic                             read_i,
  input  logic [PixelBits-1:0]             read_pixel_i,
  output logic                             valid_o,
  output logic [Outputs*AccBits-1:0]       sums_o
);

  if (Outputs < 2 || Outputs > 32) begin : gen_bad_outputs
    outputs_must_be_2_to_32 u_error ();
  end
  if (Channels < 8 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_8_to_32 u_error ();
  end
  if (AccBits < 12 || AccBits > 25) begin : gen_bad_acc_bits
    acc_bits_must_be_12_to_25 u_error ();
  end
  if (Pixels != 16 && Pixels != 32 && Pixels != 64) begin : gen_bad_pixels
    pixels_must_be_16_32_or_64 u_error ();
  end

  if (DspOutputs < 0 || DspOutputs > Outputs || DspOutputs % 3 != 0 ||
      (DspOutputs > 0 && (Planes != 4 || Widths != 2))) begin : gen_bad_dsp_outputs
    dsp_outputs_must_be_0_or_of_4_planes_and_4_bits_a_multiple_of_3 u_error ();
  end

  // From a window to its products.
  localparam int Latency = 4 + $clog2((Channels + 2) / 3) + $clog2(Planes);
  localparam int Bits = Outputs * AccBits;

  // Of the beats on their way: sums are read in the cycle before the products come, and written in the one
  // after them.
  logic [Latency:0]     valids_q;
  logic                 first, last, shift, last_q, write_last_q;
  logic [PixelBits-1:0] pixel, pixel_q, write_pixel_q;

  delay_line #(.Width(3 + PixelBits), .Cycles(Latency - 1)) u_beats (
    .clk_i, .data_i({first_i, last_i, shift_i, pixel_i}), .data_o({first, last, shift, pixel})
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valids_q <= '0;
    else valids_q <= {valids_q[Latency-1:0], valid_i};
    {last_q, pixel_q} <= {last, pixel};
    {write_last_q, write_pixel_q} <= {last_q, pixel_q};
  end

  // Reads on their way.
  logic                 read_q;
  logic [PixelBits-1:0] read_pixel_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q <= 1'b0;
      valid_o <= 1'b0;
    end else begin
      read_q <= read_i;
      valid_o <= read_q;
    end
    read_pixel_q <= read_pixel_i;
  end

  // Sums that go on, and those that are read.
  logic [Bits-1:0] held, sums_q;

  (* ram_style = "distributed" *)
  logic [Bits-1:0] held_q [Pixels];
  (* ram_style = "distributed" *)
  logic [Bits-1:0] whole_q [Pixels];

  assign held = held_q[pixel];

  always_ff @(posedge clk_i) begin
    if (valids_q[Latency]) held_q[write_pixel_q] <= sums_q;
    if (valids_q[Latency] && write_last_q) whole_q[write_pixel_q] <= sums_q;
    if (read_q) sums_o <= whole_q[read_pixel_q];
  end

  logic [Bits-1:0]    beats;
  logic [Outputs-1:0] mores;

  for (genvar p = 0; p < DspOutputs; p = p + 3) begin : gen_triple
    product_triple #(.Bytes(Channels), .SumBits(AccBits)) u_products (
      .clk_i, .x_i, .w_i(w_i[Window*Planes*p +: 3*Window*Planes]), .sum_o(beats[AccBits*p +: 3*AccBits])
    );
    assign mores[p +: 3] = '1;
  end

  for (genvar p = DspOutputs; p < Outputs; p++) begin : gen_product
    plane_product #(
      .Bytes(Channels),
      .Planes(Planes),
      .Widths(Widths),
      .SumBits(AccBits)
    ) u_product (
      .clk_i,
      .top_i,
      .width_i,
      .x_i,
      .w_i(w_i[Window*Planes*p +: Window*Planes]),
      .sum_o(beats[AccBits*p +: AccBits]),
      .more_o(mores[p])
    );
  end

  for (genvar p = 0; p < Outputs; p++) begin : gen_output
    logic [AccBits-1:0] beat, current, above_q, sum;
    logic               more, unused_bit;

    assign beat = beats[AccBits*p +: AccBits];
    assign more = mores[p];
    assign current = held[AccBits*p +: AccBits];
    // beat + above + more, a LUT a bit.
    assign {sum, unused_bit} = {beat, more} - {~above_q, 1'b1};

    always_ff @(posedge clk_i) begin
      if (first) above_q <= '0;
      else above_q <= shift ? current << Planes : current;
      sums_q[AccBits*p +: AccBits] <= sum;
    end
  end

`ifndef YOSYS
  // The pixels of the latest three cycles' beats.
  logic [2:0]           recent_q, same;
  logic [PixelBits-1:0] pixels_q [3];

  always_ff @(posedge clk_i) begin
    recent_q <= rst_ni ? {recent_q[1:0], valid_i} : '0;
    pixels_q[0] <= pixel_i;
    pixels_q[1] <= pixels_q[0];
    pixels_q[2] <= pixels_q[1];
  end

  for (genvar i = 0; i < 3; i++) begin : gen_same
    assign same[i] = recent_q[i] && pixels_q[i] == pixel_i;
  end

  always @(posedge clk_i) begin
    if (rst_ni && valid_i) begin
      assert (same == '0) else $error("beats of a pixel are less than 4 cycles apart");
      assert ((Widths >> width_i) % 2 != 0) else $error("there are no such activations");
      assert (DspOutputs == 0 || top_i) else $error("weights of DSPs have a sign");
    end
  end
`endif

endmodule

`default_nettype wire
