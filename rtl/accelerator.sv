// The accelerator: an AXI4-Lite slave to program it, a stream of activations in, a stream of
// results out. Structure only: every decision is the scheduler's, and everything behind it runs
// without ever stalling.
//
// A write of CONTROL that happens in cycle c acts from a register in c + 1. START: STATUS is running
// and CYCLES counts from c + 2 on, in which the first descriptor is checked. Soft reset: up to and
// including c + 1 all goes on, with beats on every interface, and STATUS, CYCLES and INFERENCES read
// so; from c + 2 on STATUS is idle, nothing is in flight and both streams are still: an output beat
// that was offered and not taken is withdrawn, and what was taken of an input is forgotten. Memories
// and the other registers keep what they hold. rst_ni acts in its own cycle, and clears the
// registers too.
//
// In Error, after a TLAST in the wrong place say, and in Idle and Done, no input beat is taken: a
// host that goes on offering the rest of a packet offers the next run's first beats, so it drops
// that rest before it starts again.

`default_nettype none

module accelerator #(
  /// Neurons at once, 1 to 255.
  parameter int Lanes = 16,
  /// Lanes that one weight bank feeds; LanesPerBank * DeltaBits is at most 36, or with Huffman
  /// LanesPerBank at most 4.
  parameter int LanesPerBank = 8,
  /// Bits of a delta, 1 to 8.
  parameter int DeltaBits = 4,
  /// 0 lut, 1 dsp, 2 dsp_packed, 3 serial.
  parameter int Multiplier = 0,
  /// 1: the lanes have the adder for consecutive deltas.
  parameter int Consecutive = 1,
  /// 1: the weight banks hold a Huffman-coded stream a lane.
  parameter int Huffman = 0,
  /// Deltas that a decoder's symbol holds: 1, or with Huffman and DeltaBits <= 4 a pair, 2.
  parameter int SymbolDeltas = 1,
  /// With pairs: entries of a decoder's symbol table, for the books of all layers, 2 to 4096.
  parameter int SymbolDepth = 128,
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
  /// Words of the output FIFO, a power of two from Lanes to 4096.
  parameter int OutDepth = 32
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // AXI4-Lite: program, control, status
  input  logic [11:0] s_axil_awaddr_i,
  input  logic [2:0]  s_axil_awprot_i,
  input  logic        s_axil_awvalid_i,
  output logic        s_axil_awready_o,
  input  logic [31:0] s_axil_wdata_i,
  input  logic [3:0]  s_axil_wstrb_i,
  input  logic        s_axil_wvalid_i,
  output logic        s_axil_wready_o,
  output logic [1:0]  s_axil_bresp_o,
  output logic        s_axil_bvalid_o,
  input  logic        s_axil_bready_i,
  input  logic [11:0] s_axil_araddr_i,
  input  logic [2:0]  s_axil_arprot_i,
  input  logic        s_axil_arvalid_i,
  output logic        s_axil_arready_o,
  output logic [31:0] s_axil_rdata_o,
  output logic [1:0]  s_axil_rresp_o,
  output logic        s_axil_rvalid_o,
  input  logic        s_axil_rready_i,
  // AXI4-Stream in: activations, tlast on an image's last
  input  logic [7:0]  s_axis_tdata_i,
  input  logic        s_axis_tlast_i,
  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  // AXI4-Stream out: results, tlast on an image's last
  output logic [15:0] m_axis_tdata_o,
  output logic        m_axis_tlast_o,
  output logic        m_axis_tvalid_o,
  input  logic        m_axis_tready_i
);

  localparam int Banks = (Lanes + LanesPerBank - 1) / LanesPerBank;
  localparam int BankWidth = LanesPerBank * DeltaBits;
  localparam int OperandBits = (Consecutive != 0) ? 8 : DeltaBits;
  localparam int CyclesPerMac = (Multiplier == 3) ? OperandBits : 1;
  localparam int MaxInputs = (InDepth > ActDepth) ? InDepth : ActDepth;
  localparam int ExactBits = ((OperandBits > 1) ? OperandBits : 2) + 15 + $clog2(MaxInputs);
  localparam int SumBits = (ExactBits < 32) ? ExactBits : 32;
  // From a read to its word; from a block's last beat to lane 0's sum, by way of its accumulators
  // and its drain; from a sum to its result.
  localparam int ReadLatency = 1;
  localparam int MacLatency = (Multiplier == 3) ? CyclesPerMac + 1 : 3;
  localparam int DrainLatency = 4;
  localparam int RequantizerLatency = 5;
  // From a block's last slot to the first slot that can read lane 0's activation.
  localparam int WriteLatency = ReadLatency + MacLatency + DrainLatency + RequantizerLatency + 1;
  // From an inference's last slot to the first one that has symbols of the restarted streams.
  localparam int StreamLatency = 9;
  localparam int BankAddrBits = (BankDepth > 1) ? $clog2(BankDepth) : 1;
  localparam int WeightBits = $clog2(BankDepth + 1);
  localparam int InBits = $clog2(2 * InDepth);
  localparam int ActBits = $clog2(2 * ActDepth);
  localparam int RefBits = (RefDepth > 1) ? $clog2(RefDepth) : 1;
  localparam int ParamBits = (ParamDepth > 1) ? $clog2(ParamDepth) : 1;
  localparam int ProgramBits = $clog2(2 * MaxLayers);
  localparam int TagBits = ActBits + 2;
  localparam logic [1:0] StatusRunning = 2'd1;

  // An impossible design stops here: the missing module's name is the message.
  if (Lanes < 1 || Lanes > 255) begin : gen_bad_lanes
    lanes_must_be_1_to_255 u_error ();
  end
  if (DeltaBits < 1 || DeltaBits > 8) begin : gen_bad_delta_bits
    delta_bits_must_be_1_to_8 u_error ();
  end
  if (Huffman < 0 || Huffman > 1) begin : gen_bad_huffman
    huffman_must_be_0_or_1 u_error ();
  end
  if (Huffman == 0 && (LanesPerBank < 1 || BankWidth > 36)) begin : gen_bad_bank_width
    lanes_per_bank_times_delta_bits_must_be_1_to_36 u_error ();
  end
  if (Huffman == 1 && (LanesPerBank < 1 || LanesPerBank > 4)) begin : gen_bad_turns
    lanes_per_bank_must_be_1_to_4_with_huffman u_error ();
  end
  if (SymbolDeltas < 1 || SymbolDeltas > 1 + Huffman) begin : gen_bad_symbol_deltas
    symbol_deltas_must_be_1_or_with_huffman_2 u_error ();
  end
  if (SymbolDeltas == 2 && DeltaBits > 4) begin : gen_bad_pairs
    delta_bits_must_be_1_to_4_with_pairs u_error ();
  end
  if (SymbolDepth < 2 || SymbolDepth > 4096) begin : gen_bad_symbol_depth
    symbol_depth_must_be_2_to_4096 u_error ();
  end
  if (Multiplier < 0 || Multiplier > 3) begin : gen_bad_multiplier
    multiplier_must_be_0_to_3 u_error ();
  end
  if (Consecutive < 0 || Consecutive > 1) begin : gen_bad_consecutive
    consecutive_must_be_0_or_1 u_error ();
  end
  if (BankDepth < 2 || BankDepth > 2 ** 20) begin : gen_bad_bank_depth
    bank_depth_must_be_2_to_1048576 u_error ();
  end
  if (InDepth < 2 || InDepth > 4096 || 2 ** $clog2(InDepth) != InDepth) begin : gen_bad_in_depth
    in_depth_must_be_a_power_of_two_from_2_to_4096 u_error ();
  end
  if (ActDepth < 2 || ActDepth > 4096 || 2 ** $clog2(ActDepth) != ActDepth) begin : gen_bad_act
    act_depth_must_be_a_power_of_two_from_2_to_4096 u_error ();
  end
  if (RefDepth < 2 || RefDepth > 65535 || ParamDepth < 2 || ParamDepth > 65535) begin : gen_bad_ref
    ref_depth_and_param_depth_must_be_2_to_65535 u_error ();
  end
  if (MaxLayers < 1 || MaxLayers > 16 || 2 ** $clog2(MaxLayers) != MaxLayers) begin : gen_bad_layers
    max_layers_must_be_a_power_of_two_from_1_to_16 u_error ();
  end
  if (OutDepth < Lanes || OutDepth > 4096 || 2 ** $clog2(OutDepth) != OutDepth) begin : gen_bad_out
    out_depth_must_be_a_power_of_two_from_lanes_to_4096 u_error ();
  end

  // Control.
  logic              start, clear, start_q, clear_q, core_rst_n;
  logic [7:0]        layers;
  logic [31:0]       images, inferences;
  logic [1:0]        status;
  logic [4:0]        error;
  logic [3:0]        error_layer;
  logic [63:0]       cycles;
  logic [19:0]       load_addr;
  logic [35:0]       load_data;
  logic [Banks-1:0]  load_weight;
  logic              load_reference, load_parameter, load_program, load_book, load_stream;

  always_ff @(posedge clk_i) begin
    start_q <= rst_ni && start;
    clear_q <= rst_ni && clear;
  end

  assign core_rst_n = rst_ni && !clear_q;

  axi_control #(
    .Lanes(Lanes),
    .LanesPerBank(LanesPerBank),
    .DeltaBits(DeltaBits),
    .Multiplier(Multiplier),
    .Consecutive(Consecutive),
    .Huffman(Huffman),
    .SymbolDeltas(SymbolDeltas),
    .BankDepth(BankDepth),
    .InDepth(InDepth),
    .ActDepth(ActDepth),
    .RefDepth(RefDepth),
    .ParamDepth(ParamDepth),
    .MaxLayers(MaxLayers)
  ) u_control (
    .clk_i,
    .rst_ni,
    .s_axil_awaddr_i,
    .s_axil_awprot_i,
    .s_axil_awvalid_i,
    .s_axil_awready_o,
    .s_axil_wdata_i,
    .s_axil_wstrb_i,
    .s_axil_wvalid_i,
    .s_axil_wready_o,
    .s_axil_bresp_o,
    .s_axil_bvalid_o,
    .s_axil_bready_i,
    .s_axil_araddr_i,
    .s_axil_arprot_i,
    .s_axil_arvalid_i,
    .s_axil_arready_o,
    .s_axil_rdata_o,
    .s_axil_rresp_o,
    .s_axil_rvalid_o,
    .s_axil_rready_i,
    .start_o(start),
    .clear_o(clear),
    .layers_o(layers),
    .images_o(images),
    .status_i(status),
    .error_i(error),
    .error_layer_i(error_layer),
    .cycles_i(cycles),
    .inferences_i(inferences),
    .load_addr_o(load_addr),
    .load_data_o(load_data),
    .load_weight_o(load_weight),
    .load_reference_o(load_reference),
    .load_parameter_o(load_parameter),
    .load_program_o(load_program),
    .load_book_o(load_book),
    .load_stream_o(load_stream)
  );

  // The beats that both twins are compared on.
  logic                       slot;
  logic [19:0]                slot_weight_addr;
  logic [12:0]                slot_x_addr;
  logic [3:0]                 slot_layer;
  logic                       mac_valid;
  logic [7:0]                 mac_x;
  logic [3:0]                 mac_flags;
  logic [Lanes*DeltaBits-1:0] mac_deltas;
  logic                       ref_valid;
  logic [19:0]                ref_addr;
  logic                       sum_valid;
  logic [31:0]                sum_data;
  logic                       act_valid;
  logic [13:0]                act_addr;
  logic [7:0]                 act_data;
  logic [Lanes-1:0]           fetch;

  // Scheduler.
  logic                  build_start, build_uniform, build_done;
  logic [3:0]            build_layer;
  logic [1:0]            build_fault, decode_fault;
  logic                  slot_end, decode_error;
  logic [7:0]            slot_lanes;
  logic                  in_we;
  logic [InBits-1:0]     in_waddr, in_raddr;
  logic [WeightBits-1:0] weight_addr;
  logic [ActBits-1:0]    act_raddr, sum_act_addr;
  logic                  mac_first_layer, mac_consecutive;
  logic [2:0]            mac_shift;
  logic [7:0]            mac_lanes;
  logic [RefBits-1:0]    ref_raddr;
  logic [ParamBits-1:0]  param_addr;
  logic [4:0]            sum_shift;
  logic [1:0]            sum_activation;
  logic                  sum_to_stream, sum_last;
  logic                  out_beat;

  assign out_beat = m_axis_tvalid_o && m_axis_tready_i;
  assign slot_weight_addr = 20'(weight_addr);
  assign ref_addr = 20'(ref_raddr);

  scheduler #(
    .Lanes(Lanes),
    .CyclesPerMac(CyclesPerMac),
    .WriteLatency(WriteLatency),
    .StreamLatency(StreamLatency),
    .Consecutive(Consecutive),
    .Huffman(Huffman),
    .BankDepth(BankDepth),
    .InDepth(InDepth),
    .ActDepth(ActDepth),
    .RefDepth(RefDepth),
    .ParamDepth(ParamDepth),
    .MaxLayers(MaxLayers),
    .OutDepth(OutDepth)
  ) u_scheduler (
    .clk_i,
    .rst_ni,
    .clear_i(clear_q),
    .start_i(start_q),
    .layers_i(layers),
    .images_i(images),
    .status_o(status),
    .error_o(error),
    .error_layer_o(error_layer),
    .cycles_o(cycles),
    .inferences_o(inferences),
    .prog_we_i(load_program),
    .prog_addr_i(load_addr[ProgramBits-1:0]),
    .prog_data_i(load_data[31:0]),
    .build_start_o(build_start),
    .build_layer_o(build_layer),
    .build_uniform_o(build_uniform),
    .build_done_i(build_done),
    .build_fault_i(build_fault),
    .s_valid_i(s_axis_tvalid_i),
    .s_last_i(s_axis_tlast_i),
    .s_ready_o(s_axis_tready_o),
    .in_we_o(in_we),
    .in_waddr_o(in_waddr),
    .issue_o(slot),
    .issue_layer_o(slot_layer),
    .issue_index_o(slot_x_addr),
    .issue_lanes_o(slot_lanes),
    .issue_end_o(slot_end),
    .weight_addr_o(weight_addr),
    .in_raddr_o(in_raddr),
    .act_raddr_o(act_raddr),
    .decode_error_i(decode_error),
    .decode_fault_i(decode_fault),
    .mac_valid_o(mac_valid),
    .mac_flags_o(mac_flags),
    .mac_first_layer_o(mac_first_layer),
    .mac_consecutive_o(mac_consecutive),
    .mac_shift_o(mac_shift),
    .mac_lanes_o(mac_lanes),
    .ref_re_i(ref_valid),
    .ref_addr_o(ref_raddr),
    .sum_valid_i(sum_valid),
    .param_addr_o(param_addr),
    .sum_shift_o(sum_shift),
    .sum_activation_o(sum_activation),
    .sum_to_stream_o(sum_to_stream),
    .sum_last_o(sum_last),
    .sum_act_addr_o(sum_act_addr),
    .out_beat_i(out_beat),
    .out_last_i(m_axis_tlast_o)
  );

  // Buffers and weight banks.
  logic [7:0]  in_rdata, act_rdata, ref_data;
  logic        param_re;
  logic [35:0] param_data;

  weight_bank #(.Width(8), .Depth(2 * InDepth), .Block(2 * InDepth > 64 ? 1 : 0)) u_input (
    .clk_i, .we_i(in_we), .waddr_i(in_waddr), .wdata_i(s_axis_tdata_i),
    .re_i(slot), .raddr_i(in_raddr), .rdata_o(in_rdata)
  );

  weight_bank #(.Width(8), .Depth(2 * ActDepth), .Block(2 * ActDepth > 64 ? 1 : 0)) u_activation (
    .clk_i, .we_i(act_valid), .waddr_i(act_addr[ActBits-1:0]), .wdata_i(act_data),
    .re_i(slot), .raddr_i(act_raddr), .rdata_o(act_rdata)
  );

  weight_bank #(.Width(8), .Depth(RefDepth), .Block(RefDepth > 64 ? 1 : 0)) u_reference (
    .clk_i, .we_i(load_reference), .waddr_i(load_addr[RefBits-1:0]), .wdata_i(load_data[7:0]),
    .re_i(ref_valid), .raddr_i(ref_raddr), .rdata_o(ref_data)
  );

  weight_bank #(.Width(36), .Depth(ParamDepth), .Block(ParamDepth > 64 ? 1 : 0)) u_parameter (
    .clk_i, .we_i(load_parameter), .waddr_i(load_addr[ParamBits-1:0]), .wdata_i(load_data),
    .re_i(param_re), .raddr_i(param_addr), .rdata_o(param_data)
  );

  if (Huffman != 0) begin : gen_huffman
    logic running;
    assign running = status == StatusRunning;

    huffman_weights #(
      .Lanes(Lanes),
      .LanesPerBank(LanesPerBank),
      .DeltaBits(DeltaBits),
      .SymbolDeltas(SymbolDeltas),
      .SymbolDepth(SymbolDepth),
      .BankDepth(BankDepth),
      .MaxLayers(MaxLayers)
    ) u_weights (
      .clk_i,
      .rst_ni(rst_ni && running),
      .load_word_i(load_weight),
      .load_book_i(load_book),
      .load_stream_i(load_stream),
      .load_addr_i(load_addr),
      .load_data_i(load_data),
      .build_start_i(build_start),
      .build_layer_i(build_layer),
      .build_uniform_i(build_uniform),
      .build_done_o(build_done),
      .build_fault_o(build_fault),
      .layer_i(slot_layer),
      .issue_i(slot),
      .odd_i(slot_x_addr[0]),
      .lanes_i(slot_lanes),
      .end_i(slot_end),
      .deltas_o(mac_deltas),
      .error_o(decode_error),
      .fault_o(decode_fault),
      .fetch_o(fetch)
    );
  end else begin : gen_words
    logic [Banks*BankWidth-1:0] words;
    logic                       unused_bits;

    for (genvar b = 0; b < Banks; b++) begin : gen_bank
      weight_bank #(.Width(BankWidth), .Depth(BankDepth)) u_weight (
        .clk_i, .we_i(load_weight[b]), .waddr_i(load_addr[BankAddrBits-1:0]),
        .wdata_i(load_data[BankWidth-1:0]),
        .re_i(slot), .raddr_i(weight_addr[BankAddrBits-1:0]),
        .rdata_o(words[b*BankWidth +: BankWidth])
      );
    end

    assign mac_deltas = words[Lanes*DeltaBits-1:0];
    assign {build_done, build_fault, decode_error, decode_fault} = '0;
    assign fetch = '0;
    // The last bank may have spare slots.
    assign unused_bits = ^{words, load_book, load_stream, build_start, build_layer, build_uniform,
                           slot_end, slot_lanes};
  end

  // A memory takes the address bits it needs.
  logic unused_address;
  assign unused_address = ^{load_addr, weight_addr};

  // Datapath.
  logic               y_valid, y_to_stream, y_last;
  logic [15:0]        y;
  logic [ActBits-1:0] y_act_addr;

  logic signed [SumBits-1:0] sum;

  assign mac_x = mac_first_layer ? in_rdata : act_rdata;
  assign sum_data = 32'(sum);

  delta_mac #(
    .Lanes(Lanes),
    .DeltaBits(DeltaBits),
    .Multiplier(Multiplier),
    .Consecutive(Consecutive),
    .MaxInputs(MaxInputs)
  ) u_mac (
    .clk_i,
    .rst_ni(core_rst_n),
    .valid_i(mac_valid),
    .x_i(mac_x),
    .deltas_i(mac_deltas),
    .tile_first_i(mac_flags[0]),
    .block_first_i(mac_flags[1]),
    .block_last_i(mac_flags[2]),
    .tile_last_i(mac_flags[3]),
    .consecutive_i(mac_consecutive),
    .shift_i(mac_shift),
    .lanes_i(mac_lanes),
    .ref_re_o(ref_valid),
    .ref_i(ref_data),
    .sum_valid_o(sum_valid),
    .sum_o(sum)
  );

  requantizer #(.TagBits(TagBits), .SumBits(SumBits)) u_requantizer (
    .clk_i,
    .rst_ni(core_rst_n),
    .valid_i(sum_valid),
    .sum_i(sum),
    .shift_i(sum_shift),
    .activation_i(sum_activation),
    .tag_i({sum_to_stream, sum_last, sum_act_addr}),
    .param_re_o(param_re),
    .param_i(param_data),
    .valid_o(y_valid),
    .y_o(y),
    .tag_o({y_to_stream, y_last, y_act_addr})
  );

  assign act_valid = y_valid && !y_to_stream;
  assign act_addr = 14'(y_act_addr);
  assign act_data = y[7:0];

  output_fifo #(.Width(17), .Depth(OutDepth)) u_output (
    .clk_i,
    .rst_ni(core_rst_n),
    .push_i(y_valid && y_to_stream),
    .data_i({y_last, y}),
    .valid_o(m_axis_tvalid_o),
    .data_o({m_axis_tlast_o, m_axis_tdata_o}),
    .ready_i(m_axis_tready_i)
  );

`ifndef YOSYS
  // Of the output FIFO's places: those that no tile was given, those in use, and the others' results
  // are on their way; none is when a run is done.
  logic [31:0] free_places, used_places;

  assign free_places = 32'(u_scheduler.u_walker.credits_q);
  assign used_places = 32'(u_output.used);

  always @(posedge clk_i) begin
    if (core_rst_n) begin
      assert (free_places + used_places <= OutDepth)
          else $error("a place in the output FIFO was given twice");
      assert (status != 2'd2 || free_places + used_places == OutDepth)
          else $error("a place in the output FIFO was not given back");
    end
  end
`endif

endmodule

`default_nettype wire
