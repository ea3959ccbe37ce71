// Eight of eighteen bits, from a position 0 to 8 on: the head of what a decoder has not yet decoded.
// A module of its own that synthesis keeps, as huffman_length is, so that it stays these two levels.

`default_nettype none

(* keep_hierarchy = "yes" *)
module huffman_window (
  input  logic [17:0] bits_i,
  input  logic [3:0]  position_i,
  output logic [7:0]  window_o
);

  // By steps of four, then of one.
  logic [10:0] coarse;

  assign coarse = position_i[3] ? {bits_i[9:0], 1'b0}
      : position_i[2] ? bits_i[13:3] : bits_i[17:7];
  assign window_o = position_i[1] ? (position_i[0] ? coarse[7:0] : coarse[8:1])
      : (position_i[0] ? coarse[9:2] : coarse[10:3]);

endmodule

`default_nettype wire
