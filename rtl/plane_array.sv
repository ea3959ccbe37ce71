// Outputs dot products at once of activations of few bits, by planes of weight bits: Planes bits of each
// weight meet a window of Lanes words of Channels bytes per cycle, and wider weights take windows again.
// width_i says how wide the activations of a beat are; rtl/plane_product.sv how they lie in bytes, and what a
// beat's sum is. Over the beats from one with first_i to one with last_i output p's sum is that of theirs,
// modulo 2^AccBits; a beat with shift_i has what was there before worth 2^Planes more. top_i: the uppermost
// plane is the weights' sign.
//
// With References a mask of weight bits counts as a plane of its own: totals_o is the sum of its products
// over the beats with top_i, and first_i comes with top_i only.
//
// The sums of a last beat in cycle c are there in c + D with valid_o, D = 5 + $clog2(ceil(T S / 3)) +
// $clog2(Planes), whatever comes behind it; gaps may be anywhere. A reset drops what is inside; the first
// beat after it has first_i.

`default_nettype none

module plane_array #(
  /// P, outputs at once: 2 to 64.
  parameter int Outputs = 8,
  /// S, bytes of a word: a power of two, 8 to 32.
  parameter int Channels = 8,
  /// T, words of a window: 1 to 7.
  parameter int Lanes = 3,
  /// U, weight planes a beat: 1, 2, 4 or 8.
  parameter int Planes = 1,
  /// Widths of activations: bit c: 8 >> c bits.
  parameter int Widths = 9,
  /// 1: there is a mask, and totals of it.
  parameter int References = 0,
  /// Bits of a sum, 12 to 32.
  parameter int AccBits = 25,
  localparam int Window = 8 * Lanes * Channels  // bits
) (
  input  logic                                          clk_i,
  input  logic                                          rst_ni,
  // Input beat: channel s of lane j is byte j * S + s of x_i; plane u of output p is word p * U + u of w_i,
  // a weight bit for each bit of x_i, and the mask is the last word
  input  logic                                          valid_i,
  input  logic                                          first_i,
  input  logic                                          last_i,
  input  logic                                          top_i,
  input  logic                                          shift_i,
  input  logic [1:0]                                    width_i,
  input  logic [Window-1:0]                             x_i,
  input  logic [(Outputs*Planes+References)*Window-1:0] w_i,
  // Sums
  output logic                                          valid_o,
  output logic [Outputs*AccBits-1:0]                    sums_o,
  output logic [AccBits-1:0]                            totals_o
);

  if (Outputs < 2 || Outputs > 64) begin : gen_bad_outputs
    outputs_must_be_2_to_64 u_error ();
  end
  if (Channels < 8 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_8_to_32 u_error ();
  end
  if (Lanes < 1 || Lanes > 7) begin : gen_bad_lanes
    lanes_must_be_1_to_7 u_error ();
  end
  if (References != 0 && References != 1) begin : gen_bad_references
    references_must_be_0_or_1 u_error ();
  end
  if (AccBits < 12 || AccBits > 32) begin : gen_bad_acc_bits
    acc_bits_must_be_12_to_32 u_error ();
  end

  localparam int Latency = 5 + $clog2((Lanes * Channels + 2) / 3) + $clog2(Planes);

  // Of the beats on their way, from the inputs to the accumulators.
  logic [Latency-2:0] valids_q, firsts_q, lasts_q, shifts_q;
  logic               add, first, shift;

  assign add = valids_q[Latency-2];
  assign first = firsts_q[Latency-2];
  assign shift = shifts_q[Latency-2];

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
    shifts_q <= {shifts_q[Latency-3:0], shift_i};
  end

  for (genvar p = 0; p < Outputs; p++) begin : gen_output
    logic [AccBits-1:0] beat, above, acc_q, acc_d;
    logic               more, unused_bit;

    plane_product #(
      .Bytes(Lanes * Channels),
      .Planes(Planes),
      .Widths(Widths),
      .SumBits(AccBits)
    ) u_product (
      .clk_i,
      .top_i,
      .width_i,
      .x_i,
      .w_i(w_i[Window*Planes*p +: Window*Planes]),
      .sum_o(beat),
      .more_o(more)
    );

    assign above = first ? '0 : shift ? acc_q << Planes : acc_q;
    // beat + above + more, a LUT a bit, as in rtl/depthwise_array.sv.
    assign {acc_d, unused_bit} = {beat, more} - {~above, 1'b1};

    always_ff @(posedge clk_i) begin
      if (add) acc_q <= acc_d;
    end
    assign sums_o[AccBits*p +: AccBits] = acc_q;
  end

  if (References != 0) begin : gen_total
    logic [Latency-2:0] tops_q;
    logic [AccBits-1:0] total, late, above, total_q, total_d;
    logic               more, late_more, unused_bit;

    plane_product #(
      .Bytes(Lanes * Channels),
      .Planes(1),
      .Widths(Widths),
      .SumBits(AccBits)
    ) u_product (
      .clk_i,
      .top_i(1'b0),
      .width_i,
      .x_i,
      .w_i(w_i[Window*Planes*Outputs +: Window]),
      .sum_o(total),
      .more_o(more)
    );

    if (Planes > 1) begin : gen_late
      delay_line #(.Width(AccBits + 1), .Cycles($clog2(Planes))) u_late (
        .clk_i, .data_i({total, more}), .data_o({late, late_more})
      );
    end else begin : gen_in_time
      assign {late, late_more} = {total, more};
    end

    assign above = first ? '0 : total_q;
    assign {total_d, unused_bit} = {late, late_more} - {~above, 1'b1};

    always_ff @(posedge clk_i) begin
      tops_q <= {tops_q[Latency-3:0], top_i};
      if (add && tops_q[Latency-2]) total_q <= total_d;
    end
    assign totals_o = total_q;
  end else begin : gen_no_total
    assign totals_o = '0;
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
    if (rst_ni && valid_i && first_i) assert (top_i) else $error("a sum begins below its uppermost planes");
    if (rst_ni && valid_i) assert ((Widths >> width_i) % 2 != 0) else $error("there are no such activations");
  end
`endif

endmodule

`default_nettype wire
