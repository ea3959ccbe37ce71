// Runs a table of layer descriptors: takes inputs from the stream, issues a slot (one activation
// and one word of every weight bank) for each beat of the delta MAC, and walks the results back to
// their places. A tile starts only when its operands and the room for its results are there, so
// that nothing downstream ever stalls; a bad program ends in the error state with a code.

`default_nettype none

module scheduler #(
  /// Neurons at once.
  parameter int Lanes = 16,
  /// Cycles of a delta MAC's beat.
  parameter int CyclesPerMac = 1,
  /// Cycles from a block's last slot to the first slot that can read lane 0's activation.
  parameter int WriteLatency = 14,
  /// Cycles from an inference's last slot to the first that has symbols of the restarted streams.
  parameter int StreamLatency = 9,
  /// 1: the lanes can take consecutive deltas.
  parameter int Consecutive = 1,
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
  /// Requantizer parameters.
  parameter int ParamDepth = 512,
  /// Layer descriptors, a power of two, at most 16.
  parameter int MaxLayers = 16,
  /// Words of the output FIFO.
  parameter int OutDepth = 32,
  localparam int ProgramBits = $clog2(2 * MaxLayers),
  localparam int WeightBits = $clog2(BankDepth + 1),
  localparam int InBits = $clog2(2 * InDepth),
  localparam int ActBits = $clog2(2 * ActDepth),
  localparam int RefBits = (RefDepth > 1) ? $clog2(RefDepth) : 1,
  localparam int ParamBits = (ParamDepth > 1) ? $clog2(ParamDepth) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_ni,
  // Control and status
  input  logic                   clear_i,
  input  logic                   start_i,
  input  logic [7:0]             layers_i,
  input  logic [31:0]            images_i,
  output logic [1:0]             status_o,
  output logic [4:0]             error_o,
  output logic [3:0]             error_layer_o,
  output logic [63:0]            cycles_o,
  output logic [31:0]            inferences_o,
  // Program: word 2i is {huffman, consecutive, activation, outputs, inputs} of layer i,
  // word 2i + 1 is {requantizer shift, delta shift, block length}
  input  logic                   prog_we_i,
  input  logic [ProgramBits-1:0] prog_addr_i,
  input  logic [31:0]            prog_data_i,
  // Code books, built one after the other between the checks and the first tile
  output logic                   build_start_o,
  output logic [3:0]             build_layer_o,
  output logic                   build_uniform_o,
  input  logic                   build_done_i,
  input  logic [1:0]             build_fault_i,
  // Input stream, into the input buffer
  input  logic                   s_valid_i,
  input  logic                   s_last_i,
  output logic                   s_ready_o,
  output logic                   in_we_o,
  output logic [InBits-1:0]      in_waddr_o,
  // Slot: reads all weight banks, or takes a symbol from the streams of its lanes, and reads the
  // input buffer for layer 0 or the activation buffer; end: the inference's last
  output logic                   issue_o,
  output logic [3:0]             issue_layer_o,
  output logic [12:0]            issue_index_o,
  output logic [7:0]             issue_lanes_o,
  output logic                   issue_end_o,
  output logic [WeightBits-1:0]  weight_addr_o,
  output logic [InBits-1:0]      in_raddr_o,
  output logic [ActBits-1:0]     act_raddr_o,
  // An error of a stream's decoder, in the cycle after its slot
  input  logic                   decode_error_i,
  input  logic [1:0]             decode_fault_i,
  // Beat of the delta MAC, a cycle after its slot; flags: tile last, block last, block first,
  // tile first
  output logic                   mac_valid_o,
  output logic [3:0]             mac_flags_o,
  output logic                   mac_first_layer_o,
  output logic                   mac_consecutive_o,
  output logic [2:0]             mac_shift_o,
  output logic [7:0]             mac_lanes_o,
  // References in drain order
  input  logic                   ref_re_i,
  output logic [RefBits-1:0]     ref_addr_o,
  // A sum leaves the delta MAC: its requantizer settings and where its result goes
  input  logic                   sum_valid_i,
  output logic [ParamBits-1:0]   param_addr_o,
  output logic [4:0]             sum_shift_o,
  output logic [1:0]             sum_activation_o,
  output logic                   sum_to_stream_o,
  output logic                   sum_last_o,
  output logic [ActBits-1:0]     sum_act_addr_o,
  // Output stream's beats
  input  logic                   out_beat_i,
  input  logic                   out_last_i
);

  localparam int LayerBits = (MaxLayers > 1) ? $clog2(MaxLayers) : 1;
  localparam int CreditBits = $clog2(OutDepth + 1);
  localparam int RefCountBits = $clog2(RefDepth + Lanes + 1);
  localparam int LongestHazard = (WriteLatency > StreamLatency) ? WriteLatency : StreamLatency;
  localparam int HazardBits = $clog2(LongestHazard - 1);

  localparam logic [4:0] NoError = 5'd0, BadLayerCount = 5'd1, BadImageCount = 5'd2,
      BadInputLength = 5'd3, BadOutputLength = 5'd4, BadChain = 5'd5, BadBlockLength = 5'd6,
      BadScheme = 5'd7, BadActivation = 5'd8, BadParameterRange = 5'd9, BadWeightRange = 5'd10,
      BadReferenceRange = 5'd11, BadFraming = 5'd12, BadCodeBook = 5'd13, BadCode = 5'd14,
      ShortStream = 5'd15, LeftOver = 5'd16;

  typedef enum logic [2:0] {Idle, Check, Build, Wait, Run, Done, Error} state_e;
  state_e state_q, state_d;

  logic starting, restart, checking, checked, building, built, active;
  logic [LayerBits-1:0] layer_q, layer_next;

  assign starting = start_i && (state_q == Idle || state_q == Done);
  assign restart = !rst_ni || clear_i || starting;
  assign checking = state_q == Check;
  assign building = Huffman != 0 && state_q == Build;
  assign active = state_q == Wait || state_q == Run;

  // Program table, read by the issue side (which the checks share) and by the write-back side.
  logic [LayerBits-1:0] prog_layer, sum_layer_q;
  logic [31:0]          issue_shape, issue_timing, sum_shape, sum_timing;

  (* ram_style = "distributed" *)
  logic [31:0] shapes_q [2 ** LayerBits];
  (* ram_style = "distributed" *)
  logic [31:0] timings_q [2 ** LayerBits];

  initial begin
    for (int i = 0; i < 2 ** LayerBits; i++) begin
      shapes_q[i] = '0;
      timings_q[i] = '0;
    end
  end

  assign prog_layer = LayerBits'(prog_addr_i >> 1);
  always_ff @(posedge clk_i) begin
    if (prog_we_i && !prog_addr_i[0]) shapes_q[prog_layer] <= prog_data_i;
    if (prog_we_i && prog_addr_i[0]) timings_q[prog_layer] <= prog_data_i;
  end

  assign issue_shape = shapes_q[layer_q];
  assign issue_timing = timings_q[layer_q];
  assign sum_shape = shapes_q[sum_layer_q];
  assign sum_timing = timings_q[sum_layer_q];

  logic [12:0] inputs, outputs, block_length;
  logic [1:0]  activation;
  logic        consecutive, huffman, first_layer, last_layer;

  assign inputs = issue_shape[12:0];
  assign outputs = issue_shape[25:13];
  assign activation = issue_shape[27:26];
  assign consecutive = issue_shape[28];
  assign huffman = issue_shape[29];
  assign block_length = issue_timing[12:0];
  assign first_layer = layer_q == '0;
  assign last_layer = 8'(layer_q) == layers_i - 8'd1;
  assign layer_next = last_layer ? '0 : layer_q + 1'b1;

  // Checks: one layer a cycle, the lowest code wins.
  logic [12:0] chain_q, inputs0_q;
  logic [17:0] neurons_q, neurons;
  logic [4:0]  check_error;

  assign neurons = neurons_q + 18'(outputs);

  always_comb begin
    check_error = NoError;
    if (layers_i == '0 || 32'(layers_i) > MaxLayers) check_error = BadLayerCount;
    else if (images_i == '0) check_error = BadImageCount;
    else if (inputs == '0 || 32'(inputs) > (first_layer ? InDepth : ActDepth))
      check_error = BadInputLength;
    else if (outputs == '0 || outputs > 13'd4096 || (!last_layer && 32'(outputs) > ActDepth))
      check_error = BadOutputLength;
    else if (!first_layer && inputs != chain_q) check_error = BadChain;
    else if (block_length == '0 || block_length > inputs) check_error = BadBlockLength;
    else if ((consecutive && Consecutive == 0) || (huffman && Huffman == 0))
      check_error = BadScheme;
    else if (activation == 2'd3 || (activation == 2'd0 && !last_layer))
      check_error = BadActivation;
    else if (32'(neurons) > ParamDepth) check_error = BadParameterRange;
  end

  assign checked = checking && check_error == NoError;

  always_ff @(posedge clk_i) begin
    if (restart) neurons_q <= '0;
    else if (checking) neurons_q <= neurons;
    if (checking) chain_q <= outputs;
    if (checking && first_layer) inputs0_q <= inputs;
  end

  // Builds: the last check starts the first, each one's end the next.
  assign built = building && build_done_i && build_fault_i == '0;
  assign build_start_o = (checked && last_layer) || (built && !last_layer);
  assign build_layer_o = 4'(layer_next);

  if (Huffman != 0) begin : gen_build
    (* ram_style = "distributed" *)
    logic huffman_q [2 ** LayerBits];

    initial for (int i = 0; i < 2 ** LayerBits; i++) huffman_q[i] = 1'b0;

    always_ff @(posedge clk_i) begin
      if (prog_we_i && !prog_addr_i[0]) huffman_q[prog_layer] <= prog_data_i[29];
    end
    assign build_uniform_o = !huffman_q[layer_next];
  end else begin : gen_no_build
    assign build_uniform_o = 1'b1;
  end

  // Input loader: fills the halves of the input buffer in turn.
  logic [1:0]  full_q;
  logic        load_half_q, read_half_q, loaded, framing_error;
  logic [12:0] load_index_q;
  logic [31:0] loads_q;

  assign s_ready_o = active && !full_q[load_half_q] && loads_q != images_i;
  assign in_we_o = s_valid_i && s_ready_o;
  assign in_waddr_o = {load_half_q, load_index_q[InBits-2:0]};
  assign loaded = load_index_q == inputs0_q - 13'd1;
  assign framing_error = in_we_o && s_last_i != loaded;

  // Issue walker: image > layer > tile > block > input.
  logic [12:0] index_q, index_next, block_index_q, block_index_next, base_q, remaining;
  logic [7:0]  lanes;
  logic        block_end, tile_end, layer_end, inference_end, input_end;

  assign index_next = index_q + 1'b1;
  assign block_index_next = block_index_q + 1'b1;
  assign remaining = outputs - base_q;
  assign lanes = (32'(remaining) > Lanes) ? 8'(Lanes) : 8'(remaining);
  assign tile_end = index_next == inputs;
  assign block_end = tile_end || block_index_next == block_length;
  assign layer_end = tile_end && 32'(remaining) <= Lanes;
  assign inference_end = layer_end && last_layer;
  assign input_end = layer_end && first_layer;

  // Slots: gap_q counts a beat's cycles, drain_q the lanes that still drain, hazard_q the cycles
  // until the layer's last results can be read.
  logic [2:0]              gap_q;
  logic [6:0]              drain_q;
  logic [HazardBits-1:0]   hazard_q;
  logic [CreditBits-1:0]   credits_q, credits_taken;
  logic [WeightBits-1:0]   weight_q;
  logic [RefCountBits-1:0] refs_q, refs_next;
  logic                    can_issue, can_start, starts_tile, weight_error, ref_error;

  assign refs_next = refs_q + RefCountBits'(lanes);
  assign can_issue = state_q == Run && gap_q == '0 && (!block_end || drain_q == '0);
  assign weight_error = Huffman == 0 && can_issue && 32'(weight_q) == BankDepth;
  assign ref_error = can_issue && block_end && 32'(refs_next) > RefDepth;
  assign issue_o = can_issue && !weight_error && !ref_error;

  assign can_start = gap_q == '0 && hazard_q == '0 && (!first_layer || full_q[read_half_q])
      && (!last_layer || 32'(credits_q) >= 32'(lanes));
  assign starts_tile = state_q == Wait && can_start;
  assign credits_taken = (starts_tile && last_layer) ? CreditBits'(lanes) : '0;

  assign issue_layer_o = 4'(layer_q);
  assign issue_index_o = index_q;
  assign issue_lanes_o = lanes;
  assign issue_end_o = issue_o && inference_end;
  assign weight_addr_o = (Huffman != 0) ? '0 : weight_q;
  assign in_raddr_o = {read_half_q, index_q[InBits-2:0]};
  assign act_raddr_o = {!layer_q[0], index_q[ActBits-2:0]};

  always_ff @(posedge clk_i) begin
    if (restart) begin
      layer_q <= '0;
      base_q <= '0;
      index_q <= '0;
      block_index_q <= '0;
      weight_q <= '0;
      refs_q <= '0;
    end else if (checked || built) begin
      layer_q <= layer_next;
    end else if (issue_o) begin
      index_q <= tile_end ? '0 : index_next;
      block_index_q <= block_end ? '0 : block_index_next;
      weight_q <= inference_end ? '0 : weight_q + 1'b1;
      if (block_end) refs_q <= inference_end ? '0 : refs_next;
      if (tile_end) base_q <= layer_end ? '0 : base_q + 13'(Lanes);
      if (layer_end) layer_q <= layer_next;
    end
  end

  always_ff @(posedge clk_i) begin
    if (restart) begin
      gap_q <= '0;
      drain_q <= '0;
      hazard_q <= '0;
      credits_q <= CreditBits'(OutDepth);
    end else begin
      if (issue_o) gap_q <= 3'(CyclesPerMac - 1);
      else if (gap_q != '0) gap_q <= gap_q - 1'b1;
      if (issue_o && block_end) drain_q <= 7'(lanes - 8'd1);
      else if (drain_q != '0) drain_q <= drain_q - 1'b1;
      if (issue_o && layer_end && !last_layer)
        hazard_q <= (32'(base_q) < WriteLatency - 2)
            ? HazardBits'(WriteLatency - 2) - HazardBits'(base_q) : '0;
      else if (Huffman != 0 && issue_end_o) hazard_q <= HazardBits'(StreamLatency - 2);
      else if (hazard_q != '0) hazard_q <= hazard_q - 1'b1;
      credits_q <= credits_q - credits_taken + CreditBits'(out_beat_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (restart) begin
      full_q <= '0;
      load_half_q <= 1'b0;
      read_half_q <= 1'b0;
      load_index_q <= '0;
      loads_q <= '0;
    end else begin
      if (in_we_o) load_index_q <= loaded ? '0 : load_index_q + 1'b1;
      if (in_we_o && loaded) begin
        full_q[load_half_q] <= 1'b1;
        load_half_q <= !load_half_q;
        loads_q <= loads_q + 1'b1;
      end
      if (issue_o && input_end) begin
        full_q[read_half_q] <= 1'b0;
        read_half_q <= !read_half_q;
      end
    end
  end

  // The beat that follows a slot.
  always_ff @(posedge clk_i) begin
    if (restart) mac_valid_o <= 1'b0;
    else mac_valid_o <= issue_o;
    mac_flags_o <= {tile_end, block_end, block_index_q == '0, index_q == '0};
    mac_first_layer_o <= first_layer;
    mac_consecutive_o <= consecutive;
    mac_shift_o <= issue_timing[15:13];
    mac_lanes_o <= lanes;
  end

  // References are read in the order they were counted; the last one's address is known since the
  // first inference was issued, and until then nothing can reach it.
  logic [RefBits-1:0] ref_addr_q, ref_end_q;

  assign ref_addr_o = ref_addr_q;
  always_ff @(posedge clk_i) begin
    if (restart) begin
      ref_addr_q <= '0;
      ref_end_q <= '1;
    end else begin
      if (issue_o && inference_end) ref_end_q <= RefBits'(refs_next - 1'b1);
      if (ref_re_i) ref_addr_q <= (ref_addr_q == ref_end_q) ? '0 : ref_addr_q + 1'b1;
    end
  end

  // Write-back walker: a sum's layer and neuron.
  logic [12:0]          neuron_q;
  logic [ParamBits-1:0] param_q;

  assign sum_activation_o = sum_shape[27:26];
  assign sum_shift_o = sum_timing[20:16];
  assign sum_to_stream_o = 8'(sum_layer_q) == layers_i - 8'd1;
  assign sum_last_o = neuron_q == sum_shape[25:13] - 13'd1;
  assign sum_act_addr_o = {sum_layer_q[0], neuron_q[ActBits-2:0]};
  assign param_addr_o = param_q;

  always_ff @(posedge clk_i) begin
    if (restart) begin
      sum_layer_q <= '0;
      neuron_q <= '0;
      param_q <= '0;
    end else if (sum_valid_i) begin
      neuron_q <= sum_last_o ? '0 : neuron_q + 1'b1;
      if (sum_last_o) sum_layer_q <= sum_to_stream_o ? '0 : sum_layer_q + 1'b1;
      param_q <= (sum_last_o && sum_to_stream_o) ? '0 : param_q + 1'b1;
    end
  end

  // State, status and counters.
  logic        finishing;
  logic [31:0] inferences_next;
  logic [4:0]  run_error;
  logic [3:0]  last_slot_layer_q;

  assign inferences_next = inferences_o + 1'b1;
  assign finishing = out_beat_i && out_last_i && inferences_next == images_i;

  always_comb begin
    run_error = NoError;
    if (weight_error) run_error = BadWeightRange;
    else if (ref_error) run_error = BadReferenceRange;
    else if (framing_error) run_error = BadFraming;
    else if (Huffman != 0 && decode_error_i) begin
      case (decode_fault_i)
        2'd1:    run_error = BadCode;
        2'd2:    run_error = ShortStream;
        default: run_error = LeftOver;
      endcase
    end
  end

  always_comb begin
    state_d = state_q;
    case (state_q)
      Idle, Done: if (start_i) state_d = Check;
      Check: begin
        if (check_error != NoError) state_d = Error;
        else if (last_layer) state_d = (Huffman != 0) ? Build : Wait;
      end
      Build: begin
        if (built && last_layer) state_d = Wait;
        if (build_done_i && !built) state_d = Error;
      end
      Wait, Run: begin
        if (starts_tile) state_d = Run;
        if (issue_o && (layer_end || (tile_end && last_layer))) state_d = Wait;
        if (finishing) state_d = Done;
        if (run_error != NoError) state_d = Error;
      end
      default: ;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) state_q <= Idle;
    else state_q <= state_d;
  end

  always_comb begin
    case (state_q)
      Idle: status_o = 2'd0;
      Done: status_o = 2'd2;
      Error: status_o = 2'd3;
      default: status_o = 2'd1;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (restart) begin
      cycles_o <= '0;
      inferences_o <= '0;
      error_o <= NoError;
      error_layer_o <= '0;
    end else begin
      if (checking || building || active) cycles_o <= cycles_o + 1'b1;
      if (out_beat_i && out_last_i) inferences_o <= inferences_next;
      if (checking && check_error != NoError) begin
        error_o <= check_error;
        error_layer_o <= 4'(layer_q);
      end else if (building && build_done_i && !built) begin
        error_o <= BadCodeBook;
        error_layer_o <= 4'(layer_q);
      end else if (active && run_error != NoError) begin
        error_o <= run_error;
        case (run_error)
          BadFraming:           error_layer_o <= '0;
          BadCode, ShortStream: error_layer_o <= last_slot_layer_q;
          LeftOver:             error_layer_o <= 4'(layers_i - 8'd1);
          default:              error_layer_o <= 4'(layer_q);
        endcase
      end
    end
    last_slot_layer_q <= 4'(layer_q);
  end

  logic unused_words;
  assign unused_words = ^{issue_shape[31:30], issue_timing[31:16], sum_shape[31:28],
                          sum_shape[12:0], sum_timing[31:21], sum_timing[15:0], neuron_q};

endmodule

`default_nettype wire
