// Convolution networks on a P x S x T array of dot products: each cycle a window of T rows (or T groups of
// channels) of S channels meets the weights of P outputs. Maps lie in banks by rows (rtl/line_buffer.sv),
// the input image in banks of its own (rtl/pixel_loader.sv fills them), sums become outputs on their way
// back (rtl/array_results.sv), and a table of steps (rtl/array_scheduler.sv) says which row of which layer
// comes next; inside nothing waits once a step has begun. The next image comes in while one is computed.
// Beside the array there may be a depthwise stage (rtl/depthwise_stage.sv): the array writes the maps that
// it reads, and reads the rows that it makes; each engine has steps of its own, and waits for those of the
// other one that a step needs.
//
// With M pixels a cycle column c of a map lies in column bank c mod M, each with row banks of its own, and
// wide layers read windows of M adjacent output columns at once, which meet the same weights in M arrays of
// dot products; other layers leave all but pixel 0 of them idle. Sums of all pixels leave one pixel after
// the other.
//
// Maps may have channels of 8, 4, 2 or 1 bits, layer by layer, and then more of them in a word: by Planes there
// is a second engine beside the products of bytes, or in their place (rtl/plane_array.sv), for which weights are
// planes of bits, Planes of them a cycle; a tile takes its windows again for those of wider weights. With
// references a weight is w = r + d * 2^s, r of its output, s of the layer, d in planes, and a mask says which
// are counted: the sum of w x is 2^s times that of d x, and r times the mask's total.
//
// With Sweep > 0 weights stand still instead, Huffman-coded in their memory (rtl/sweep_weights.sv): a tile of
// them serves a window of each of a block's pixels, up to Sweep of several rows, whose sums are kept in LUT-RAM
// (rtl/sweep_array.sv). That takes one bank, one pixel a cycle, planes alone, one width, no references, no
// stage, and there are no maxima. A pixel's results are written W = 22 + P / R cycles behind its tag, with which
// its sums are read.
//
// A window issued in cycle i is at the dot products in i + 4, its tile's sums are there in i + 4 + D with D
// = 4 + ceil(log2(T S)), of planes U 5 + ceil(log2(ceil(T S / 3))) + log2(U), or the later if there are both,
// and its results are written in i + W with W = 22 + D + M P / R. Values come in one
// per beat, 8 bits, TLAST on an image's last; results leave one per beat, signed, TLAST on the last one of
// an image. Registers and errors: rtl/array_control.sv.

