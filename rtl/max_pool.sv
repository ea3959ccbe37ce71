// The maximum, for each of Channels channels, of signed bytes over the lanes that count of all beats
// from one with first_i to one with last_i; where no lane counts in any of them it is -128. By width_i (code
// c: 8, 4, 2, 1 bits) each byte may be one, two, four or eight fields, each with a maximum, and the least
// number that it holds instead of -128; all beats of a maximum have one width. One beat
// per cycle, with gaps anywhere; the maxima of a last beat in cycle c are on y_o in cycle c + 3 with
// valid_o. A reset drops what is inside; the first beat after it has first_i.

`default_nettype none

module max_pool #(
  /// S, channels of a word: a power of two, 4 to 32.
  parameter int Channels = 16,
  /// T, words of a window: 1 to 7.
  parameter int Lanes = 3,
  /// Widths of fields: bit c: 8 >> c bits.
  parameter int Widths = 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  // Input beat: channel s of lane j is byte j * S + s; lanes_i are those that count
  input  logic                        valid_i,
  input  logic                        first_i,
  input  logic                        last_i,
  input  logic [1:0]                  width_i,
  input  logic [Lanes*Channels*8-1:0] window_i,
  input  logic [Lanes-1:0]            lanes_i,
  // Maxima
  output logic                        valid_o,
  output logic [Channels*8-1:0]       y_o
);

  if (Channels < 4 || Channels > 32 || 2 ** $clog2(Channels) != Channels) begin : gen_bad_channels
    channels_must_be_a_power_of_two_of_4_to_32 u_error ();
  end
  if (Lanes < 1 || Lanes > 7) begin : gen_bad_lanes
    lanes_must_be_1_to_7 u_error ();
  end
  if (Widths < 1 || Widths > 15) begin : gen_bad_widths
    widths_must_be_1_to_15 u_error ();
  end

  // 1: of each two lanes. 2: of all lanes. 3: of all beats.
  localparam int Pairs = (Lanes + 1) / 2;

  logic [1:0] valids_q, firsts_q, lasts_q;
  logic [3:0] widths_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valids_q <= '0;
      valid_o <= 1'b0;
    end else begin
      valids_q <= {valids_q[0], valid_i};
      valid_o <= valids_q[1] && lasts_q[1];
    end
    firsts_q <= {firsts_q[0], first_i};
    lasts_q <= {lasts_q[0], last_i};
    widths_q <= {widths_q[1:0], width_i};
  end

  // A bit for each of a byte: whether a's field is more than b's.
  function automatic logic [7:0] more(input logic [7:0] a, input logic [7:0] b, input logic [1:0] width);
    logic [7:0] more8, more4, more2, more1;
    more8 = {8{$signed(a) > $signed(b)}};
    for (int i = 0; i < 8; i = i + 4) more4[i +: 4] = {4{$signed(a[i +: 4]) > $signed(b[i +: 4])}};
    for (int i = 0; i < 8; i = i + 2) more2[i +: 2] = {2{$signed(a[i +: 2]) > $signed(b[i +: 2])}};
    more1 = ~a & b;
    more = '0;
    if (Widths[0] && (Widths == 1 || width == 2'd0)) more = more8;
    if (Widths[1] && (Widths == 2 || width == 2'd1)) more = more4;
    if (Widths[2] && (Widths == 4 || width == 2'd2)) more = more2;
    if (Widths[3] && (Widths == 8 || width == 2'd3)) more = more1;
  endfunction

  function automatic logic [7:0] maximum(input logic [7:0] a, input logic [7:0] b, input logic [1:0] width);
    maximum = b ^ ((a ^ b) & more(a, b, width));
  endfunction

  function automatic logic [7:0] least(input logic [1:0] width);
    least = 8'h80;
    if (Widths[1] && (Widths == 2 || width == 2'd1)) least = 8'h88;
    if (Widths[2] && (Widths == 4 || width == 2'd2)) least = 8'haa;
    if (Widths[3] && (Widths == 8 || width == 2'd3)) least = 8'hff;
  endfunction

  // Of two lanes of which one counts, and of none: what does not count is never more than what does.
  logic [Pairs*Channels*8-1:0] pairs_q;

  for (genvar i = 0; i < Pairs; i++) begin : gen_pair
    logic [Channels*8-1:0] a, b;
    logic                  count_a, count_b;

    assign a = window_i[2*i*Channels*8 +: Channels*8];
    assign count_a = lanes_i[2*i];
    if (2 * i + 1 < Lanes) begin : gen_two
      assign b = window_i[(2*i+1)*Channels*8 +: Channels*8];
      assign count_b = lanes_i[2*i+1];
    end else begin : gen_one
      assign b = '0;
      assign count_b = 1'b0;
    end

    for (genvar s = 0; s < Channels; s++) begin : gen_channel
      logic [7:0] x, y, take_x;

      assign x = a[8*s +: 8];
      assign y = b[8*s +: 8];
      assign take_x = {8{!count_b}} | ({8{count_a}} & more(x, y, width_i));

      always_ff @(posedge clk_i) begin
        if (!valid_i || !(count_a || count_b)) pairs_q[8*(i*Channels+s) +: 8] <= least(width_i);
        else pairs_q[8*(i*Channels+s) +: 8] <= (x & take_x) | (y & ~take_x);
      end
    end
  end

  // The pairs that are not there are no operand of any maximum.
  logic [4*Channels*8-1:0] pairs;

  assign pairs = (4 * Channels * 8)'(pairs_q);

  for (genvar s = 0; s < Channels; s++) begin : gen_channel
    logic [7:0] pair0, pair1, pair2, pair3, lower, upper, lanes_q, best_q, is_more;

    assign pair0 = pairs[8*s +: 8];
    assign pair1 = pairs[8*(Channels+s) +: 8];
    assign pair2 = pairs[8*(2*Channels+s) +: 8];
    assign pair3 = pairs[8*(3*Channels+s) +: 8];
    assign lower = (Pairs > 1) ? maximum(pair0, pair1, widths_q[1:0]) : pair0;
    assign upper = (Pairs > 3) ? maximum(pair2, pair3, widths_q[1:0]) : pair2;
    assign is_more = more(lanes_q, best_q, widths_q[3:2]);

    always_ff @(posedge clk_i) begin
      lanes_q <= (Pairs > 2) ? maximum(lower, upper, widths_q[1:0]) : lower;
    end

    if (Widths == 1) begin : gen_byte
      logic unused_more;
      assign unused_more = ^is_more;
      always_ff @(posedge clk_i) if (valids_q[1] && (firsts_q[1] || is_more[0])) best_q <= lanes_q;
    end else begin : gen_fields  // which have no enable of their own
      always_ff @(posedge clk_i) begin
        if (valids_q[1]) best_q <= firsts_q[1] ? lanes_q : (lanes_q & is_more) | (best_q & ~is_more);
      end
    end
    assign y_o[8*s +: 8] = best_q;
  end

`ifndef YOSYS
  // Whether a maximum goes on.
  logic open_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= 1'b0;
    else if (valid_i) open_q <= !last_i;
  end

  always @(posedge clk_i) begin
    if (rst_ni && valid_i && !first_i)
      assert (open_q) else $error("a maximum goes on that did not begin");
  end
`endif

endmodule

`default_nettype wire
