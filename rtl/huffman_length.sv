// The length of the code at the head of a window: the smallest l whose limit is above the window.
// A module of its own that synthesis keeps, because dissolved in the multiplexers around it, on the
// decoder's longest path, it takes three times the LUTs.

`default_nettype none

(* keep_hierarchy = "yes" *)
module huffman_length #(
  /// Longest code, 1 to 8.
  parameter int MaxLength = 8,
  /// 1: the limit of the longest code is 256, or 128 (one code of one bit).
  parameter int Complete = 0
) (
  input  logic [7:0]  window_i,
  // Of length l, bits [9*(l-1) +: 9]; never falling, and only the upper l + 1 bits are looked at
  input  logic [71:0] limits_i,
  // Length 8, whatever the window
  input  logic        eight_i,
  // The length - 1
  output logic [2:0]  length_o,
  // There is a code
  output logic        valid_o
);

  // below[l]: the code has l bits or fewer. Bit by bit: a carry chain would take more LUTs.
  logic [8:1] below;
  logic       less;

  always_comb begin
    less = 1'b0;
    for (int l = 1; l <= 8; l++) begin
      less = 1'b0;
      for (int b = 0; b < 8; b++) begin
        if (b >= 8 - l && window_i[b] != limits_i[9 * (l - 1) + b])
          less = limits_i[9 * (l - 1) + b];
      end
      below[l] = less || limits_i[9 * (l - 1) + 8] || (Complete != 0 && l >= MaxLength);
    end
  end

  assign valid_o = (Complete != 0) ? limits_i[71] || !window_i[7] : below[8];
  assign length_o[2] = eight_i || !below[4];
  assign length_o[1] = eight_i || !(below[4] ? below[2] : below[6]);
  assign length_o[0] = eight_i || !(below[4] ? (below[2] ? below[1] : below[3])
                                             : (below[6] ? below[5] : below[7]));

endmodule

`default_nettype wire