`default_nettype none

module array #(
  /// P, outputs per tile: 2 to 32, without products of bytes to 64, a power of two; of the narrowest width a
  /// tile is a word at most, and a word 32 of them.
  parameter int Outputs = 8,
  /// S, bytes of a word: a power of two, 4 to 32, with planes from 8 on.
  parameter int Channels = 16,
  /// T, banks: 1 to 7.
  parameter int Banks = 3,
  /// R, results per cycle, of P.
  parameter int Results = 4,
  /// 0 lut, 1 dsp_pairs, 2 none: planes alone.
  parameter int Multiplier = 1,
  /// Bits of a sum and its bias: 25 to 32, of planes alone from 12 on.
  parameter int SumBits = 25,
  /// Words of a bank of the maps, and of the input.
  parameter int MapDepth = 1024,
  parameter int InputDepth = 512,
  /// Windows with weights, beats with parameters, tiles that are added later, tiles that wait to leave.
  parameter int WeightDepth = 256,
  parameter int ParamDepth = 128,
  parameter int SkipDepth = 2048,
  parameter int OutputDepth = 128,
  /// Layers, steps, pages of tables for additions (0: there are none).
  parameter int Layers = 32,
  parameter int Steps = 512,
  parameter int Pages = 4,
  /// Rs, results per cycle of the depthwise stage, of S; 0: there is no stage, and nothing of this is used.
  parameter int StageResults = 0,
  /// 0 lut, 1 dsp: a DSP48E1 a product.
  parameter int StageMultiplier = 1,
  /// Words of a bank of the maps that the stage reads, and of the rows that it makes.
  parameter int StageMapDepth = 512,
  parameter int StageRowDepth = 512,
  /// Its windows with weights, beats with parameters, steps.
  parameter int StageWeightDepth = 256,
  parameter int StageParamDepth = 128,
  parameter int StageSteps = 512,
  /// A bit each, 1: LUT-RAM instead of block RAM; from bit 0 on: maps, input, weights, parameters, skips,
  /// steps, and of the stage: maps, rows, weights, parameters, steps.
  parameter int LutRam = 0,
  /// M, pixels a cycle: 1, 2 or 4.
  parameter int Pixels = 1,
  /// U, planes of weights a cycle: 1, 2, 4 or 8; 0: there are none.
  parameter int Planes = 0,
  /// Widths of maps: bit c: 8 >> c bits; others than 8 take planes.
  parameter int Widths = 1,
  /// Bits of a reference r, 2 to 8, which takes planes; 0: there are none.
  parameter int ReferenceBits = 0,
  /// 0: scalers shift alone.
  parameter int ScaleMultiply = 1,
  /// Most pixels of a block that a tile of weights serves: 16, 32 or 64; 0: there are no sweeps. With sweeps
  /// WeightDepth counts words of 36 bits.
  parameter int Sweep = 0,
  /// Of sweeps: decoders (1, 2, 4), weights of a symbol, code books (a power of two, at most 16).
  parameter int Decoders = 2,
  parameter int SymbolWeights = 2,
  parameter int Books = 1,
  /// Bits of a scaler's multiplier that are kept, 8 to 31.
  parameter int ScaleBits = 31,
  /// 1: what is added is looked up as a whole, of maps of 4 bits at most.
  parameter int Lookup = 0,
  /// Of sweeps: marks of those that are left out, as their weights are all zero, 2 to 65535; 0: none is.
  parameter int ZeroDepth = 0,
  /// Bits of a word of the input map that are kept, its top ones, a multiple of 4; others read as 0. 0: all.
  parameter int InputBits = 0,
  /// Of sweeps of 4 planes and maps of 4 bits: outputs of a tile whose products are in DSP48E1s, a multiple of 3.
  parameter int DspOutputs = 0,
  /// Bits of a count of thresholds, 1 to 4, instead of a scale where a layer says so; 0: there are none.
  parameter int ThresholdBits = 0,
  /// 1: results that leave may be sums of 16 bits, the low byte first, and sums may be added to a map as they are.
  parameter int WideSums = 0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // AXI4-Lite: control, status, tables
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
  // AXI4-Stream: values of images
  input  logic [7:0]  s_axis_tdata_i,
  input  logic        s_axis_tlast_i,
  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  // AXI4-Stream: results
  output logic [7:0]  m_axis_tdata_o,
  output logic        m_axis_tlast_o,
  output logic        m_axis_tvalid_o,
  input  logic        m_axis_tready_i
);

  localparam int AccBits = (SumBits < 25) ? SumBits : 25;
  localparam int StageAccBits = 25;
  localparam int Window = Banks * Channels;  // bytes
  localparam int Narrowest = (Widths >= 8) ? 1 : (Widths >= 4) ? 2 : (Widths >= 2) ? 4 : 8;  // bits
  localparam int PartBits = Outputs * Narrowest;
  localparam int Parts = 8 * Channels / PartBits;
  localparam int HasBytes = (Multiplier != 2) ? 1 : 0;
  localparam int References = (ReferenceBits > 0) ? 1 : 0;
  localparam int ByteWeights = (HasBytes != 0) ? Outputs * Window : 0;  // bytes of a word
  localparam int AllPlanes = (Planes > 0) ? Outputs * Planes + References : 0;
  localparam int PlaneWeights = AllPlanes * Window / Narrowest;
  localparam int WeightBytes = (((ByteWeights > PlaneWeights) ? ByteWeights : PlaneWeights) + 7) / 8 * 8;
  localparam int WindowLatency = 4;
  localparam int ByteLatency = (HasBytes != 0) ? 4 + $clog2(Window) : 0;
  localparam int PlaneLatency = (Planes > 0) ? 5 + $clog2((Window + 2) / 3) + $clog2(Planes) : 0;
  // Of sweeps the sums are there, and PlaneLatency is when they can be read.
  localparam int DotLatency = (Sweep > 0) ? 0 : (ByteLatency > PlaneLatency) ? ByteLatency : PlaneLatency;
  localparam int PoolLatency = 3;
  localparam int Writeback = 22 + DotLatency + Pixels * Outputs / Results;
  localparam int WeightBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1;
  localparam int BankBits = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int ColumnBits = (Pixels > 1) ? $clog2(Pixels) : 1;
  localparam int WeightColumns = WeightBytes / 8;  // of 64 bits
  localparam int PlaneBits = (Planes > 0) ? 8 * Window * AllPlanes : 1;
  localparam int StageWriteback = (StageResults > 0) ? 22 + 4 + $clog2(Banks) + Channels / StageResults : 0;
  localparam int Blocks = ~LutRam;  // of a cast Yosys 0.23 forgets the ~

  if (Outputs < 2 || Outputs > ((HasBytes != 0) ? 32 : 64) || 2 ** $clog2(Outputs) != Outputs ||
      PartBits > 8 * Channels || 8 * Channels > 32 * PartBits) begin : gen_bad_outputs
    outputs_must_be_a_power_of_two_of_2_to_32_and_1_to_32_tiles_a_word u_error ();
  end
  if (Planes != 0 && Planes != 1 && Planes != 2 && Planes != 4 && Planes != 8) begin : gen_bad_planes
    planes_must_be_0_1_2_4_or_8 u_error ();
  end
  if (Planes > 0 && Channels < 8) begin : gen_bad_channels
    channels_must_be_8_at_least_with_planes u_error ();
  end
  if (Multiplier < 0 || Multiplier > 2 || (HasBytes == 0 && Planes == 0)) begin : gen_bad_multiplier
    multiplier_must_be_0_or_1_or_with_planes_2 u_error ();
  end
  if (Widths < 1 || Widths > 15 || (Widths != 1 && Planes == 0)) begin : gen_bad_widths
    widths_must_be_1_or_with_planes_1_to_15 u_error ();
  end
  if (ReferenceBits != 0 && (ReferenceBits < 2 || ReferenceBits > 8 || Planes == 0)) begin : gen_bad_references
    reference_bits_must_be_0_or_with_planes_2_to_8 u_error ();
  end
  if (SumBits < ((HasBytes != 0) ? 25 : 12)) begin : gen_bad_sum_bits
    sum_bits_must_be_25_or_of_planes_alone_12_at_least u_error ();
  end
  if (ScaleMultiply != 0 && ScaleMultiply != 1) begin : gen_bad_scale_multiply
    scale_multiply_must_be_0_or_1 u_error ();
  end
  if (Sweep > 0 && (Banks != 1 || Pixels != 1 || HasBytes != 0 || ReferenceBits > 0 ||
                    StageResults > 0)) begin : gen_bad_sweep
    sweeps_take_one_bank_one_pixel_planes_alone_and_neither_references_nor_a_stage u_error ();
  end
  if (ScaleBits < 8 || ScaleBits > 31) begin : gen_bad_scale_bits
    scale_bits_must_be_8_to_31 u_error ();
  end
  if (Lookup != 0 && (Lookup != 1 || Widths % 2 != 0)) begin : gen_bad_lookup
    lookup_must_be_0_or_of_4_bits_at_most_1 u_error ();
  end
  if (ZeroDepth < 0 || ZeroDepth == 1 || ZeroDepth > 65535 || (ZeroDepth > 0 && Sweep == 0)) begin : gen_bad_zero_depth
    zero_depth_must_be_0_or_with_sweeps_2_to_65535 u_error ();
  end
  if (InputBits < 0 || InputBits > 8 * Channels || InputBits % 4 != 0 ||
      (InputBits > 0 && Sweep == 0)) begin : gen_bad_input_bits
    input_bits_must_be_0_or_with_sweeps_a_multiple_of_4_and_no_more_than_a_word u_error ();
  end
  if (DspOutputs < 0 || DspOutputs > Outputs || DspOutputs % 3 != 0 ||
      (DspOutputs > 0 && (Sweep == 0 || Planes != 4 || Widths != 2))) begin : gen_bad_dsp_outputs
    dsp_outputs_must_be_0_or_with_sweeps_of_4_planes_and_4_bits_a_multiple_of_3 u_error ();
  end
  if (ThresholdBits < 0 || ThresholdBits > 4 || (ThresholdBits > 0 && ParamDepth > 4096)) begin : gen_bad_thresholds
    threshold_bits_must_be_0_to_4_of_4096_words_of_parameters_at_most u_error ();
  end
  if (WideSums != 0 && WideSums != 1) begin : gen_bad_wide_sums
    wide_sums_must_be_0_or_1 u_error ();
  end
  if (WeightBytes > 16384) begin : gen_bad_weights
    a_word_of_weights_must_be_4096_pieces_at_most u_error ();
  end
  if (StageResults > 0 && (!Widths[0] || Outputs > Channels)) begin : gen_bad_stage
    a_stage_takes_8_bits_and_no_more_outputs_than_channels u_error ();
  end
  if (Results < 1 || Outputs % Results != 0) begin : gen_bad_results
    results_must_divide_outputs u_error ();
  end
  if (Layers < 2 || Layers > 32) begin : gen_bad_layers
    layers_must_be_2_to_32 u_error ();
  end
  if (StageResults < 0 || (StageResults > 0 && Channels % StageResults != 0)) begin : gen_bad_stage_results
    stage_results_must_be_0_or_divide_channels u_error ();
  end
  if (LutRam < 0 || LutRam >= 2 ** 11) begin : gen_bad_lut_ram
    lut_ram_must_be_11_bits u_error ();
  end
  if (Pixels != 1 && Pixels != 2 && Pixels != 4) begin : gen_bad_pixels
    pixels_must_be_1_2_or_4 u_error ();
  end

  // Nets that lockstep reads, too: array.vlt.
  logic                          interior_rst_n, start;
  logic [1:0]                    status;
  logic                          issue_valid, issue_first, issue_last;
  logic [15:0]                   issue_weight;
  logic [2:0]                    issue_bank;
  logic [1:0]                    issue_column_bank;
  logic [15:0]                   issue_address;
  logic                          sums_valid;
  logic [AccBits*Outputs*Pixels-1:0] sums;
  logic [AccBits*Pixels-1:0]     totals;
  logic                          result_valid, result_to_map, result_to_stage;
  logic [2:0]                    result_bank;
  logic [Pixels-1:0]             result_columns;
  logic [15:0]                   result_address;
  logic [Parts-1:0]              result_parts;
  logic [8*Channels*Pixels-1:0]  result_word;
  logic                          skip_valid;
  logic [15:0]                   skip_address;
  logic [8*Outputs*Pixels-1:0]   skip_data;
  logic                          stage_issue_valid, stage_issue_first, stage_issue_last;
  logic [15:0]                   stage_issue_weight;
  logic [2:0]                    stage_issue_bank;
  logic [1:0]                    stage_issue_column_bank;
  logic [15:0]                   stage_issue_address;
  logic                          stage_sums_valid;
  logic [StageAccBits*Channels-1:0] stage_sums;
  logic                          stage_result_valid;
  logic [2:0]                    stage_result_bank;
  logic [Pixels-1:0]             stage_result_columns;
  logic [15:0]                   stage_result_address;
  logic [8*Channels-1:0]         stage_result_word;

  logic [11:0] columns, rows, channels;
  logic [3:0]  kernel_columns, left, stride, right;
  logic [7:0]  input_zero;
  logic [1:0]  input_width;
  logic [15:0] pitch, steps, stage_steps, word;
  logic [11:0] held;
  logic        weights_we, parameters_we, layers_we, steps_we, tables_we, thresholds_we;
  logic        stage_weights_we, stage_parameters_we, stage_layers_we, stage_steps_we;
  logic [11:0] piece;
  logic [31:0] data;
  logic        image_begins, image_done, input_error, step_error, stage_error;
  // Of sweeps
  logic        lengths_we, marks_we, built, bad_book, bad_code, tiles_ready, tile_full, stream_begin, copy, tile_read;
  logic [15:0] stream_base, stream_tiles;
  logic [3:0]  stream_book;
  logic [5:0]  pixel, tile_pixel;

  array_control #(
    .Outputs(Outputs),
    .Channels(Channels),
    .Banks(Banks),
    .Results(Results),
    .Multiplier(Multiplier),
    .SumBits(SumBits),
    .MapDepth(MapDepth),
    .InputDepth(InputDepth),
    .WeightDepth(WeightDepth),
    .ParamDepth(ParamDepth),
    .SkipDepth(SkipDepth),
    .OutputDepth(OutputDepth),
    .Layers(Layers),
    .Steps(Steps),
    .Pages(Pages),
    .StageResults(StageResults),
    .StageMultiplier(StageMultiplier),
    .StageMapDepth(StageMapDepth),
    .StageRowDepth(StageRowDepth),
    .StageWeightDepth(StageWeightDepth),
    .StageParamDepth(StageParamDepth),
    .StageSteps(StageSteps),
    .LutRam(LutRam),
    .Pixels(Pixels),
    .Planes(Planes),
    .Widths(Widths),
    .ReferenceBits(ReferenceBits),
    .ScaleMultiply(ScaleMultiply),
    .Sweep(Sweep),
    .Decoders(Decoders),
    .SymbolWeights(SymbolWeights),
    .Books(Books),
    .ScaleBits(ScaleBits),
    .Lookup(Lookup),
    .ZeroDepth(ZeroDepth),
    .InputBits(InputBits),
    .DspOutputs(DspOutputs),
    .ThresholdBits(ThresholdBits),
    .WideSums(WideSums),
    .WeightBytes(WeightBytes)
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
    .interior_rst_no(interior_rst_n),
    .start_o(start),
    .status_o(status),
    .columns_o(columns),
    .rows_o(rows),
    .channels_o(channels),
    .kernel_columns_o(kernel_columns),
    .left_o(left),
    .stride_o(stride),
    .right_o(right),
    .zero_o(input_zero),
    .width_o(input_width),
    .pitch_o(pitch),
    .held_o(held),
    .steps_o(steps),
    .stage_steps_o(stage_steps),
    .weights_we_o(weights_we),
    .parameters_we_o(parameters_we),
    .layers_we_o(layers_we),
    .steps_we_o(steps_we),
    .tables_we_o(tables_we),
    .stage_weights_we_o(stage_weights_we),
    .stage_parameters_we_o(stage_parameters_we),
    .stage_layers_we_o(stage_layers_we),
    .stage_steps_we_o(stage_steps_we),
    .lengths_we_o(lengths_we),
    .marks_we_o(marks_we),
    .thresholds_we_o(thresholds_we),
    .word_o(word),
    .piece_o(piece),
    .data_o(data),
    .value_i(s_axis_tvalid_i && s_axis_tready_o),
    .begin_i(image_begins),
    .done_i(image_done),
    .input_error_i(input_error),
    .program_error_i(step_error || stage_error || bad_book),
    .weights_error_i(bad_code)
  );

  // The image.
  logic                  input_we, row_done, free;
  logic [2:0]            input_bank;
  logic [ColumnBits-1:0] input_column_bank;
  logic [15:0]           input_address, free_rows;
  logic [8*Channels-1:0] input_word;

  pixel_loader #(
    .Banks(Banks),
    .Channels(Channels),
    .Pixels(Pixels),
    .Widths(Widths),
    .Ring((Sweep > 0) ? 1 : 0)
  ) u_loader (
    .clk_i,
    .rst_ni(interior_rst_n),
    .start_i(start),
    .columns_i(columns),
    .rows_i(rows),
    .channels_i(channels),
    .kernel_columns_i(kernel_columns),
    .left_i(left),
    .stride_i(stride),
    .right_i(right),
    .zero_i(input_zero),
    .width_i(input_width),
    .pitch_i(pitch),
    .held_i(held),
    .free_i(free),
    .free_rows_i(free_rows),
    .s_axis_tdata_i,
    .s_axis_tlast_i,
    .s_axis_tvalid_i,
    .s_axis_tready_o,
    .we_o(input_we),
    .column_bank_o(input_column_bank),
    .bank_o(input_bank),
    .address_o(input_address),
    .data_o(input_word),
    .begin_o(image_begins),
    .row_done_o(row_done),
    .error_o(input_error)
  );

  // The program.
  logic                       from_input, from_stage, max_pool, pop;
  logic [ColumnBits-1:0]      column_bank;
  logic [Pixels-1:0]          read_columns, tile_columns;
  logic [16*Banks*Pixels-1:0] addresses;
  logic [Banks*Pixels-1:0]    pads;
  logic [Banks-1:0]           lanes;
  logic [7:0]                 zero;
  logic [4:0]                 layer, part;
  logic                       to_map, to_stage, to_skip, to_output, adds, ends, is_final, wide;
  logic                       step_done, stage_step_done, parameter_load;
  logic                       top, shift, planes;
  logic [1:0]                 width, result_width;
  logic [2:0]                 reference_shift;
  logic [5:0]                 valid_results;
  logic [2:0]                 tile_bank;
  logic [15:0]                tile_address, parameter_address, skip_read, skip_write;

  array_scheduler #(
    .Outputs(Outputs),
    .Channels(Channels),
    .Banks(Banks),
    .Results(Results),
    .Writeback(Writeback),
    .WeightDepth(WeightDepth),
    .ParamDepth(ParamDepth),
    .SkipDepth((Pages > 0) ? SkipDepth : 0),
    .OutputDepth(OutputDepth),
    .Layers(Layers),
    .Steps(Steps),
    .OtherWriteback(StageWriteback),
    .Block(Blocks[5] ? 1 : 0),
    .Pixels(Pixels),
    .Planes((Planes > 0) ? 1 : 0),
    .Widths(Widths),
    .Sweep(Sweep),
    .Seen(PlaneLatency),
    .Books(Books),
    .ZeroDepth(ZeroDepth)
  ) u_scheduler (
    .clk_i,
    .rst_ni(interior_rst_n),
    .start_i(start),
    .steps_i(steps),
    .rows_i(rows),
    .other_steps_i(stage_steps),
    .layer_we_i(layers_we),
    .step_we_i(steps_we),
    .mark_we_i(marks_we),
    .word_i(word),
    .piece_i(piece),
    .data_i(data),
    .row_done_i(row_done),
    .other_done_i(stage_step_done),
    .pop_i(pop),
    .free_o(free),
    .free_rows_o(free_rows),
    .error_o(step_error),
    .built_i(built),
    .stop_i(bad_code),
    .tiles_ready_i(tiles_ready),
    .tile_full_i(tile_full),
    .stream_begin_o(stream_begin),
    .stream_base_o(stream_base),
    .stream_book_o(stream_book),
    .stream_tiles_o(stream_tiles),
    .copy_o(copy),
    .issue_o(issue_valid),
    .first_o(issue_first),
    .last_o(issue_last),
    .top_o(top),
    .shift_o(shift),
    .width_o(width),
    .planes_o(planes),
    .weight_o(issue_weight),
    .from_input_o(from_input),
    .from_stage_o(from_stage),
    .max_pool_o(max_pool),
    .bank_o(issue_bank),
    .column_bank_o(column_bank),
    .columns_o(read_columns),
    .address_o(addresses),
    .pad_o(pads),
    .first_address_o(issue_address),
    .lanes_o(lanes),
    .zero_o(zero),
    .pixel_o(pixel),
    .tile_o(tile_read),
    .tile_pixel_o(tile_pixel),
    .layer_o(layer),
    .to_map_o(to_map),
    .to_stage_o(to_stage),
    .to_skip_o(to_skip),
    .to_output_o(to_output),
    .add_o(adds),
    .ends_o(ends),
    .final_o(is_final),
    .valid_o(valid_results),
    .wide_o(wide),
    .result_width_o(result_width),
    .reference_shift_o(reference_shift),
    .result_bank_o(tile_bank),
    .result_columns_o(tile_columns),
    .result_address_o(tile_address),
    .result_part_o(part),
    .parameter_load_o(parameter_load),
    .parameter_o(parameter_address),
    .skip_read_o(skip_read),
    .skip_write_o(skip_write)
  );

  assign issue_column_bank = 2'(column_bank);

  // Windows by column bank: of one memory, the others' are 0, as are all where the bank is not read.
  logic [8*Window*Pixels-1:0] row_windows, column_windows, windows;

  for (genvar k = 0; k < Pixels; k++) begin : gen_column
    logic [8*Window-1:0] input_window, map_window;

    line_buffer #(
      .Channels(Channels),
      .PartBits(8 * Channels),
      .Banks(Banks),
      .Depth(InputDepth),
      .Block(Blocks[1] ? 1 : 0),
      .Kept((InputBits > 0) ? InputBits : 8 * Channels)
    ) u_input (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(issue_valid && read_columns[k] && from_input),
      .bank_i(issue_bank[BankBits-1:0]),
      .address_i(addresses[16*Banks*k +: 16*Banks]),
      .pad_i(pads[Banks*k +: Banks]),
      .zero_i(zero),
      .window_o(input_window),
      .we_i(input_we && 32'(input_column_bank) == k),
      .wbank_i(input_bank[BankBits-1:0]),
      .waddress_i(input_address),
      .wdata_i(input_word)
    );

    line_buffer #(
      .Channels(Channels),
      .PartBits(PartBits),
      .Banks(Banks),
      .Depth(MapDepth),
      .Block(Blocks[0] ? 1 : 0)
    ) u_map (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(issue_valid && read_columns[k] && !from_input && (!from_stage || StageResults == 0)),
      .bank_i(issue_bank[BankBits-1:0]),
      .address_i(addresses[16*Banks*k +: 16*Banks]),
      .pad_i(pads[Banks*k +: Banks]),
      .zero_i(zero),
      .window_o(map_window),
      .we_i({Parts{result_valid && result_to_map && result_columns[k]}} & result_parts),
      .wbank_i(result_bank[BankBits-1:0]),
      .waddress_i(result_address),
      .wdata_i(result_word[8*Channels*k +: 8*Channels])
    );

    assign column_windows[8*Window*k +: 8*Window] =
        input_window | map_window | row_windows[8*Window*k +: 8*Window];
  end

  // And by pixel.
  if (Pixels == 1) begin : gen_pixel
    assign windows = column_windows;
  end else begin : gen_pixels
    logic [ColumnBits-1:0] window_column;

    delay_line #(.Width(ColumnBits), .Cycles(WindowLatency)) u_window_column (
      .clk_i, .data_i(column_bank), .data_o(window_column)
    );

    for (genvar m = 0; m < Pixels; m++) begin : gen_window
      logic [ColumnBits-1:0] bank;
      logic [8*Window-1:0]   window;

      assign bank = window_column + ColumnBits'(m);
      assign windows[8*Window*m +: 8*Window] = window;

      always_comb begin  // an index times a window would be a product
        window = column_windows[8*Window-1:0];
        for (int k = 1; k < Pixels; k++)
          if (32'(bank) == k) window = column_windows[8*Window*k +: 8*Window];
      end
    end
  end

  // Weights: as late as the window. Of planes the memory has a bit for each activation of the narrowest width.
  logic [64*WeightColumns-1:0] weights, weights_q;
  logic [PlaneBits-1:0]        plane_weights;
  logic [31:0]                 low_piece_q;
  logic [WeightBits-1:0]       weight_address_q;
  logic                        weight_read_q;

  always_ff @(posedge clk_i) begin
    weight_address_q <= WeightBits'(issue_weight);
    weight_read_q <= issue_valid && !max_pool;
    if (weights_we) low_piece_q <= data;
  end

  for (genvar c = 0; c < ((Sweep == 0) ? WeightColumns : 0); c++) begin : gen_weights
    weight_bank #(.Width(64), .Depth(WeightDepth), .ReadLatency(2), .Block(Blocks[2] ? 1 : 0)) u_words (
      .clk_i,
      .we_i(weights_we && 32'(piece) == 2 * c + 1 && 32'(word) < WeightDepth),
      .waddr_i(WeightBits'(word)),
      .wdata_i({data, low_piece_q}),
      .re_i(weight_read_q),
      .raddr_i(weight_address_q),
      .rdata_o(weights[64*c +: 64])
    );
  end

  if (Sweep > 0) begin : gen_tiles
    sweep_weights #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Widths(Widths),
      .Planes(Planes),
      .Decoders(Decoders),
      .SymbolWeights(SymbolWeights),
      .Books(Books),
      .Depth(WeightDepth)
    ) u_weights (
      .clk_i,
      .rst_ni(interior_rst_n),
      .start_i(start),
      .built_o(built),
      .fault_o(bad_book),
      .words_we_i(weights_we),
      .lengths_we_i(lengths_we),
      .word_i(word),
      .piece_i(piece),
      .data_i(data),
      .begin_i(stream_begin),
      .base_i(stream_base),
      .book_i(stream_book),
      .tiles_i(stream_tiles),
      .ready_o(tiles_ready),
      .full_o(tile_full),
      .copy_i(copy),
      .weights_o(plane_weights),
      .error_o(bad_code)
    );

    logic unused_words;
    assign unused_words = ^{low_piece_q, weight_address_q, weight_read_q, weights, weights_q};
    assign {weights, weights_q} = '0;
  end else begin : gen_no_tiles
    assign {built, bad_book, bad_code, tiles_ready, tile_full} = '0;
    always_ff @(posedge clk_i) weights_q <= weights;

    if (Planes == 0) begin : gen_no_plane_weights
      assign plane_weights = '0;
    end else if (Narrowest == 1) begin : gen_bit_weights
      assign plane_weights = weights_q[PlaneBits-1:0];
    end else begin : gen_plane_weights
      always_comb begin
        for (int b = 0; b < 8 * PlaneWeights; b++)
          plane_weights[Narrowest*b +: Narrowest] = {Narrowest{weights_q[b]}};
      end
    end

    logic unused_tiles;
    assign unused_tiles = ^{lengths_we, stream_begin, stream_base, stream_book, stream_tiles, copy, pixel, tile_pixel};
  end

  // Sums and maxima.
  logic             window_valid, window_first, window_last, window_max_pool, window_top, window_shift,
                    window_planes;
  logic [1:0]       window_width;
  logic [Banks-1:0] window_lanes;
  logic [3:0]       valid_q;

  always_ff @(posedge clk_i) valid_q <= interior_rst_n ? {valid_q[2:0], issue_valid} : '0;
  assign window_valid = valid_q[WindowLatency-1];

  delay_line #(.Width(3 + Banks), .Cycles(WindowLatency)) u_window_tag (
    .clk_i,
    .data_i({issue_first, issue_last, max_pool, lanes}),
    .data_o({window_first, window_last, window_max_pool, window_lanes})
  );

  if (Planes > 0 && Sweep == 0) begin : gen_window_tag
    delay_line #(.Width(5), .Cycles(WindowLatency)) u_planes (
      .clk_i,
      .data_i({top, shift, width, planes}),
      .data_o({window_top, window_shift, window_width, window_planes})
    );
  end else begin : gen_no_planes
    assign {window_top, window_shift, window_width, window_planes} = '0;
    logic unused_planes;
    assign unused_planes = ^{top, shift, width, planes, window_top, window_shift};
  end

  // Whose window it is, and both engines' sums, as late as the later one's.
  logic                              to_bytes, to_planes;
  logic [Pixels-1:0]                 byte_sums_valid, plane_sums_valid;
  logic [AccBits*Outputs*Pixels-1:0] byte_sums, plane_sums;
  logic [AccBits*Pixels-1:0]         plane_totals;

  assign to_bytes = window_valid && !window_max_pool && (Planes == 0 || !window_planes);
  assign to_planes = window_valid && !window_max_pool && (HasBytes == 0 || window_planes);

  for (genvar m = 0; m < ((HasBytes != 0) ? Pixels : 0); m++) begin : gen_dot_array
    logic                       valid;
    logic [AccBits*Outputs-1:0] pixel_sums;

    dot_array #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Lanes(Banks),
      .Multiplier(Multiplier),
      .AccBits(AccBits)
    ) u_dot_array (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(to_bytes),
      .first_i(window_first),
      .last_i(window_last),
      .x_i(windows[8*Window*m +: 8*Window]),
      .w_i(weights_q[8*ByteWeights-1:0]),
      .valid_o(valid),
      .sums_o(pixel_sums)
    );

    if (DotLatency > ByteLatency) begin : gen_late
      logic [DotLatency-ByteLatency-1:0] valids_q;

      always_ff @(posedge clk_i) begin
        valids_q <= interior_rst_n ? (DotLatency - ByteLatency)'({valids_q, valid}) : '0;
      end
      assign byte_sums_valid[m] = valids_q[DotLatency-ByteLatency-1];
      delay_line #(.Width(AccBits * Outputs), .Cycles(DotLatency - ByteLatency)) u_sums (
        .clk_i, .data_i(pixel_sums), .data_o(byte_sums[AccBits*Outputs*m +: AccBits*Outputs])
      );
    end else begin : gen_in_time
      assign byte_sums_valid[m] = valid;
      assign byte_sums[AccBits*Outputs*m +: AccBits*Outputs] = pixel_sums;
    end
  end

  for (genvar m = 0; m < ((Planes > 0 && Sweep == 0) ? Pixels : 0); m++) begin : gen_plane_array
    logic                       valid;
    logic [AccBits*Outputs-1:0] pixel_sums;
    logic [AccBits-1:0]         pixel_total;

    plane_array #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Lanes(Banks),
      .Planes(Planes),
      .Widths(Widths),
      .References(References),
      .AccBits(AccBits)
    ) u_plane_array (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(to_planes),
      .first_i(window_first),
      .last_i(window_last),
      .top_i(window_top),
      .shift_i(window_shift),
      .width_i(window_width),
      .x_i(windows[8*Window*m +: 8*Window]),
      .w_i(plane_weights),
      .valid_o(valid),
      .sums_o(pixel_sums),
      .totals_o(pixel_total)
    );

    if (DotLatency > PlaneLatency) begin : gen_late
      logic [DotLatency-PlaneLatency-1:0] valids_q;

      always_ff @(posedge clk_i) begin
        valids_q <= interior_rst_n ? (DotLatency - PlaneLatency)'({valids_q, valid}) : '0;
      end
      assign plane_sums_valid[m] = valids_q[DotLatency-PlaneLatency-1];
      delay_line #(.Width(AccBits * (Outputs + 1)), .Cycles(DotLatency - PlaneLatency)) u_sums (
        .clk_i,
        .data_i({pixel_total, pixel_sums}),
        .data_o({plane_totals[AccBits*m +: AccBits], plane_sums[AccBits*Outputs*m +: AccBits*Outputs]})
      );
    end else begin : gen_in_time
      assign plane_sums_valid[m] = valid;
      assign plane_sums[AccBits*Outputs*m +: AccBits*Outputs] = pixel_sums;
      assign plane_totals[AccBits*m +: AccBits] = pixel_total;
    end
  end

  // Of sweeps sums are read by the tags of their pixels.
  if (Sweep > 0) begin : gen_sweep_array
    localparam int PixelBits = $clog2(Sweep);
    logic [PixelBits-1:0] window_pixel, read_pixel;
    logic [1:0]           reads_q;

    delay_line #(.Width(PixelBits), .Cycles(WindowLatency)) u_pixel (
      .clk_i, .data_i(PixelBits'(pixel)), .data_o(window_pixel)
    );
    delay_line #(.Width(PixelBits), .Cycles(2)) u_read_pixel (
      .clk_i, .data_i(PixelBits'(tile_pixel)), .data_o(read_pixel)
    );
    always_ff @(posedge clk_i) reads_q <= interior_rst_n ? {reads_q[0], tile_read} : '0;

    sweep_array #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Planes(Planes),
      .Widths(Widths),
      .AccBits(AccBits),
      .Pixels(Sweep),
      .DspOutputs(DspOutputs)
    ) u_sweep_array (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(window_valid),
      .first_i(window_first),
      .last_i(window_last),
      .shift_i(1'b0),
      .top_i(1'b1),
      .width_i(2'($clog2(Widths))),
      .pixel_i(window_pixel),
      .x_i(windows),
      .w_i(plane_weights),
      .read_i(reads_q[1]),
      .read_pixel_i(read_pixel),
      .valid_o(plane_sums_valid[0]),
      .sums_o(plane_sums)
    );
    assign plane_totals = '0;

    logic unused_pixels;
    assign unused_pixels = ^{pixel, tile_pixel, to_planes};
  end

  if (HasBytes == 0) begin : gen_no_bytes
    logic unused_bytes;
    assign unused_bytes = to_bytes;
    assign {byte_sums_valid, byte_sums} = '0;
  end
  if (Planes == 0) begin : gen_bytes_alone
    logic unused_to_planes;
    assign unused_to_planes = ^{to_planes, plane_weights};
    assign {plane_sums_valid, plane_sums, plane_totals} = '0;
  end

  assign sums_valid = byte_sums_valid[0] || plane_sums_valid[0];
  assign sums = HasBytes == 0 || plane_sums_valid[0] ? plane_sums : byte_sums;
  assign totals = HasBytes == 0 || plane_sums_valid[0] ? plane_totals : '0;

  logic                  maximum_valid;
  logic [8*Channels-1:0] maximum;

  if (Sweep == 0) begin : gen_max_pool
    max_pool #(.Channels(Channels), .Lanes(Banks), .Widths(Widths)) u_max_pool (
      .clk_i,
      .rst_ni(interior_rst_n),
      .valid_i(window_valid && window_max_pool),
      .first_i(window_first),
      .last_i(window_last),
      .lanes_i(window_lanes),
      .width_i(window_width),
      .window_i(windows[8*Window-1:0]),
      .valid_o(maximum_valid),
      .y_o(maximum)
    );
  end else begin : gen_no_max_pool
    logic unused_maximum;
    assign {maximum_valid, maximum} = '0;
    assign unused_maximum = ^{window_max_pool, window_lanes, window_width};
  end

  // Results.
  logic                 push, push_final;
  logic [5:0]           push_valid;
  logic [8*Outputs-1:0] push_word;

  array_results #(
    .Outputs(Outputs),
    .Channels(Channels),
    .Results(Results),
    .AccBits(AccBits),
    .SumBits(SumBits),
    .SumLatency(WindowLatency + DotLatency),
    .PoolLatency(WindowLatency + PoolLatency),
    .Writeback(Writeback),
    .ParamDepth(ParamDepth),
    .SkipDepth(SkipDepth),
    .Layers(Layers),
    .Pages(Pages),
    .ParamBlock(Blocks[3] ? 1 : 0),
    .SkipBlock(Blocks[4] ? 1 : 0),
    .Pixels(Pixels),
    .Widths(Widths),
    .ReferenceBits(ReferenceBits),
    .ScaleMultiply(ScaleMultiply),
    .ScaleBits(ScaleBits),
    .BiasBits((Sweep > 0) ? SumBits : 32),
    .Lookup(Lookup),
    .LoadParams((Sweep > 0) ? 1 : 0),
    .ThresholdBits(ThresholdBits),
    .WideSums(WideSums)
  ) u_results (
    .clk_i,
    .rst_ni(interior_rst_n),
    .parameter_we_i(parameters_we),
    .load_i(parameter_load),
    .layer_we_i(layers_we),
    .table_we_i(tables_we),
    .threshold_we_i(thresholds_we),
    .word_i(word),
    .piece_i(piece),
    .data_i(data),
    .tile_i(tile_read),
    .layer_i(layer),
    .max_pool_i(max_pool),
    .to_map_i(to_map),
    .to_stage_i(to_stage && StageResults != 0),
    .to_skip_i(to_skip),
    .to_output_i(to_output),
    .add_i(adds),
    .ends_i(ends),
    .final_i(is_final),
    .valid_i(valid_results),
    .wide_i(wide),
    .width_i(result_width),
    .reference_shift_i(reference_shift),
    .bank_i(tile_bank),
    .columns_i(tile_columns),
    .address_i(tile_address),
    .part_i(part),
    .parameter_i(parameter_address),
    .skip_read_i(skip_read),
    .skip_write_i(skip_write),
    .sums_valid_i(sums_valid),
    .sums_i(sums),
    .totals_i(totals),
    .maximum_i(maximum),
    .map_valid_o(result_valid),
    .map_to_map_o(result_to_map),
    .map_to_stage_o(result_to_stage),
    .map_bank_o(result_bank),
    .map_columns_o(result_columns),
    .map_address_o(result_address),
    .map_parts_o(result_parts),
    .map_word_o(result_word),
    .skip_valid_o(skip_valid),
    .skip_address_o(skip_address),
    .skip_word_o(skip_data),
    .push_o(push),
    .push_final_o(push_final),
    .push_valid_o(push_valid),
    .push_word_o(push_word),
    .step_done_o(step_done)
  );

  // The stage, and the rows that it makes.
  if (StageResults > 0) begin : gen_stage
    logic [ColumnBits-1:0] stage_column_bank;

    assign stage_issue_column_bank = 2'(stage_column_bank);

    depthwise_stage #(
      .Channels(Channels),
      .Banks(Banks),
      .Results(StageResults),
      .Multiplier(StageMultiplier),
      .SumBits(SumBits),
      .PartBits(PartBits),
      .MapDepth(StageMapDepth),
      .WeightDepth(StageWeightDepth),
      .ParamDepth(StageParamDepth),
      .Layers(Layers),
      .Steps(StageSteps),
      .Writeback(StageWriteback),
      .OtherWriteback(Writeback),
      .MapBlock(Blocks[6] ? 1 : 0),
      .WeightBlock(Blocks[8] ? 1 : 0),
      .ParamBlock(Blocks[9] ? 1 : 0),
      .StepBlock(Blocks[10] ? 1 : 0),
      .Pixels(Pixels),
      .ScaleMultiply(ScaleMultiply),
      .ScaleBits(ScaleBits)
    ) u_stage (
      .clk_i,
      .rst_ni(interior_rst_n),
      .start_i(start),
      .steps_i(stage_steps),
      .other_steps_i(steps),
      .weights_we_i(stage_weights_we),
      .parameters_we_i(stage_parameters_we),
      .layers_we_i(stage_layers_we),
      .steps_we_i(stage_steps_we),
      .word_i(word),
      .piece_i(piece),
      .data_i(data),
      .we_i({Parts{result_valid && result_to_stage}} & result_parts),
      .wcolumns_i(result_columns),
      .wbank_i(result_bank[BankBits-1:0]),
      .waddress_i(result_address),
      .wdata_i(result_word),
      .other_done_i(step_done),
      .done_o(stage_step_done),
      .error_o(stage_error),
      .issue_valid_o(stage_issue_valid),
      .issue_first_o(stage_issue_first),
      .issue_last_o(stage_issue_last),
      .issue_weight_o(stage_issue_weight),
      .issue_bank_o(stage_issue_bank),
      .issue_column_bank_o(stage_column_bank),
      .issue_address_o(stage_issue_address),
      .sums_valid_o(stage_sums_valid),
      .sums_o(stage_sums),
      .result_valid_o(stage_result_valid),
      .result_bank_o(stage_result_bank),
      .result_columns_o(stage_result_columns),
      .result_address_o(stage_result_address),
      .result_word_o(stage_result_word)
    );

    for (genvar k = 0; k < Pixels; k++) begin : gen_rows
      line_buffer #(
        .Channels(Channels),
        .PartBits(8 * Channels),
        .Banks(Banks),
        .Depth(StageRowDepth),
        .Block(Blocks[7] ? 1 : 0)
      ) u_rows (
        .clk_i,
        .rst_ni(interior_rst_n),
        .valid_i(issue_valid && read_columns[k] && from_stage),
        .bank_i(issue_bank[BankBits-1:0]),
        .address_i(addresses[16*Banks*k +: 16*Banks]),
        .pad_i(pads[Banks*k +: Banks]),
        .zero_i(zero),
        .window_o(row_windows[8*Window*k +: 8*Window]),
        .we_i(stage_result_valid && stage_result_columns[k]),
        .wbank_i(stage_result_bank[BankBits-1:0]),
        .waddress_i(stage_result_address),
        .wdata_i(stage_result_word)
      );
    end
  end else begin : gen_no_stage
    assign row_windows = '0;
    assign {stage_step_done, stage_error} = '0;
    assign {stage_issue_valid, stage_issue_first, stage_issue_last, stage_issue_weight, stage_issue_bank,
            stage_issue_column_bank, stage_issue_address} = '0;
    assign {stage_sums_valid, stage_sums} = '0;
    assign {stage_result_valid, stage_result_bank, stage_result_columns, stage_result_address,
            stage_result_word} = '0;

    logic unused_stage;
    assign unused_stage = ^{step_done, from_stage, to_stage, result_to_stage, stage_weights_we,
                            stage_parameters_we, stage_layers_we, stage_steps_we};
  end

  value_output #(.Values(Outputs), .Depth(OutputDepth)) u_output (
    .clk_i,
    .rst_ni(interior_rst_n),
    .push_i(push),
    .final_i(push_final),
    .count_i(push_valid),
    .word_i(push_word),
    .m_axis_tdata_o,
    .m_axis_tlast_o,
    .m_axis_tvalid_o,
    .m_axis_tready_i,
    .pop_o(pop),
    .image_done_o(image_done)
  );

  logic unused;
  assign unused = ^{maximum_valid, piece, issue_bank, input_bank, result_bank, stage_result_bank, Blocks,
                    byte_sums_valid, plane_sums_valid, issue_column_bank, stage_issue_column_bank,
                    stage_result_columns};

`ifndef YOSYS
  handshake_check #(.Width(9)) u_check_in (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(m_axis_tvalid_o),
    .ready_i(m_axis_tready_i),
    .data_i({m_axis_tdata_o, m_axis_tlast_o})
  );
`endif

endmodule

`default_nettype wire
