// Walks the slots, image > layer > tile > block > input: issue_o is a slot, and its beat of the delta
// MAC comes in the next cycle. A tile starts, in a cycle with wait_i, when the slot before it is over
// and its operands and the room for its results are there; then a slot is issued in every cycle with
// run_i that the cycles of a beat and the draining lanes leave, so that nothing downstream stalls.
// Raises an error instead of a slot that would read words or references that the design has not.

`default_nettype none

module issue_walker #(
  /// Neurons at once.
  parameter int Lanes = 16,
  /// Cycles of a delta MAC's beat.
  parameter int CyclesPerMac = 1,
  /// Cycles from a block's last slot to the first slot that can read lane 0's activation.
  parameter int WriteLatency = 14,
  /// Cycles from an inference's last slot to the first that has symbols of the restarted streams.
  parameter int StreamLatency = 9,
  /// 1: the weight banks hold Huffman-coded streams.
  parameter int Huffman = 0,
  /// Words of a weight bank.
  parameter int BankDepth = 4096,
  /// Elements in one half of the input buffer, a power of two.
  parameter int InDepth = 1024,
  /// Elements in one half of the activation buffer, a power of two.
  parameter int ActDepth = 512,
  /// References.
  parameter int RefDepth = 512,
  /// Words of the output FIFO.
  parameter int OutDepth = 32,
  localparam int WeightBits = $clog2(BankDepth + 1),
  localparam int InBits = $clog2(2 * InDepth),
  localparam int ActBits = $clog2(2 * ActDepth),
  localparam int RefBits = (RefDepth > 1) ? $clog2(RefDepth) : 1
) (
  input  logic                  clk_i,
  input  logic                  restart_i,
  // State; tile: a tile starts, stop: the slot is the last before the next tile is waited for
  input  logic                  wait_i,
  input  logic                  run_i,
  output logic                  tile_o,
  output logic                  stop_o,
  output logic                  weight_error_o,
  output logic                  ref_error_o,
  // Layer, its lengths less one; layer_i: the cursor goes on to a layer of ahead_outputs_i
  input  logic                  layer_i,
  input  logic [12:0]           ahead_outputs_i,
  input  logic                  first_layer_i,
  input  logic                  last_layer_i,
  input  logic                  layer_odd_i,
  input  logic [12:0]           inputs_i,
  input  logic [12:0]           block_i,
  input  logic                  consecutive_i,
  input  logic [2:0]            shift_i,
  output logic                  layer_end_o,
  // Input buffer's half; free: the slot is its last read
  input  logic                  half_i,
  input  logic                  full_i,
  output logic                  free_o,
  // Slot; end: the inference's last
  output logic                  issue_o,
  output logic [12:0]           index_o,
  output logic [7:0]            lanes_o,
  output logic                  end_o,
  output logic [WeightBits-1:0] weight_addr_o,
  output logic [InBits-1:0]     in_raddr_o,
  output logic [ActBits-1:0]    act_raddr_o,
  // Beat of the delta MAC, a cycle after its slot; flags: tile last, block last, block first,
  // tile first
  output logic                  mac_valid_o,
  output logic [3:0]            mac_flags_o,
  output logic                  mac_first_layer_o,
  output logic                  mac_consecutive_o,
  output logic [2:0]            mac_shift_o,
  output logic [7:0]            mac_lanes_o,
  // References in drain order
  input  logic                  ref_re_i,
  output logic [RefBits-1:0]    ref_addr_o,
  // A result leaves the output FIFO
  input  logic                  out_beat_i
);

  localparam int CreditBits = $clog2(OutDepth + 1);
  localparam int RefCountBits = $clog2(RefDepth + Lanes + 1);
  localparam int LongestHazard = (WriteLatency > StreamLatency) ? WriteLatency : StreamLatency;
  localparam int HazardBits = $clog2(LongestHazard - 1);

  // Where the slot stands.
  logic [12:0]             index_q, block_index_q;
  logic [WeightBits-1:0]   weight_q;
  logic [RefCountBits-1:0] refs_q, refs_next;
  logic                    block_end, tile_end, layer_end;

  // The tile: outputs from its first neuron to the layer's last, less one; its lanes; and the cycles
  // that its first neuron's activation comes too late for the next layer.
  logic [12:0]           left_q, left_d;
  logic [7:0]            lanes_q;
  logic [HazardBits-1:0] late_q;
  logic                  last_tile_q;

  assign tile_end = index_q == inputs_i;
  assign block_end = tile_end || block_index_q == block_i;
  assign layer_end = tile_end && last_tile_q;

  // Slots: gap_q counts a beat's cycles, drain_q the lanes that still drain, hazard_q the cycles
  // until the layer's last results can be read.
  logic [2:0]            gap_q;
  logic [7:0]            drain_q;
  logic [HazardBits-1:0] hazard_q;
  logic [CreditBits-1:0] credits_q, credits_taken;
  logic                  can_issue, can_start;

  assign refs_next = refs_q + RefCountBits'(lanes_q);
  assign can_issue = run_i && gap_q == '0 && (!block_end || drain_q == '0);
  assign weight_error_o = Huffman == 0 && can_issue && 32'(weight_q) == BankDepth;
  assign ref_error_o = can_issue && block_end && 32'(refs_next) > RefDepth;
  assign issue_o = can_issue && !weight_error_o && !ref_error_o;

  assign can_start = gap_q == '0 && hazard_q == '0 && (!first_layer_i || full_i)
      && (!last_layer_i || 32'(credits_q) >= 32'(lanes_q));
  assign tile_o = wait_i && can_start;
  assign credits_taken = (tile_o && last_layer_i) ? CreditBits'(lanes_q) : '0;

  assign layer_end_o = issue_o && layer_end;
  assign stop_o = issue_o && (layer_end || (tile_end && last_layer_i));
  assign end_o = layer_end_o && last_layer_i;
  assign free_o = layer_end_o && first_layer_i;
  assign index_o = index_q;
  assign lanes_o = lanes_q;
  assign weight_addr_o = (Huffman != 0) ? '0 : weight_q;
  assign in_raddr_o = {half_i, index_q[InBits-2:0]};
  assign act_raddr_o = {!layer_odd_i, index_q[ActBits-2:0]};

  always_ff @(posedge clk_i) begin
    if (restart_i) begin
      index_q <= '0;
      block_index_q <= '0;
      weight_q <= '0;
      refs_q <= '0;
    end else if (issue_o) begin
      index_q <= tile_end ? '0 : index_q + 1'b1;
      block_index_q <= block_end ? '0 : block_index_q + 1'b1;
      weight_q <= end_o ? '0 : weight_q + 1'b1;
      if (block_end) refs_q <= end_o ? '0 : refs_next;
    end
  end

  assign left_d = (restart_i || layer_i) ? ahead_outputs_i : left_q - 13'(Lanes);

  always_ff @(posedge clk_i) begin
    if (restart_i || layer_i || (issue_o && tile_end)) begin
      left_q <= left_d;
      last_tile_q <= 32'(left_d) < Lanes;
      lanes_q <= (32'(left_d) < Lanes) ? left_d[7:0] + 8'd1 : 8'(Lanes);
    end
    if (restart_i || layer_i) late_q <= HazardBits'(WriteLatency - 2);
    else if (issue_o && tile_end)
      late_q <= (32'(late_q) > Lanes) ? late_q - HazardBits'(Lanes) : '0;
  end

  always_ff @(posedge clk_i) begin
    if (restart_i) begin
      gap_q <= '0;
      drain_q <= '0;
      hazard_q <= '0;
      credits_q <= CreditBits'(OutDepth);
    end else begin
      if (issue_o) gap_q <= 3'(CyclesPerMac - 1);
      else if (gap_q != '0) gap_q <= gap_q - 1'b1;
      if (issue_o && block_end) drain_q <= lanes_q - 8'd1;
      else if (drain_q != '0) drain_q <= drain_q - 1'b1;
      if (layer_end_o && !last_layer_i) hazard_q <= late_q;
      else if (Huffman != 0 && end_o) hazard_q <= HazardBits'(StreamLatency - 2);
      else if (hazard_q != '0) hazard_q <= hazard_q - 1'b1;
      credits_q <= credits_q - credits_taken + CreditBits'(out_beat_i);
    end
  end

  // The beat that follows a slot.
  always_ff @(posedge clk_i) begin
    if (restart_i) mac_valid_o <= 1'b0;
    else mac_valid_o <= issue_o;
    mac_flags_o <= {tile_end, block_end, block_index_q == '0, index_q == '0};
    mac_first_layer_o <= first_layer_i;
    mac_consecutive_o <= consecutive_i;
    mac_shift_o <= shift_i;
    mac_lanes_o <= lanes_q;
  end

  // References are read in the order they were counted; the last one's address is known since the
  // first inference was issued, and until then nothing can reach it.
  logic [RefBits-1:0] ref_addr_q, ref_end_q;

  assign ref_addr_o = ref_addr_q;
  always_ff @(posedge clk_i) begin
    if (restart_i) begin
      ref_addr_q <= '0;
      ref_end_q <= '1;
    end else begin
      if (end_o) ref_end_q <= RefBits'(refs_next - 1'b1);
      if (ref_re_i) ref_addr_q <= (ref_addr_q == ref_end_q) ? '0 : ref_addr_q + 1'b1;
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (!restart_i) begin
      assert (32'(credits_q) <= OutDepth) else $error("more places in the output FIFO than it has");
      assert (credits_taken <= credits_q) else $error("a tile starts without room for its results");
      assert (!issue_o || !first_layer_i || full_i) else $error("a slot reads a half that is not full");
      assert (!issue_o || Huffman != 0 || 32'(weight_q) < BankDepth)
          else $error("a slot reads beyond the weight banks");
    end
  end
`endif

endmodule

`default_nettype wire
