// One output's products of a window of Bytes bytes of activations with Planes planes of weight bits, a window
// per cycle. By width_i (code c: 8, 4, 2, 1 bits) byte after byte is one, two, four or eight activations of
// a = 8 >> c bits, two's complement, of 1 bit 0 or -1; all bits of an activation have the same weight bit,
// and of a plane its product is the sum of the activations whose weight bit is 1. The sum of all planes is
// that of 2^u times plane u's product, of the uppermost one with top_i minus that. Of the window in cycle c
// it is sum_o + more_o in c + D, D = 4 + $clog2(ceil(Bytes / 3)) + $clog2(Planes); a sum that needs a one
// more is left to the adder that takes it.
//
// By position in an activation of the widest width the ones are counted (rtl/pair_count.sv); counts of
// neighbours meet, in as many levels as the widest one takes, the upper one worth 2^(positions) more where
// both are of one activation, and negative where it has the sign.

`default_nettype none

module plane_product #(
  /// Bytes of a window, 8 to 224.
  parameter int Bytes = 24,
  /// U, weight planes: 1, 2, 4 or 8.
  parameter int Planes = 1,
  /// Widths of activations: bit c: 8 >> c bits.
  parameter int Widths = 9,
  /// Bits of sum_o, which is modulo 2^SumBits: 2 to 32.
  parameter int SumBits = 25
) (
  input  logic                      clk_i,
  // Window, its weights: bit 8 i + b of plane u, bit b of byte i, is bit u * 8 * Bytes + 8 i + b
  input  logic                      top_i,
  input  logic [1:0]                width_i,
  input  logic [8*Bytes-1:0]        x_i,
  input  logic [Planes*8*Bytes-1:0] w_i,
  // Products
  output logic signed [SumBits-1:0] sum_o,
  output logic                      more_o
);

  if (Bytes < 8 || Bytes > 224) begin : gen_bad_bytes
    bytes_must_be_8_to_224 u_error ();
  end
  if (Planes != 1 && Planes != 2 && Planes != 4 && Planes != 8) begin : gen_bad_planes
    planes_must_be_1_2_4_or_8 u_error ();
  end
  if (Widths < 1 || Widths > 15) begin : gen_bad_widths
    widths_must_be_1_to_15 u_error ();
  end

  localparam int Widest = Widths[0] ? 8 : Widths[1] ? 4 : Widths[2] ? 2 : 1;
  localparam int Levels = $clog2(Widest);
  localparam int Pairs = 8 * Bytes / Widest;  // of a position
  localparam int CountLatency = 3 + $clog2((Pairs + 17) / 18);
  localparam int PlaneLevels = $clog2(Planes);
  localparam int Latency = 4 + $clog2((Bytes + 2) / 3) + PlaneLevels;
  localparam int Spare = Latency - CountLatency - Levels - PlaneLevels;

  // A plane's product is up to Most, or less than 0 by up to Least: of all positions, by width.
  localparam int Positions = Widest * Pairs;
  localparam int Most8 = Widths[0] ? Positions / 8 * 127 : 0;
  localparam int Most4 = Widths[1] ? Positions / 4 * 7 : 0;
  localparam int Most2 = Widths[2] ? Positions / 2 : 0;
  localparam int Most1 = Widths[3] ? Positions : 0;
  localparam int MostWide = (Most8 > Most4) ? Most8 : Most4;
  localparam int MostNarrow = (Most2 > Most1) ? Most2 : Most1;
  localparam int Most = (MostWide > MostNarrow) ? MostWide : MostNarrow;
  localparam int Least = (Widest > 1) ? Positions / Widest * 2 ** (Widest - 1) : 0;
  localparam int ProductBits = 1 + (($clog2(Most + 1) > $clog2(Least)) ? $clog2(Most + 1) : $clog2(Least));
  localparam int CountBits = $clog2(Pairs + 1);
  localparam int AllBits = ProductBits + ((Planes > 1) ? Planes : 0);

  // Of the windows on their way, by cycles since they came in.
  logic [Latency-1:0]     tops_q;
  logic [2*Latency-1:0]   widths_q;
  logic [2*Latency+1:0]   widths;  // with the one that comes in

  assign widths = {widths_q, width_i};

  always_ff @(posedge clk_i) begin
    tops_q <= {tops_q[Latency-2:0], top_i};
    widths_q <= widths[2*Latency-1:0];
  end

  // By level: whether two neighbours are of one activation; of the first level's pairs: whether the upper one
  // is a sign.
  logic [2:0] one;
  logic [3:0] sign;

  for (genvar k = 0; k < 3; k++) begin : gen_one
    if (k >= Levels) begin : gen_never
      assign one[k] = 1'b0;
    end else if (Widths < 2 ** (3 - k)) begin : gen_always
      assign one[k] = 1'b1;
    end else begin : gen_sometimes
      logic [1:0] width;  // of the window that the level has next
      logic [2:0] wide;
      logic       one_q;

      assign width = widths[2*(CountLatency+k-1) +: 2];
      for (genvar code = 0; code < 3; code++) begin : gen_code
        assign wide[code] = Widths[code] && 8 >> code >= 2 ** (k + 1) && width == 2'(code);
      end
      always_ff @(posedge clk_i) one_q <= wide != '0;
      assign one[k] = one_q;
    end
  end

  for (genvar j = 0; j < 4; j++) begin : gen_sign
    logic [1:0] width;
    logic [2:0] top;
    logic       sign_q;

    assign width = widths[2*(CountLatency-1) +: 2];
    for (genvar code = 0; code < 3; code++) begin : gen_code
      assign top[code] = Widths[code] && (2 * j + 2) % (8 >> code) == 0 &&
          (Widths == 2 ** code || width == 2'(code));
    end
    always_ff @(posedge clk_i) sign_q <= top != '0;
    assign sign[j] = sign_q;
  end

  // Planes.
  logic [ProductBits*Planes-1:0] products;

  for (genvar u = 0; u < Planes; u++) begin : gen_plane
    localparam int FirstBits = CountBits + 1;
    logic [FirstBits*Widest-1:0] counts;

    for (genvar m = 0; m < Widest; m++) begin : gen_position
      logic [Pairs-1:0] x, w;

      for (genvar i = 0; i < Pairs; i++) begin : gen_pair
        assign x[i] = x_i[Widest*i + m];
        assign w[i] = w_i[8*Bytes*u + Widest*i + m];
      end
      pair_count #(.Pairs(Pairs)) u_count (
        .clk_i, .x_i(x), .w_i(w), .count_o(counts[FirstBits*m +: CountBits])
      );
      assign counts[FirstBits*m+CountBits] = 1'b0;
    end

    for (genvar k = 0; k < Levels; k++) begin : gen_level
      localparam int Fields = Widest >> (k + 1);
      localparam int InBits = (k == 0) ? FirstBits : 1 + $clog2((2 ** (2 ** k) - 1) * Pairs + 1);
      localparam int OutBits = (k == Levels - 1) ? ProductBits :
          1 + $clog2((2 ** (2 ** (k + 1)) - 1) * Pairs + 1);
      logic [2*Fields*InBits-1:0] terms;
      logic [Fields*OutBits-1:0]  sums_q;

      if (k == 0) begin : gen_first
        assign terms = counts;
      end else begin : gen_next
        assign terms = gen_level[k-1].sums_q;
      end

      for (genvar j = 0; j < Fields; j++) begin : gen_field
        logic [OutBits-1:0] lower, upper, worth, sum;
        logic               minus, unused_bit;

        assign lower = OutBits'($signed(terms[2*j*InBits +: InBits]));
        assign upper = OutBits'($signed(terms[(2*j+1)*InBits +: InBits]));
        assign worth = one[k] ? upper << 2 ** k : upper;
        assign minus = k == 0 && sign[j];
        // lower + worth or lower - worth, a LUT a bit.
        assign {sum, unused_bit} = {lower, minus} - {worth ^ {OutBits{!minus}}, 1'b1};

        always_ff @(posedge clk_i) sums_q[j*OutBits +: OutBits] <= sum;
      end
    end

    if (Levels == 0) begin : gen_counts
      assign products[ProductBits*u +: ProductBits] = counts;
    end else begin : gen_sums
      assign products[ProductBits*u +: ProductBits] = gen_level[Levels-1].sums_q;
    end
  end

  // All of them: the upper one of a pair worth more, and the uppermost one less than nothing.
  logic [AllBits-1:0] all, late;

  for (genvar k = 0; k < PlaneLevels; k++) begin : gen_planes
    localparam int Fields = Planes >> (k + 1);
    localparam int InBits = (k == 0) ? ProductBits : ProductBits + 2 ** k;
    localparam int OutBits = ProductBits + 2 ** (k + 1);
    logic [2*Fields*InBits-1:0] terms;
    logic [Fields*OutBits-1:0]  sums_q;

    if (k == 0) begin : gen_first
      assign terms = products;
    end else begin : gen_next
      assign terms = gen_planes[k-1].sums_q;
    end

    for (genvar j = 0; j < Fields; j++) begin : gen_field
      logic [OutBits-1:0] lower, worth, sum;
      logic               minus, unused_bit;

      assign lower = OutBits'($signed(terms[2*j*InBits +: InBits]));
      assign worth = OutBits'($signed(terms[(2*j+1)*InBits +: InBits])) << 2 ** k;
      assign minus = k == 0 && j == Fields - 1 && tops_q[CountLatency+Levels-1];
      assign {sum, unused_bit} = {lower, minus} - {worth ^ {OutBits{!minus}}, 1'b1};

      always_ff @(posedge clk_i) sums_q[j*OutBits +: OutBits] <= sum;
    end
  end

  if (Planes == 1) begin : gen_one_plane
    assign all = products;
  end else begin : gen_all_planes
    assign all = gen_planes[PlaneLevels-1].sums_q;
  end

  if (Spare > 0) begin : gen_spare
    delay_line #(.Width(AllBits), .Cycles(Spare)) u_late (.clk_i, .data_i(all), .data_o(late));
  end else begin : gen_no_spare
    assign late = all;
  end

  // A lone plane's sign, and that of activations of a bit.
  logic negative_q;

  if (Planes > 1 && !Widths[3]) begin : gen_positive
    assign negative_q = 1'b0;
  end else begin : gen_negative
    logic bits;
    assign bits = Widths == 8 || (Widths[3] && widths[2*(Latency-1) +: 2] == 2'd3);
    always_ff @(posedge clk_i) negative_q <= bits != (Planes == 1 && tops_q[Latency-2]);
  end

  assign sum_o = SumBits'($signed(late ^ {AllBits{negative_q}}));
  assign more_o = negative_q;

  logic unused;
  assign unused = ^{widths, tops_q, one, sign, late};

endmodule

`default_nettype wire
