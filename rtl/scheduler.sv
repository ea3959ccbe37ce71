// Runs a table of layer descriptors: takes inputs from the stream, issues a slot (one activation
// and one word of every weight bank) for each beat of the delta MAC, and walks the results back to
// their places. A tile starts only when its operands and the room for its results are there, so
// that nothing downstream ever stalls; a bad program ends in the error state with a code. START's
// layers_i and images_i are taken in its own cycle. Here are the state and what STATUS shows of it.

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
  // Inferences loaded and not yet out: two in the input buffer, one that is issued, and those that
  // have a word of the output FIFO.
  localparam int OpenBits = $clog2(OutDepth + 4);

  localparam logic [4:0] NoError = 5'd0, BadWeightRange = 5'd10, BadReferenceRange = 5'd11,
      BadFraming = 5'd12, BadCodeBook = 5'd13, BadCode = 5'd14, ShortStream = 5'd15,
      LeftOver = 5'd16;

  typedef enum logic [2:0] {Idle, Check, Build, Wait, Run, Done, Error} state_e;
  state_e state_q, state_d;

  logic starting, restart, checking, checked, building, built, active;

  assign starting = start_i && (state_q == Idle || state_q == Done);
  assign restart = !rst_ni || clear_i || starting;
  assign checking = state_q == Check;
  assign building = Huffman != 0 && state_q == Build;
  assign active = state_q == Wait || state_q == Run;

  // Program.
  logic [LayerBits-1:0] layer, ahead_layer, program_last;
  logic [12:0]          inputs, outputs, block_length, ahead_outputs, sum_outputs;
  logic [1:0]           activation;
  logic [2:0]           shift;
  logic                 first_layer, last_layer, consecutive, huffman, ahead_huffman;
  logic                 layer_next, layer_end, sum_next, sum_odd;

  assign layer_next = checked || built || layer_end;

  program_table #(.MaxLayers(MaxLayers)) u_table (
    .clk_i,
    .prog_we_i,
    .prog_addr_i,
    .prog_data_i,
    .restart_i(restart),
    .layers_i,
    .last_layer_o(program_last),
    .issue_next_i(layer_next),
    .issue_layer_o(layer),
    .issue_first_o(first_layer),
    .issue_last_o(last_layer),
    .issue_inputs_o(inputs),
    .issue_outputs_o(outputs),
    .issue_block_o(block_length),
    .issue_activation_o(activation),
    .issue_consecutive_o(consecutive),
    .issue_huffman_o(huffman),
    .issue_shift_o(shift),
    .ahead_layer_o(ahead_layer),
    .ahead_outputs_o(ahead_outputs),
    .ahead_huffman_o(ahead_huffman),
    .sum_next_i(sum_next),
    .sum_odd_o(sum_odd),
    .sum_last_o(sum_to_stream_o),
    .sum_outputs_o(sum_outputs),
    .sum_activation_o,
    .sum_shift_o
  );

  // Checks, and builds: the last check starts the first, each one's end the next.
  logic [4:0] check_error;

  assign checked = checking && check_error == NoError;
  assign built = building && build_done_i && build_fault_i == '0;
  assign build_start_o = (checked && last_layer) || (built && !last_layer);
  assign build_layer_o = 4'(ahead_layer);
  assign build_uniform_o = !ahead_huffman;

  program_check #(
    .Consecutive(Consecutive),
    .Huffman(Huffman),
    .InDepth(InDepth),
    .ActDepth(ActDepth),
    .ParamDepth(ParamDepth),
    .MaxLayers(MaxLayers)
  ) u_check (
    .clk_i,
    .restart_i(restart),
    .layers_i,
    .images_i,
    .check_i(checking),
    .first_i(first_layer),
    .last_i(last_layer),
    .inputs_i(inputs),
    .outputs_i(outputs),
    .block_i(block_length),
    .activation_i(activation),
    .consecutive_i(consecutive),
    .huffman_i(huffman),
    .error_o(check_error)
  );

  // Inputs.
  logic framing_error, loaded, all_loaded, half, full, free;

  input_loader #(.InDepth(InDepth)) u_loader (
    .clk_i,
    .restart_i(restart),
    .images_i,
    .length_we_i(checking && first_layer),
    .length_i(inputs),
    .active_i(active),
    .s_valid_i,
    .s_last_i,
    .s_ready_o,
    .we_o(in_we_o),
    .waddr_o(in_waddr_o),
    .framing_error_o(framing_error),
    .loaded_o(loaded),
    .all_loaded_o(all_loaded),
    .read_half_o(half),
    .full_o(full),
    .free_i(free)
  );

  // Slots.
  logic tile, stop, weight_error, ref_error;

  assign issue_layer_o = 4'(layer);

  issue_walker #(
    .Lanes(Lanes),
    .CyclesPerMac(CyclesPerMac),
    .WriteLatency(WriteLatency),
    .StreamLatency(StreamLatency),
    .Huffman(Huffman),
    .BankDepth(BankDepth),
    .InDepth(InDepth),
    .ActDepth(ActDepth),
    .RefDepth(RefDepth),
    .OutDepth(OutDepth)
  ) u_walker (
    .clk_i,
    .restart_i(restart),
    .wait_i(state_q == Wait),
    .run_i(state_q == Run),
    .tile_o(tile),
    .stop_o(stop),
    .weight_error_o(weight_error),
    .ref_error_o(ref_error),
    .layer_i(layer_next),
    .ahead_outputs_i(ahead_outputs),
    .first_layer_i(first_layer),
    .last_layer_i(last_layer),
    .layer_odd_i(layer[0]),
    .inputs_i(inputs),
    .block_i(block_length),
    .consecutive_i(consecutive),
    .shift_i(shift),
    .layer_end_o(layer_end),
    .half_i(half),
    .full_i(full),
    .free_o(free),
    .issue_o,
    .index_o(issue_index_o),
    .lanes_o(issue_lanes_o),
    .end_o(issue_end_o),
    .weight_addr_o,
    .in_raddr_o,
    .act_raddr_o,
    .mac_valid_o,
    .mac_flags_o,
    .mac_first_layer_o,
    .mac_consecutive_o,
    .mac_shift_o,
    .mac_lanes_o,
    .ref_re_i,
    .ref_addr_o,
    .out_beat_i
  );

  // Sums.
  write_back #(.ActDepth(ActDepth), .ParamDepth(ParamDepth)) u_write_back (
    .clk_i,
    .restart_i(restart),
    .layer_odd_i(sum_odd),
    .layer_last_i(sum_to_stream_o),
    .outputs_i(sum_outputs),
    .next_o(sum_next),
    .sum_valid_i,
    .param_addr_o,
    .last_o(sum_last_o),
    .act_addr_o(sum_act_addr_o)
  );

  // State, status and counters. The run is over with the last beat of its last open inference.
  logic                finished, finishing;
  logic [OpenBits-1:0] open_q;
  logic [4:0]          run_error;
  logic [3:0]          last_slot_layer_q;

  assign finished = out_beat_i && out_last_i;
  assign finishing = finished && all_loaded && open_q == OpenBits'(1);

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
        if (tile) state_d = Run;
        if (stop) state_d = Wait;
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
      open_q <= '0;
      error_o <= NoError;
      error_layer_o <= '0;
    end else begin
      if (checking || building || active) cycles_o <= cycles_o + 1'b1;
      if (finished) inferences_o <= inferences_o + 1'b1;
      open_q <= open_q + OpenBits'(loaded) - OpenBits'(finished);
      if (checking && check_error != NoError) begin
        error_o <= check_error;
        error_layer_o <= 4'(layer);
      end else if (building && build_done_i && !built) begin
        error_o <= BadCodeBook;
        error_layer_o <= 4'(layer);
      end else if (active && run_error != NoError) begin
        error_o <= run_error;
        case (run_error)
          BadFraming:           error_layer_o <= '0;
          BadCode, ShortStream: error_layer_o <= last_slot_layer_q;
          LeftOver:             error_layer_o <= 4'(program_last);
          default:              error_layer_o <= 4'(layer);
        endcase
      end
    end
    last_slot_layer_q <= 4'(layer);
  end

endmodule

`default_nettype wire
