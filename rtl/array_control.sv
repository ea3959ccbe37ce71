// The array's registers behind AXI4-Lite (rtl/axi_lite.sv says when an access happens), and the port that
// its tables are loaded through:
//
//   0x000 ID        0x44544132, "DTA2"
//   0x004 CONTROL   written: bit 0 starts, bit 1 resets the interior in the next cycle, and wins
//   0x008 STATUS    [1:0] 0 idle, 1 an image is inside, 3 error; [12:8] which one: 1 TLAST is elsewhere than
//                   on an image's last value, 2 the program has no step, or too many, or one that cannot be
//                   (rtl/array_scheduler.sv), or a code book is none; 4 a code of weights is none
//   0x00C IMAGES    that have left since the reset, modulo 2^32
//   0x010 INPUT0    [11:0] columns [23:12] rows of an image
//   0x014 INPUT1    [11:0] channels [15:12] kernel columns [19:16] left [23:20] stride [27:24] right
//   0x018 INPUT2    [7:0] zero point [9:8] code c of the width of the input's channels, 8 >> c bits
//   0x01C INPUT3    [15:0] words of a slot of the input map [27:16] with sweeps: rows that it holds
//   0x020 STEPS     [15:0] of the program [31:16] of the depthwise stage's, which may have none
//   0x024 LOAD_ADDRESS  [31:28] space [27:12] word [11:0] piece
//   0x028 LOAD_DATA written: a piece of 32 bits; LOAD_ADDRESS goes on to the next piece, behind the word's
//                   last one to the next word's first
//   0x02C CYCLES    in which STATUS was 1 since the reset, modulo 2^32
//   0x030 to 0x060  the design: {Results, Banks, Channels, Outputs}, {SumBits, Pages, Multiplier, Layers} by
//                   bytes, {MapDepth, InputDepth}, {WeightDepth, ParamDepth}, {SkipDepth, OutputDepth} by half
//                   words, Steps; {StageResults, StageMultiplier, Pixels, LutRam} of 8, 4, 4 and 16
//                   bits, {StageMapDepth, StageRowDepth}, {StageWeightDepth, StageParamDepth}, StageSteps, all
//                   but Pixels and LutRam 0 without a stage; [11:8] Planes [15:12] Widths [19:16]
//                   ReferenceBits [20] ScaleMultiply [23:21] ThresholdBits [24] WideSums; [7:0] Sweep [11:8]
//                   Decoders [15:12] SymbolWeights [20:16] ScaleBits [25:21] Books [26] ZeroDepth > 0 [27] Lookup,
//                   without sweeps only ScaleBits and Lookup; [7:0] InputBits / 4 [13:8] DspOutputs
//
// Spaces, and the pieces of their words: 0 weights, Outputs * Banks * Channels bytes, or Outputs * Planes planes
// of a bit for each of the window's activations of the narrowest width, and the mask's behind them, if that is
// more, and what makes the pieces an even number; 1 parameters, 3 for each result; 2 layers, 13; 3 steps, 5; 4
// tables of additions, 1; and where there is a stage its own: 5 weights, Banks * Channels bytes; 6 parameters, 3
// for each of its results; 7 layers; 8 steps. With sweeps words of weights have 36 bits, in 2 pieces, layers
// 15, and there are 9 code lengths, 1, of word book * symbols + symbol; with ZeroDepth 10 marks of sweeps, 1. With
// ThresholdBits there are 11
// thresholds, a node of each result, of word parameters * 16 + node. INPUT0 to LOAD_ADDRESS read what was
// written; all of them and LOAD_DATA are written, and a start is, while STATUS is
// 0 and no value comes in that cycle. CONTROL and LOAD_DATA cannot be read. Another access answers SLVERR
// and does nothing. A read sees what was before the cycle in which it happens. An error stays until a reset,
// the first one if there are two.

