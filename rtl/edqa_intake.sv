// The way in of mode paper: values wait until their channel is whole and its maximum known, and leave
// channel by channel. A value comes in cycle c with valid_i, and in c + 1 as an entry, with the flags of
// its channel's first and last one and whether its channel is coded.
//
// room_o: fewer than Depth values are from valid_i to their pop; and if the next one is its channel's
// first (first_i), fewer than 4 channels have come, if in part, and are not begun. Counts are of earlier
// cycles.
//
// A value is there to be popped from c + 3 on, a channel's maximum from c + 3 of its last value on. A
// channel is begun (begin_o, with its maximum) in a cycle in which its maximum is there, no channel is
// being popped, full_i is low, and, if it is coded, fewer than two coded ones are begun whose counts
// are not taken yet (counts_taken_i, once for each; it counts from the next cycle on). From the next
// cycle on its values are popped, one per cycle without hold_i, and its last pop is the last cycle in
// which it is being popped. coded_o and maximum_o belong to what is popped.

`default_nettype none

module edqa_intake #(
  /// Bits of a magnitude.
  parameter int MagnitudeBits = 16,
  /// Values, a power of two of at least 2, and of at least the longest channel.
  parameter int Depth = 4096
) (
  input  logic                     clk_i,
  input  logic                     rst_ni,
  // Values in
  output logic                     room_o,
  input  logic                     first_i,
  input  logic                     valid_i,
  // Entries
  input  logic                     entry_valid_i,
  input  logic                     entry_first_i,
  input  logic                     entry_last_i,
  input  logic                     entry_negative_i,
  input  logic [MagnitudeBits-1:0] entry_magnitude_i,
  input  logic                     entry_coded_i,
  // Channels
  input  logic                     full_i,
  input  logic                     counts_taken_i,
  output logic                     begin_o,
  output logic                     begin_coded_o,
  output logic [MagnitudeBits-1:0] begin_maximum_o,
  // Values out
  input  logic                     hold_i,
  output logic                     pop_o,
  output logic                     negative_o,
  output logic [MagnitudeBits-1:0] magnitude_o,
  output logic                     last_o,
  output logic                     coded_o,
  output logic [MagnitudeBits-1:0] maximum_o
);

  localparam int DepthBits = $clog2(Depth);

  // The largest entry of the channel so far.
  logic [MagnitudeBits-1:0] largest_q;
  logic                     ended_q, ended_coded_q, maximum_there;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) ended_q <= 1'b0;
    else ended_q <= entry_valid_i && entry_last_i;
    if (entry_valid_i && (entry_first_i || entry_magnitude_i > largest_q)) largest_q <= entry_magnitude_i;
    ended_coded_q <= entry_coded_i;
  end

  output_fifo #(.Width(MagnitudeBits + 1), .Depth(4)) u_maxima (
    .clk_i,
    .rst_ni,
    .push_i(ended_q),
    .data_i({ended_coded_q, largest_q}),
    .valid_o(maximum_there),
    .data_o({begin_coded_o, begin_maximum_o}),
    .ready_i(begin_o)
  );

  logic values_full, value_there;

  symbol_fifo #(.Width(MagnitudeBits + 2), .Depth(Depth)) u_values (
    .clk_i,
    .rst_ni,
    .push_i(entry_valid_i),
    .data_i({entry_last_i, entry_negative_i, entry_magnitude_i}),
    .full_o(values_full),
    .valid_o(value_there),
    .data_o({last_o, negative_o, magnitude_o}),
    .ready_i(pop_o)
  );

  logic               busy_q;
  logic [1:0]         uncounted_q;  // coded channels, begun, whose counts are not taken
  logic [2:0]         waiting_q;    // channels that have come, if in part, and are not begun
  logic [DepthBits:0] values_q;     // from valid_i to their pop

  assign begin_o = maximum_there && !busy_q && !full_i && !(begin_coded_o && uncounted_q[1]);
  assign pop_o = busy_q && !hold_i;
  assign room_o = !values_q[DepthBits] && !(first_i && waiting_q[2]);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      uncounted_q <= '0;
      waiting_q <= '0;
      values_q <= '0;
    end else begin
      busy_q <= begin_o || (busy_q && !(pop_o && last_o));
      uncounted_q <= uncounted_q + 2'(begin_o && begin_coded_o) - 2'(counts_taken_i);
      waiting_q <= waiting_q + 3'(valid_i && first_i) - 3'(begin_o);
      if (valid_i != pop_o) values_q <= valid_i ? values_q + 1'b1 : values_q - 1'b1;
    end
    if (begin_o) begin
      coded_o <= begin_coded_o;
      maximum_o <= begin_maximum_o;
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(entry_valid_i && values_full)) else $error("the queue of values is full");
      assert (!pop_o || value_there) else $error("a channel is begun before its values are there");
      assert (!counts_taken_i || uncounted_q != '0) else $error("counts are taken of no channel");
    end
  end
`endif

endmodule

`default_nettype wire
