// How many of Pairs pairs of bits are 1 and 1, a count a cycle: of the pairs in cycle c it is on count_o in
// c + Latency, Latency = 3 + $clog2(ceil(Pairs / 18)).
//
// Three pairs are counted in two LUTs of six inputs, the ones and the twos of six such counts in three LUTs
// each, and their sum, a count of 18 pairs, is one of the numbers of an adder tree.

`default_nettype none

module pair_count #(
  /// Pairs, at least 1.
  parameter int Pairs = 24,
  localparam int CountBits = $clog2(Pairs + 1)
) (
  input  logic                 clk_i,
  input  logic [Pairs-1:0]     x_i,
  input  logic [Pairs-1:0]     w_i,
  output logic [CountBits-1:0] count_o
);

  if (Pairs < 1) begin : gen_bad_pairs
    pairs_must_be_at_least_1 u_error ();
  end

  localparam int Groups = (Pairs + 17) / 18;
  localparam int SumBits = 5 + $clog2(Groups);

  function automatic logic [1:0] count3(input logic [2:0] bits);
    count3 = {(bits[0] & bits[1]) | (bits[0] & bits[2]) | (bits[1] & bits[2]), ^bits};
  endfunction

  function automatic logic [2:0] count6(input logic [5:0] bits);
    logic [1:0] lower, upper, twos;
    lower = count3(bits[2:0]);
    upper = count3(bits[5:3]);
    twos = count3({lower[1], upper[1], lower[0] & upper[0]});
    count6 = {twos, lower[0] ^ upper[0]};
  endfunction

  // 1: three pairs each. Pairs that are not there count nothing.
  logic [18*Groups-1:0] both;
  logic [6*Groups-1:0]  ones_q, twos_q;

  assign both = (18 * Groups)'(x_i) & (18 * Groups)'(w_i);

  for (genvar i = 0; i < 6 * Groups; i++) begin : gen_three
    always_ff @(posedge clk_i) {twos_q[i], ones_q[i]} <= count3(both[3*i +: 3]);
  end

  // 2: six of these. 3: 18 pairs each.
  logic [5*Groups-1:0] counts_q;
  logic [SumBits-1:0]  sum;

  for (genvar g = 0; g < Groups; g++) begin : gen_group
    logic [2:0] ones_count_q, twos_count_q;

    always_ff @(posedge clk_i) begin
      ones_count_q <= count6(ones_q[6*g +: 6]);
      twos_count_q <= count6(twos_q[6*g +: 6]);
      counts_q[5*g +: 5] <= {4'(twos_count_q) + 4'(ones_count_q[2:1]), ones_count_q[0]};
    end
  end

  adder_tree #(.Count(Groups), .Bits(5), .Signed(0)) u_tree (.clk_i, .terms_i(counts_q), .sum_o(sum));

  assign count_o = sum[CountBits-1:0];

  if (SumBits > CountBits) begin : gen_unused
    logic unused;
    assign unused = ^sum[SumBits-1:CountBits];
  end

endmodule

`default_nettype wire
