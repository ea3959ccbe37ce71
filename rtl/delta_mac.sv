// Lanes neurons at once: the sums of x * w modulo 2^32, from deltas and references alone, as
// (sum of x * d << shift) + reference * (sum of x). Where a block's last beat is in cycle b, lane
// l's reference is asked for in b + A + l and its tile's sum comes in b + A + 4 + l, where A = 3
// or one more than the cycles of a beat when serial. Nothing stalls: beats are CyclesPerMac or more
// cycles apart, and a block's last beat leaves the block before a cycle for each of its lanes.
// A tile has at most MaxInputs beats, so that no register is wider than its extreme value.

`default_nettype none

module delta_mac #(
  /// Neurons at once, 1 to 255.
  parameter int Lanes = 16,
  /// Bits of a delta, 1 to 8.
  parameter int DeltaBits = 4,
  /// 0 lut, 1 dsp, 2 dsp_packed, 3 serial.
  parameter int Multiplier = 0,
  /// 1: the lanes have the adder for consecutive deltas.
  parameter int Consecutive = 1,
  /// Beats of the longest tile, 2 to 4096.
  parameter int MaxInputs = 4096,
  localparam int OperandBits = (Consecutive != 0) ? 8 : DeltaBits,
  localparam int InputBits = $clog2(MaxInputs),
  // The extreme, at shift 7, is 2^(OperandBits + 13) MaxInputs + 2^14 MaxInputs.
  localparam int ExactBits = ((OperandBits > 1) ? OperandBits : 2) + 15 + InputBits,
  localparam int SumBits = (ExactBits < 32) ? ExactBits : 32
) (
  input  logic                       clk_i,
  input  logic                       rst_ni,
  // Input beat; consecutive_i, shift_i and lanes_i are constant over a tile
  input  logic                       valid_i,
  input  logic signed [7:0]          x_i,
  input  logic [Lanes*DeltaBits-1:0] deltas_i,
  input  logic                       tile_first_i,
  input  logic                       block_first_i,
  input  logic                       block_last_i,
  input  logic                       tile_last_i,
  input  logic                       consecutive_i,
  input  logic [2:0]                 shift_i,
  input  logic [7:0]                 lanes_i,
  // References: ref_i answers one cycle after ref_re_o
  output logic                       ref_re_o,
  input  logic signed [7:0]          ref_i,
  // Output beat
  output logic                       sum_valid_o,
  output logic signed [SumBits-1:0]  sum_o
);

  localparam int CyclesPerMac = (Multiplier == 3) ? OperandBits : 1;
  localparam int XBits = (Multiplier == 3) ? OperandBits + 8 : 8;
  localparam int Count = (Multiplier == 2) ? 2 : 1;
  localparam int LaneBits = (Lanes > 1) ? $clog2(Lanes) : 1;
  // Extremes: -2^7 MaxInputs is a sum of x, 2^(OperandBits + 6) MaxInputs of x * d, and 2^14
  // MaxInputs of reference * x.
  localparam int XSumBits = 8 + InputBits;
  localparam int AccBits = OperandBits + 8 + InputBits;
  localparam int RefBits = 16 + InputBits;

  // What follows a beat down the pipeline; first_block: the block is its tile's first.
  typedef struct packed {
    logic       tile_first;
    logic       block_first;
    logic       block_last;
    logic       tile_last;
    logic       first_block;
    logic [2:0] shift;
    logic [7:0] lanes;
  } info_t;
  localparam int InfoBits = 16;

  // Operand stage, cycle b + 1.
  info_t             info_q;
  logic              operand_valid_q, in_first_block_q;
  logic signed [7:0] x_q;
  logic              first_block;

  assign first_block = tile_first_i || in_first_block_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      operand_valid_q <= 1'b0;
      in_first_block_q <= 1'b0;
    end else begin
      operand_valid_q <= valid_i;
      if (valid_i) in_first_block_q <= first_block && !block_last_i;
    end
    if (valid_i) begin
      x_q <= x_i;
      info_q <= {tile_first_i, block_first_i, block_last_i, tile_last_i, first_block, shift_i,
                 lanes_i};
    end
  end

  // Add stage: b + 2, or b + 1 to b + CyclesPerMac when serial; done in a beat's last such cycle.
  info_t                   add_info;
  logic                    add, add_first, add_done;
  logic signed [7:0]       add_x;
  logic signed [XBits-1:0] lane_x;
  logic signed [9:0]       x_triple;
  logic signed [8:0]       x_negative;

  if (Multiplier == 3) begin : gen_serial_front
    logic                    adding_q;
    logic [2:0]              bit_q;
    logic signed [XBits-1:0] shifted_q, doubled;

    assign doubled = shifted_q <<< 1;
    assign add_done = adding_q && 32'(bit_q) == CyclesPerMac - 1;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) adding_q <= 1'b0;
      else adding_q <= valid_i || (adding_q && !add_done);
      bit_q <= valid_i ? '0 : bit_q + 1'b1;
      // The operand's top bit has negative weight.
      if (valid_i) shifted_q <= (CyclesPerMac == 1) ? -(XBits'(x_i)) : XBits'(x_i);
      else shifted_q <= (32'(bit_q) == CyclesPerMac - 2) ? -doubled : doubled;
    end

    assign add = adding_q;
    assign add_first = info_q.tile_first && bit_q == '0;
    assign add_info = info_q;
    assign add_x = x_q;
    assign lane_x = shifted_q;
    assign x_triple = '0;
    assign x_negative = '0;

    logic unused_valid;
    assign unused_valid = operand_valid_q;
  end else begin : gen_parallel_front
    logic [InfoBits-1:0] product_info_q;  // Yosys 0.23 takes no struct in a generate block.
    logic                product_valid_q;
    logic signed [7:0]   product_x_q;
    logic signed [9:0]   x_triple_q;
    logic signed [8:0]   x_negative_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) product_valid_q <= 1'b0;
      else product_valid_q <= operand_valid_q;
      product_x_q <= x_q;
      product_info_q <= info_q;
      x_triple_q <= 10'(x_i) + (10'(x_i) <<< 1);
      x_negative_q <= -(9'(x_i));
    end

    assign add = product_valid_q;
    assign add_done = product_valid_q;
    assign add_first = add_info.tile_first;
    assign add_info = product_info_q;
    assign add_x = product_x_q;
    assign lane_x = x_q;
    assign x_triple = x_triple_q;
    assign x_negative = x_negative_q;
  end

  // Lanes.
  logic [Lanes*AccBits-1:0] accs;

  for (genvar l = 0; l < Lanes; l = l + Count) begin : gen_lane
    localparam int LaneCount = (l + Count <= Lanes) ? Count : 1;
    mac_lane #(
      .Count(LaneCount),
      .DeltaBits(DeltaBits),
      .Multiplier(Multiplier),
      .Consecutive(Consecutive),
      .AccBits(AccBits)
    ) u_lane (
      .clk_i,
      .load_i(valid_i),
      .running_i(consecutive_i && !block_first_i),
      .deltas_i(deltas_i[l*DeltaBits +: LaneCount*DeltaBits]),
      .x_i(lane_x),
      .x_triple_i(x_triple),
      .x_negative_i(x_negative),
      .add_i(add),
      .first_i(add_first),
      .acc_o(accs[l*AccBits +: LaneCount*AccBits])
    );
  end

  // Capture, cycle b + A: the accumulators go to the shadows, so that the next tile can begin.
  info_t                      drain_info_q;
  logic                       capture_q;
  logic signed [XSumBits-1:0] x_sum_q, x_held_q;
  logic [Lanes*AccBits-1:0]   shadows_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) capture_q <= 1'b0;
    else capture_q <= add_done && add_info.block_last;
    if (add_done) begin
      x_sum_q <= XSumBits'(add_x) + (add_info.block_first ? '0 : x_sum_q);
      if (add_info.block_last) drain_info_q <= add_info;
    end
    if (capture_q) begin
      x_held_q <= x_sum_q;
      shadows_q <= accs;
    end
  end

  // Drain, one lane a cycle: request, product, sum.
  logic                draining_q;
  logic [LaneBits-1:0] next_lane_q, lane;

  assign lane = capture_q ? '0 : next_lane_q;
  assign ref_re_o = capture_q || draining_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) draining_q <= 1'b0;
    else draining_q <= ref_re_o && 8'(lane) != drain_info_q.lanes - 8'd1;
    next_lane_q <= lane + 1'b1;
  end

  // One cycle after the request: the lane's shadow, out of a table with a power of two a lane.
  localparam int Stride = 2 ** $clog2(AccBits);

  logic [Stride*2**LaneBits-1:0] table_of_shadows;
  logic                          pick_valid_q, pick_first_q, pick_emit_q;
  logic [2:0]                    pick_shift_q;
  logic [LaneBits-1:0]           pick_lane_q;
  logic [AccBits-1:0]            pick;

  for (genvar l = 0; l < 2 ** LaneBits; l++) begin : gen_shadow
    if (l < Lanes) begin : gen_used
      assign table_of_shadows[l*Stride +: Stride] = Stride'(shadows_q[l*AccBits +: AccBits]);
    end else begin : gen_unused
      assign table_of_shadows[l*Stride +: Stride] = '0;
    end
  end

  assign pick = table_of_shadows[{pick_lane_q, {$clog2(AccBits){1'b0}}} +: AccBits];

  // Two: the shift, and the reference's part. Three: the sum.
  logic                      total_valid_q, total_first_q, total_emit_q, sum_valid_q;
  logic [2:0]                total_shift_q;
  logic [LaneBits-1:0]       total_lane_q;
  logic signed [AccBits-1:0] pick_q;
  logic signed [SumBits-1:0] shifted_q;
  logic signed [RefBits-1:0] ref_product_q, ref_total, ref_total_q;

  (* ram_style = "distributed" *)
  logic signed [RefBits-1:0] ref_sums_q [2 ** LaneBits];

  assign ref_total = ref_product_q + (total_first_q ? '0 : ref_sums_q[total_lane_q]);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pick_valid_q <= 1'b0;
      total_valid_q <= 1'b0;
      sum_valid_q <= 1'b0;
      sum_valid_o <= 1'b0;
    end else begin
      pick_valid_q <= ref_re_o;
      total_valid_q <= pick_valid_q;
      sum_valid_q <= total_valid_q && total_emit_q;
      sum_valid_o <= sum_valid_q;
    end

    pick_lane_q <= lane;
    pick_first_q <= drain_info_q.first_block;
    pick_emit_q <= drain_info_q.tile_last;
    pick_shift_q <= drain_info_q.shift;

    total_lane_q <= pick_lane_q;
    total_first_q <= pick_first_q;
    total_emit_q <= pick_emit_q;
    total_shift_q <= pick_shift_q;
    pick_q <= $signed(pick);
    ref_product_q <= ref_i * x_held_q;

    if (total_valid_q) ref_sums_q[total_lane_q] <= ref_total;
    ref_total_q <= ref_total;
    shifted_q <= SumBits'(pick_q) <<< total_shift_q;

    sum_o <= shifted_q + SumBits'(ref_total_q);
  end

  logic unused_info;
  assign unused_info = ^{drain_info_q.tile_first, drain_info_q.block_first,
                         drain_info_q.block_last};

`ifndef YOSYS
  // Cycles since the latest beat, 15 for many.
  logic [3:0] since_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) since_q <= '1;
    else if (valid_i) since_q <= 4'd1;
    else if (since_q != '1) since_q <= since_q + 1'b1;
  end

  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!valid_i || 32'(since_q) >= CyclesPerMac)
          else $error("beats are closer than a beat's cycles");
      assert (!valid_i || lanes_i - 8'd1 < 8'(Lanes))
          else $error("a beat is for lanes that are not there");
      assert (!(capture_q && draining_q))
          else $error("a block ends before the one before it has drained");
    end
  end
`endif

endmodule

`default_nettype wire
