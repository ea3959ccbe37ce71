// Depthwise layers beside the array: a second, small engine with a table of steps of its own. Its windows
// come from maps that the array writes, a product for each byte of a window; its results, whole words of
// Channels bytes, go into rows that the array reads. It is the array's scheduler, its way of results, and
// the layout of its maps with P = S: rtl/array_scheduler.sv has the records and when a step begins, and
// waits for the array's steps instead of the image's rows. Both run on until a step needs what the other one
// has not done. Where the array has column banks its maps have, too, and its rows: it reads and writes one
// column at a time.
//
// A window issued in cycle i is at the products in i + 4, its tile's sums are there in i + 4 + D with D = 4
// + ceil(log2(T)), and its results are written in i + W with W = 22 + D + S / Rs; done_o comes with a step's
// last one.

`default_nettype none

module depthwise_stage #(
  /// S, channels of a word, and T, banks: S * T a multiple of 8.
  parameter int Channels = 16,
  parameter int Banks = 3,
  /// Rs, results per cycle: divides Channels.
  parameter int Results = 4,
  /// 0 lut, 1 dsp.
  parameter int Multiplier = 1,
  /// Bits of a sum and its bias.
  parameter int SumBits = 25,
  /// Bits of a part of a word in which the array writes.
  parameter int PartBits = 64,
  /// Words of a bank of its maps; windows with weights, beats with parameters; layers and steps.
  parameter int MapDepth = 512,
  parameter int WeightDepth = 256,
  parameter int ParamDepth = 128,
  parameter int Layers = 32,
  parameter int Steps = 512,
  /// W, and the array's.
  parameter int Writeback = 32,
  parameter int OtherWriteback = 34,
  /// 1: block RAM, 0: LUT-RAM, of maps, weights, parameters, steps.
  parameter int MapBlock = 1,
  parameter int WeightBlock = 1,
  parameter int ParamBlock = 1,
  parameter int StepBlock = 1,
  /// M, column banks: 1, 2 or 4.
  parameter int Pixels = 1,
  /// 0: scalers shift alone.
  parameter int ScaleMultiply = 1,
  /// Bits of a multiplier that are kept.
  parameter int ScaleBits = 31,
  localparam int Parts = 8 * Channels / PartBits,
  localparam int BankBits = (Banks > 1) ? $clog2(Banks) : 1,
  localparam int ColumnBits = (Pixels > 1) ? $clog2(Pixels) : 1,
  localparam int AccBits = 25
) (
  input  logic                               clk_i,
  input  logic                               rst_ni,
  input  logic                               start_i,
  input  logic [15:0]                        steps_i,
  input  logic [15:0]                        other_steps_i,
  // Tables
  input  logic                               weights_we_i,
  input  logic                               parameters_we_i,
  input  logic                               layers_we_i,
  input  logic                               steps_we_i,
  input  logic [15:0]                        word_i,
  input  logic [11:0]                        piece_i,
  input  logic [31:0]                        data_i,
  // The array's results, into the maps, and its steps
  input  logic [Parts-1:0]                   we_i,  // where wcolumns_i names the column bank
  input  logic [Pixels-1:0]                  wcolumns_i,
  input  logic [BankBits-1:0]                wbank_i,
  input  logic [15:0]                        waddress_i,
  input  logic [8*Channels*Pixels-1:0]       wdata_i,
  input  logic                               other_done_i,
  output logic                               done_o,
  output logic                               error_o,
  // Windows, sums
  output logic                               issue_valid_o,
  output logic                               issue_first_o,
  output logic                               issue_last_o,
  output logic [15:0]                        issue_weight_o,
  output logic [2:0]                         issue_bank_o,
  output logic [ColumnBits-1:0]              issue_column_bank_o,
  output logic [15:0]                        issue_address_o,
  output logic                               sums_valid_o,
  output logic [AccBits*Channels-1:0]        sums_o,
  // Results
  output logic                               result_valid_o,
  output logic [2:0]                         result_bank_o,
  output logic [Pixels-1:0]                  result_columns_o,
  output logic [15:0]                        result_address_o,
  output logic [8*Channels-1:0]              result_word_o
);

  if (Results < 1 || Channels % Results != 0) begin : gen_bad_results
    results_must_divide_channels u_error ();
  end
  if (Banks * Channels % 8 != 0) begin : gen_bad_window
    banks_times_channels_must_be_a_multiple_of_8 u_error ();
  end

  localparam int Window = Banks * Channels;  // bytes
  localparam int WindowLatency = 4;
  localparam int DotLatency = 4 + $clog2(Banks);
  localparam int WeightBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1;
  localparam int WeightColumns = Window / 8;  // of 64 bits

  // The program.
  logic [16*Banks*Pixels-1:0] addresses;
  logic [Banks*Pixels-1:0]    pads;
  logic                       stream_begin, copy, tile, parameter_load;  // no streams: this is no engine of sweeps
  logic [15:0]                stream_base, stream_tiles;
  logic [3:0]                 stream_book;
  logic [5:0]                 pixel, tile_pixel;
  logic [Banks-1:0]           lanes;
  logic [Pixels-1:0]          columns, tile_columns;
  logic [7:0]                 zero;
  logic [4:0]                 layer, part;
  logic                       to_map, ends, is_final, free;
  logic [5:0]                 valid_results;
  logic [2:0]                 tile_bank;
  logic [15:0]                tile_address, parameter_address, skip_read, skip_write, free_rows;
  logic                       from_input, from_stage, max_pool, to_stage, to_skip, to_output, adds, wide;
  logic                       top, shift, planes;
  logic [1:0]                 width, result_width;
  logic [2:0]                 reference_shift;

  array_scheduler #(
    .Outputs(Channels),
    .Channels(Channels),
    .Banks(Banks),
    .Results(Results),
    .Writeback(Writeback),
    .WeightDepth(WeightDepth),
    .ParamDepth(ParamDepth),
    .SkipDepth(0),
    .OutputDepth(2),
    .Layers(Layers),
    .Steps(Steps),
    .Stage(1),
    .OtherWriteback(OtherWriteback),
    .Block(StepBlock),
    .Pixels(Pixels)
  ) u_scheduler (
    .clk_i,
    .rst_ni,
    .start_i,
    .steps_i,
    .rows_i(12'd0),
    .other_steps_i,
    .layer_we_i(layers_we_i),
    .step_we_i(steps_we_i),
    .mark_we_i(1'b0),
    .word_i,
    .piece_i,
    .data_i,
    .row_done_i(1'b0),
    .other_done_i,
    .pop_i(1'b0),
    .free_o(free),
    .free_rows_o(free_rows),
    .error_o,
    .built_i(1'b0),
    .stop_i(1'b0),
    .tiles_ready_i(1'b0),
    .tile_full_i(1'b0),
    .stream_begin_o(stream_begin),
    .stream_base_o(stream_base),
    .stream_book_o(stream_book),
    .stream_tiles_o(stream_tiles),
    .copy_o(copy),
    .issue_o(issue_valid_o),
    .first_o(issue_first_o),
    .last_o(issue_last_o),
    .top_o(top),
    .shift_o(shift),
    .width_o(width),
    .planes_o(planes),
    .weight_o(issue_weight_o),
    .from_input_o(from_input),
    .from_stage_o(from_stage),
    .max_pool_o(max_pool),
    .bank_o(issue_bank_o),
    .column_bank_o(issue_column_bank_o),
    .columns_o(columns),
    .address_o(addresses),
    .pad_o(pads),
    .first_address_o(issue_address_o),
    .lanes_o(lanes),
    .zero_o(zero),
    .pixel_o(pixel),
    .tile_o(tile),
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

  // Windows: of one column bank, the others' are 0.
  logic [8*Window*Pixels-1:0] windows;
  logic [8*Window-1:0]        window;

  for (genvar k = 0; k < Pixels; k++) begin : gen_column
    line_buffer #(
      .Channels(Channels),
      .PartBits(PartBits),
      .Banks(Banks),
      .Depth(MapDepth),
      .Block(MapBlock)
    ) u_map (
      .clk_i,
      .rst_ni,
      .valid_i(issue_valid_o && columns[k]),
      .bank_i(issue_bank_o[BankBits-1:0]),
      .address_i(addresses[16*Banks*k +: 16*Banks]),
      .pad_i(pads[Banks*k +: Banks]),
      .zero_i(zero),
      .window_o(windows[8*Window*k +: 8*Window]),
      .we_i(wcolumns_i[k] ? we_i : '0),
      .wbank_i,
      .waddress_i,
      .wdata_i(wdata_i[8*Channels*k +: 8*Channels])
    );
  end

  always_comb begin
    window = windows[8*Window-1:0];
    for (int k = 1; k < Pixels; k++) window = window | windows[8*Window*k +: 8*Window];
  end

  // Weights: as late as the window.
  logic [64*WeightColumns-1:0] weights, weights_q;
  logic [31:0]                 low_piece_q;
  logic [WeightBits-1:0]       weight_address_q;
  logic                        weight_read_q;

  always_ff @(posedge clk_i) begin
    weight_address_q <= WeightBits'(issue_weight_o);
    weight_read_q <= issue_valid_o;
    weights_q <= weights;
    if (weights_we_i) low_piece_q <= data_i;
  end

  for (genvar c = 0; c < WeightColumns; c++) begin : gen_weights
    weight_bank #(.Width(64), .Depth(WeightDepth), .ReadLatency(2), .Block(WeightBlock)) u_words (
      .clk_i,
      .we_i(weights_we_i && 32'(piece_i) == 2 * c + 1 && 32'(word_i) < WeightDepth),
      .waddr_i(WeightBits'(word_i)),
      .wdata_i({data_i, low_piece_q}),
      .re_i(weight_read_q),
      .raddr_i(weight_address_q),
      .rdata_o(weights[64*c +: 64])
    );
  end

  // Sums.
  logic                     window_first, window_last;
  logic [WindowLatency-1:0] valid_q;

  always_ff @(posedge clk_i) valid_q <= rst_ni ? {valid_q[WindowLatency-2:0], issue_valid_o} : '0;

  delay_line #(.Width(2), .Cycles(WindowLatency)) u_window_tag (
    .clk_i, .data_i({issue_first_o, issue_last_o}), .data_o({window_first, window_last})
  );

  depthwise_array #(.Channels(Channels), .Lanes(Banks), .Multiplier(Multiplier)) u_depthwise_array (
    .clk_i,
    .rst_ni,
    .valid_i(valid_q[WindowLatency-1]),
    .first_i(window_first),
    .last_i(window_last),
    .x_i(window),
    .w_i(weights_q),
    .valid_o(sums_valid_o),
    .sums_o
  );

  // Results.
  logic                  skip_valid, push, push_final, whole, in_rows, in_maps;
  logic [15:0]           skip_address;
  logic [8*Channels-1:0] skip_word, push_word;
  logic [5:0]            push_valid;

  array_results #(
    .Outputs(Channels),
    .Channels(Channels),
    .Results(Results),
    .AccBits(AccBits),
    .SumBits(SumBits),
    .SumLatency(WindowLatency + DotLatency),
    .PoolLatency(Writeback - 1),
    .Writeback(Writeback),
    .ParamDepth(ParamDepth),
    .SkipDepth(2),
    .Layers(Layers),
    .Pages(0),
    .ParamBlock(ParamBlock),
    .Columns(Pixels),
    .ScaleMultiply(ScaleMultiply),
    .ScaleBits(ScaleBits)
  ) u_results (
    .clk_i,
    .rst_ni,
    .parameter_we_i(parameters_we_i),
    .load_i(1'b0),
    .layer_we_i(layers_we_i),
    .table_we_i(1'b0),
    .threshold_we_i(1'b0),
    .word_i,
    .piece_i,
    .data_i,
    .tile_i(tile),
    .layer_i(layer),
    .max_pool_i(1'b0),
    .to_map_i(to_map),
    .to_stage_i(1'b0),
    .to_skip_i(1'b0),
    .to_output_i(1'b0),
    .add_i(1'b0),
    .ends_i(ends),
    .final_i(1'b0),
    .valid_i(6'd0),
    .wide_i(1'b0),
    .width_i(2'd0),
    .reference_shift_i(3'd0),
    .bank_i(tile_bank),
    .columns_i(tile_columns),
    .address_i(tile_address),
    .part_i(5'd0),
    .parameter_i(parameter_address),
    .skip_read_i(16'd0),
    .skip_write_i(16'd0),
    .sums_valid_i(sums_valid_o),
    .sums_i(sums_o),
    .totals_i({AccBits{1'b0}}),
    .maximum_i({Channels{8'd0}}),
    .map_valid_o(result_valid_o),
    .map_to_map_o(in_rows),
    .map_to_stage_o(in_maps),
    .map_bank_o(result_bank_o),
    .map_columns_o(result_columns_o),
    .map_address_o(result_address_o),
    .map_parts_o(whole),
    .map_word_o(result_word_o),
    .skip_valid_o(skip_valid),
    .skip_address_o(skip_address),
    .skip_word_o(skip_word),
    .push_o(push),
    .push_final_o(push_final),
    .push_valid_o(push_valid),
    .push_word_o(push_word),
    .step_done_o(done_o)
  );

  // What only the array has.
  logic unused;
  assign unused = ^{stream_begin, stream_base, stream_book, stream_tiles, copy, pixel, tile_pixel, parameter_load,
                    lanes, free, free_rows, from_input, from_stage, max_pool, to_stage, to_skip,
                    to_output, adds, is_final, valid_results, part, skip_read, skip_write, wide, whole,
                    in_rows, in_maps, skip_valid, skip_address, skip_word, push, push_final, push_valid,
                    push_word, top, shift, planes, width, result_width, reference_shift};

endmodule

`default_nettype wire