`default_nettype none

module array_control #(
  parameter int Outputs = 8,
  parameter int Channels = 16,
  parameter int Banks = 3,
  parameter int Results = 4,
  parameter int Multiplier = 1,
  parameter int SumBits = 25,
  parameter int MapDepth = 1024,
  parameter int InputDepth = 512,
  parameter int WeightDepth = 256,
  parameter int ParamDepth = 128,
  parameter int SkipDepth = 2048,
  parameter int OutputDepth = 128,
  parameter int Layers = 32,
  parameter int Steps = 512,
  parameter int Pages = 4,
  /// 0: there is no stage.
  parameter int StageResults = 0,
  parameter int StageMultiplier = 1,
  parameter int StageMapDepth = 512,
  parameter int StageRowDepth = 512,
  parameter int StageWeightDepth = 256,
  parameter int StageParamDepth = 128,
  parameter int StageSteps = 512,
  parameter int LutRam = 0,
  parameter int Pixels = 1,
  parameter int Planes = 0,
  parameter int Widths = 1,
  parameter int ReferenceBits = 0,
  parameter int ScaleMultiply = 1,
  /// 0: there are no sweeps, nor what belongs to them.
  parameter int Sweep = 0,
  parameter int Decoders = 2,
  parameter int SymbolWeights = 2,
  parameter int Books = 1,
  parameter int ScaleBits = 31,
  parameter int Lookup = 0,
  parameter int ZeroDepth = 0,
  parameter int InputBits = 0,
  parameter int DspOutputs = 0,
  parameter int ThresholdBits = 0,
  parameter int WideSums = 0,
  /// Bytes of a word of weights.
  parameter int WeightBytes = 384
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // AXI4-Lite
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
  // The reset of the interior, and its start
  output logic        interior_rst_no,
  output logic        start_o,
  output logic [1:0]  status_o,
  // The program
  output logic [11:0] columns_o,
  output logic [11:0] rows_o,
  output logic [11:0] channels_o,
  output logic [3:0]  kernel_columns_o,
  output logic [3:0]  left_o,
  output logic [3:0]  stride_o,
  output logic [3:0]  right_o,
  output logic [7:0]  zero_o,
  output logic [1:0]  width_o,
  output logic [15:0] pitch_o,
  output logic [11:0] held_o,
  output logic [15:0] steps_o,
  output logic [15:0] stage_steps_o,
  // Loads
  output logic        weights_we_o,
  output logic        parameters_we_o,
  output logic        layers_we_o,
  output logic        steps_we_o,
  output logic        tables_we_o,
  output logic        stage_weights_we_o,
  output logic        stage_parameters_we_o,
  output logic        stage_layers_we_o,
  output logic        stage_steps_we_o,
  output logic        lengths_we_o,
  output logic        marks_we_o,
  output logic        thresholds_we_o,
  output logic [15:0] word_o,
  output logic [11:0] piece_o,
  output logic [31:0] data_o,
  // Events
  input  logic        value_i,
  input  logic        begin_i,
  input  logic        done_i,
  input  logic        input_error_i,
  input  logic        program_error_i,
  input  logic        weights_error_i
);

  localparam logic [11:0] AddrId = 12'h000, AddrControl = 12'h004, AddrStatus = 12'h008,
      AddrImages = 12'h00C, AddrInput0 = 12'h010, AddrInput1 = 12'h014, AddrInput2 = 12'h018,
      AddrInput3 = 12'h01C, AddrSteps = 12'h020, AddrLoadAddress = 12'h024, AddrLoadData = 12'h028,
      AddrCycles = 12'h02C, AddrDesign0 = 12'h030, AddrDesign1 = 12'h034, AddrDesign2 = 12'h038,
      AddrDesign3 = 12'h03C, AddrDesign4 = 12'h040, AddrDesign5 = 12'h044, AddrDesign6 = 12'h048,
      AddrDesign7 = 12'h04C, AddrDesign8 = 12'h050, AddrDesign9 = 12'h054,
      AddrDesign10 = 12'h058, AddrDesign11 = 12'h05C, AddrDesign12 = 12'h060;
  localparam logic [1:0] StatusIdle = 2'd0, StatusRunning = 2'd1, StatusError = 2'd3;
  localparam logic [2:0] ErrorNone = 3'd0, ErrorInput = 3'd1, ErrorProgram = 3'd2, ErrorWeights = 3'd4;
  localparam logic [3:0] SpaceWeights = 4'd0, SpaceParameters = 4'd1, SpaceLayers = 4'd2, SpaceSteps = 4'd3,
      SpaceTables = 4'd4, SpaceStageWeights = 4'd5, SpaceStageParameters = 4'd6, SpaceStageLayers = 4'd7,
      SpaceStageSteps = 4'd8, SpaceLengths = 4'd9, SpaceMarks = 4'd10, SpaceThresholds = 4'd11;
  localparam logic [3:0] LastSpace = (StageResults > 0) ? SpaceStageSteps : SpaceTables;
  localparam logic [11:0] LastLayerPiece = (Sweep > 0) ? 12'd14 : 12'd12;
  localparam logic [11:0] LastWeightPiece = (Sweep > 0) ? 12'd1 : 12'(WeightBytes / 4 - 1);
  localparam int MostStageSteps = (StageResults > 0) ? StageSteps : 0;

  logic        write, write_okay, read_okay;
  logic [11:0] write_addr, read_addr;
  logic [31:0] write_data, read_data;

  axi_lite u_axi_lite (
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
    .write_o(write),
    .write_addr_o(write_addr),
    .write_data_o(write_data),
    .write_okay_i(write_okay),
    .read_addr_o(read_addr),
    .read_data_i(read_data),
    .read_okay_i(read_okay)
  );

  logic [31:0] input0_q, input1_q, input2_q, input3_q, steps_q, images_q, cycles_q, inside_q;
  logic [3:0]  space_q;
  logic [15:0] word_q;
  logic [11:0] piece_q, last_piece;
  logic [2:0]  error_q;
  logic        clear_q, start_bit, reset_bit, controls, free_to_write, program_good, loads;

  assign interior_rst_no = rst_ni && !clear_q;
  assign status_o = error_q != ErrorNone ? StatusError : inside_q != '0 ? StatusRunning : StatusIdle;
  assign free_to_write = status_o == StatusIdle && !value_i && !clear_q;
  assign start_bit = write_data[0];
  assign reset_bit = write_data[1];
  assign controls = write && write_okay && write_addr == AddrControl;
  assign program_good = steps_q[15:0] != '0 && 32'(steps_q[15:0]) <= Steps &&
      32'(steps_q[31:16]) <= MostStageSteps;
  assign start_o = controls && start_bit && !reset_bit && program_good;
  assign loads = write && write_okay && write_addr == AddrLoadData;

  always_comb begin
    case (write_addr)
      AddrControl: write_okay = !start_bit || reset_bit || free_to_write;
      AddrInput0, AddrInput1, AddrInput2, AddrInput3, AddrSteps, AddrLoadAddress: write_okay = free_to_write;
      AddrLoadData: write_okay = free_to_write &&
          (space_q <= LastSpace || (Sweep > 0 && space_q == SpaceLengths) ||
           (ZeroDepth > 0 && space_q == SpaceMarks) || (ThresholdBits > 0 && space_q == SpaceThresholds));
      default: write_okay = 1'b0;
    endcase
    case (space_q)
      SpaceWeights:         last_piece = LastWeightPiece;
      SpaceParameters:      last_piece = 12'(3 * Results - 1);
      SpaceLayers:          last_piece = LastLayerPiece;
      SpaceSteps:           last_piece = 12'd4;
      SpaceStageWeights:    last_piece = 12'(Banks * Channels / 4 - 1);
      SpaceStageParameters: last_piece = 12'(3 * StageResults - 1);
      SpaceStageLayers:     last_piece = 12'd12;
      SpaceStageSteps:      last_piece = 12'd4;
      SpaceThresholds:      last_piece = 12'((ThresholdBits > 0) ? Results - 1 : 0);
      default:              last_piece = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    clear_q <= rst_ni && controls && reset_bit;
    if (!rst_ni) begin
      input0_q <= '0;
      input1_q <= '0;
      input2_q <= '0;
      input3_q <= '0;
      steps_q <= '0;
      space_q <= '0;
      word_q <= '0;
      piece_q <= '0;
    end else if (write && write_okay) begin
      case (write_addr)
        AddrInput0:      input0_q <= write_data;
        AddrInput1:      input1_q <= write_data;
        AddrInput2:      input2_q <= write_data;
        AddrInput3:      input3_q <= write_data;
        AddrSteps:       steps_q <= write_data;
        AddrLoadAddress: {space_q, word_q, piece_q} <= write_data;
        AddrLoadData: begin
          piece_q <= piece_q == last_piece ? '0 : piece_q + 1'b1;
          word_q <= word_q + 16'(piece_q == last_piece);
        end
        default: ;
      endcase
    end
    if (!interior_rst_no) begin
      inside_q <= '0;
      images_q <= '0;
      cycles_q <= '0;
      error_q <= ErrorNone;
    end else begin
      inside_q <= inside_q + 32'(begin_i) - 32'(done_i);
      images_q <= images_q + 32'(done_i);
      cycles_q <= cycles_q + 32'(status_o == StatusRunning);
      if (error_q == ErrorNone) begin
        if (input_error_i) error_q <= ErrorInput;
        else if (program_error_i || (controls && start_bit && !reset_bit && !program_good))
          error_q <= ErrorProgram;
        else if (weights_error_i) error_q <= ErrorWeights;
      end
    end
  end

  assign columns_o = input0_q[11:0];
  assign rows_o = input0_q[23:12];
  assign channels_o = input1_q[11:0];
  assign kernel_columns_o = input1_q[15:12];
  assign left_o = input1_q[19:16];
  assign stride_o = input1_q[23:20];
  assign right_o = input1_q[27:24];
  assign zero_o = input2_q[7:0];
  assign width_o = input2_q[9:8];
  assign pitch_o = input3_q[15:0];
  assign held_o = input3_q[16 +: 12];
  assign steps_o = steps_q[15:0];
  assign stage_steps_o = steps_q[31:16];

  assign weights_we_o = loads && space_q == SpaceWeights;
  assign parameters_we_o = loads && space_q == SpaceParameters;
  assign layers_we_o = loads && space_q == SpaceLayers;
  assign steps_we_o = loads && space_q == SpaceSteps;
  assign tables_we_o = loads && space_q == SpaceTables;
  assign stage_weights_we_o = loads && space_q == SpaceStageWeights;
  assign stage_parameters_we_o = loads && space_q == SpaceStageParameters;
  assign stage_layers_we_o = loads && space_q == SpaceStageLayers;
  assign stage_steps_we_o = loads && space_q == SpaceStageSteps;
  assign lengths_we_o = loads && Sweep > 0 && space_q == SpaceLengths;
  assign marks_we_o = loads && ZeroDepth > 0 && space_q == SpaceMarks;
  assign thresholds_we_o = loads && ThresholdBits > 0 && space_q == SpaceThresholds;
  assign word_o = word_q;
  assign piece_o = piece_q;
  assign data_o = write_data;

  always_comb begin
    read_okay = 1'b1;
    case (read_addr)
      AddrId:          read_data = 32'h44544132;
      AddrStatus:      read_data = {21'd0, error_q, 6'd0, status_o};
      AddrImages:      read_data = images_q;
      AddrInput0:      read_data = input0_q;
      AddrInput1:      read_data = input1_q;
      AddrInput2:      read_data = input2_q;
      AddrInput3:      read_data = input3_q;
      AddrSteps:       read_data = steps_q;
      AddrLoadAddress: read_data = {space_q, word_q, piece_q};
      AddrCycles:      read_data = cycles_q;
      AddrDesign0:     read_data = {8'(Results), 8'(Banks), 8'(Channels), 8'(Outputs)};
      AddrDesign1:     read_data = {8'(SumBits), 8'(Pages), 8'(Multiplier), 8'(Layers)};
      AddrDesign2:     read_data = {16'(MapDepth), 16'(InputDepth)};
      AddrDesign3:     read_data = {16'(WeightDepth), 16'(ParamDepth)};
      AddrDesign4:     read_data = {16'(SkipDepth), 16'(OutputDepth)};
      AddrDesign5:     read_data = 32'(Steps);
      AddrDesign6:     read_data = {StageResults > 0 ? {8'(StageResults), 4'(StageMultiplier)} : 12'd0, 4'(Pixels),
                                    16'(LutRam)};
      AddrDesign7:     read_data = StageResults > 0 ? {16'(StageMapDepth), 16'(StageRowDepth)} : '0;
      AddrDesign8:     read_data = StageResults > 0 ? {16'(StageWeightDepth), 16'(StageParamDepth)} : '0;
      AddrDesign9:     read_data = 32'(MostStageSteps);
      AddrDesign10:    read_data = {7'd0, 1'(WideSums), 3'(ThresholdBits), 1'(ScaleMultiply), 4'(ReferenceBits), 4'(Widths), 4'(Planes), 8'd0};
      AddrDesign11:    read_data = {4'd0, 1'(Lookup), Sweep > 0 ? {1'(ZeroDepth > 0), 5'(Books)} : 6'd0, 5'(ScaleBits),
                                    Sweep > 0 ? {4'(SymbolWeights), 4'(Decoders), 8'(Sweep)} : 16'd0};
      AddrDesign12:    read_data = {18'd0, 6'(DspOutputs), 8'(InputBits / 4)};
      default: begin
        read_okay = 1'b0;
        read_data = '0;
      end
    endcase
  end

endmodule

`default_nettype wire
