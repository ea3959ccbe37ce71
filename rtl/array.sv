// Convolution networks on a P x S x T array of dot products: each cycle a window of T rows (or T groups of
// channels) of S channels meets the weights of P outputs. Maps lie in banks by rows (rtl/line_buffer.sv), the
// input image in banks of its own (rtl/pixel_loader.sv fills them), sums become outputs on their way back
// (rtl/array_results.sv), and a table of steps (rtl/array_scheduler.sv) says which row of which layer comes
// next; inside nothing waits once a step has begun. The next image comes in while one is computed.
//
// A window issued in cycle i is at the dot products in i + 4, its tile's sums are there in i + 4 + D with
// D = 4 + ceil(log2(T S)), and its results are written in i + W with W = 22 + D + P / R. Values come in one
// per beat, 8 bits, TLAST on an image's last; results leave one per beat, signed, TLAST on the last one of an
// image. Registers and errors: rtl/array_control.sv.

`default_nettype none

module array #(
  /// P, outputs per tile: 2 to 32, a power of two.
  parameter int Outputs = 8,
  /// S, channels of a word: a power of two, 4 to 32, P at least.
  parameter int Channels = 16,
  /// T, banks: 1 to 7.
  parameter int Banks = 3,
  /// R, results per cycle, of P.
  parameter int Results = 4,
  /// 0 lut, 1 dsp_pairs.
  parameter int Multiplier = 1,
  /// Bits of a sum and its bias: 25 to 32.
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
  parameter int Pages = 4
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

  localparam int AccBits = 25;
  localparam int Window = Banks * Channels;  // bytes
  localparam int Parts = Channels / Outputs;
  localparam int WindowLatency = 4;
  localparam int DotLatency = 4 + $clog2(Window);
  localparam int PoolLatency = 3;
  localparam int Writeback = 22 + DotLatency + Outputs / Results;
  localparam int WeightBits = (WeightDepth > 1) ? $clog2(WeightDepth) : 1;
  localparam int BankBits = (Banks > 1) ? $clog2(Banks) : 1;
  localparam int WeightColumns = Outputs * Window / 8;  // of 64 bits

  if (Outputs < 2 || Outputs > 32 || 2 ** $clog2(Outputs) != Outputs || Channels % Outputs != 0) begin :
      gen_bad_outputs
    outputs_must_be_a_power_of_two_of_2_to_32_and_divide_channels u_error ();
  end
  if (Results < 1 || Outputs % Results != 0) begin : gen_bad_results
    results_must_divide_outputs u_error ();
  end
  if (Layers < 2 || Layers > 32) begin : gen_bad_layers
    layers_must_be_2_to_32 u_error ();
  end

  // Nets that lockstep reads, too: array.vlt.
  logic                          interior_rst_n, start;
  logic [1:0]                    status;
  logic                          issue_valid, issue_first, issue_last;
  logic [15:0]                   issue_weight;
  logic [2:0]                    issue_bank;
  logic [16*Banks-1:0]           issue_addresses;
  logic [15:0]                   issue_address;
  logic                          sums_valid;
  logic [AccBits*Outputs-1:0]    sums;
  logic                          result_valid;
  logic [2:0]                    result_bank;
  logic [15:0]                   result_address;
  logic [Parts-1:0]              result_parts;
  logic [8*Channels-1:0]         result_word;
  logic                          skip_valid;
  logic [15:0]                   skip_address;
  logic [8*Outputs-1:0]          skip_data;

  logic [11:0] columns, rows, channels;
  logic [3:0]  kernel_columns, left, stride, right;
  logic [7:0]  input_zero;
  logic [15:0] pitch, steps, word;
  logic        weights_we, parameters_we, layers_we, steps_we, tables_we;
  logic [11:0] piece;
  logic [31:0] data;
  logic        image_begins, image_done, input_error;

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
    .Pages(Pages)
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
    .pitch_o(pitch),
    .steps_o(steps),
    .weights_we_o(weights_we),
    .parameters_we_o(parameters_we),
    .layers_we_o(layers_we),
    .steps_we_o(steps_we),
    .tables_we_o(tables_we),
    .word_o(word),
    .piece_o(piece),
    .data_o(data),
    .value_i(s_axis_tvalid_i && s_axis_tready_o),
    .begin_i(image_begins),
    .done_i(image_done),
    .input_error_i(input_error)
  );

  // The image.
  logic                  input_we, row_done, free;
  logic [2:0]            input_bank;
  logic [15:0]           input_address, free_rows;
  logic [8*Channels-1:0] input_word;

  pixel_loader #(.Banks(Banks), .Channels(Channels)) u_loader (
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
    .pitch_i(pitch),
    .free_i(free),
    .free_rows_i(free_rows),
    .s_axis_tdata_i,
    .s_axis_tlast_i,
    .s_axis_tvalid_i,
    .s_axis_tready_o,
    .we_o(input_we),
    .bank_o(input_bank),
    .address_o(input_address),
    .data_o(input_word),
    .begin_o(image_begins),
    .row_done_o(row_done),
    .error_o(input_error)
  );

  // The program.
  logic             from_input, max_pool, pop;
  logic [Banks-1:0] pads, lanes;
  logic [7:0]       zero;
  logic [4:0]       layer, part;
  logic             to_map, to_skip, to_output, adds, is_final;
  logic [5:0]       valid_results;
  logic [2:0]       tile_bank;
  logic [15:0]      tile_address, parameter_address, skip_read, skip_write;

  array_scheduler #(
    .Outputs(Outputs),
    .Channels(Channels),
    .Banks(Banks),
    .Results(Results),
    .Writeback(Writeback),
    .OutputDepth(OutputDepth),
    .Layers(Layers),
    .Steps(Steps)
  ) u_scheduler (
    .clk_i,
    .rst_ni(interior_rst_n),
    .start_i(start),
    .steps_i(steps),
    .rows_i(rows),
    .layer_we_i(layers_we),
    .step_we_i(steps_we),
    .word_i(word),
    .piece_i(piece[3:0]),
    .data_i(data),
    .row_done_i(row_done),
    .pop_i(pop),
    .free_o(free),
    .free_rows_o(free_rows),
    .issue_o(issue_valid),
    .first_o(issue_first),
    .last_o(issue_last),
    .weight_o(issue_weight),
    .from_input_o(from_input),
    .max_pool_o(max_pool),
    .bank_o(issue_bank),
    .address_o(issue_addresses),
    .pad_o(pads),
    .lanes_o(lanes),
    .zero_o(zero),
    .layer_o(layer),
    .to_map_o(to_map),
    .to_skip_o(to_skip),
    .to_output_o(to_output),
    .add_o(adds),
    .final_o(is_final),
    .valid_o(valid_results),
    .result_bank_o(tile_bank),
    .result_address_o(tile_address),
    .result_part_o(part),
    .parameter_o(parameter_address),
    .skip_read_o(skip_read),
    .skip_write_o(skip_write)
  );

  assign issue_address = issue_addresses[15:0];

  // Windows: of one of both, the other one's is 0.
  logic [8*Window-1:0] input_window, map_window, window;

  line_buffer #(.Channels(Channels), .Outputs(Channels), .Banks(Banks), .Depth(InputDepth)) u_input (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(issue_valid && from_input),
    .bank_i(issue_bank[BankBits-1:0]),
    .address_i(issue_addresses),
    .pad_i(pads),
    .zero_i(zero),
    .window_o(input_window),
    .we_i(input_we),
    .wbank_i(input_bank[BankBits-1:0]),
    .waddress_i(input_address),
    .wdata_i(input_word)
  );

  line_buffer #(.Channels(Channels), .Outputs(Outputs), .Banks(Banks), .Depth(MapDepth)) u_map (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(issue_valid && !from_input),
    .bank_i(issue_bank[BankBits-1:0]),
    .address_i(issue_addresses),
    .pad_i(pads),
    .zero_i(zero),
    .window_o(map_window),
    .we_i({Parts{result_valid}} & result_parts),
    .wbank_i(result_bank[BankBits-1:0]),
    .waddress_i(result_address),
    .wdata_i(result_word)
  );

  assign window = input_window | map_window;

  // Weights: as late as the window.
  logic [64*WeightColumns-1:0] weights, weights_q;
  logic [31:0]                 low_piece_q;
  logic [15:0]                 weight_address_q;
  logic                        weight_read_q;

  always_ff @(posedge clk_i) begin
    weight_address_q <= issue_weight;
    weight_read_q <= issue_valid && !max_pool;
    weights_q <= weights;
    if (weights_we) low_piece_q <= data;
  end

  for (genvar c = 0; c < WeightColumns; c++) begin : gen_weights
    weight_bank #(.Width(64), .Depth(WeightDepth), .ReadLatency(2), .Block(1)) u_words (
      .clk_i,
      .we_i(weights_we && 32'(piece) == 2 * c + 1 && 32'(word) < WeightDepth),
      .waddr_i(WeightBits'(word)),
      .wdata_i({data, low_piece_q}),
      .re_i(weight_read_q && 32'(weight_address_q) < WeightDepth),
      .raddr_i(WeightBits'(weight_address_q)),
      .rdata_o(weights[64*c +: 64])
    );
  end

  // Sums and maxima.
  logic             window_valid, window_first, window_last, window_max_pool;
  logic [Banks-1:0] window_lanes;
  logic [3:0]       valid_q;

  always_ff @(posedge clk_i) valid_q <= interior_rst_n ? {valid_q[2:0], issue_valid} : '0;
  assign window_valid = valid_q[WindowLatency-1];

  delay_line #(.Width(3 + Banks), .Cycles(WindowLatency)) u_window_tag (
    .clk_i,
    .data_i({issue_first, issue_last, max_pool, lanes}),
    .data_o({window_first, window_last, window_max_pool, window_lanes})
  );

  dot_array #(
    .Outputs(Outputs),
    .Channels(Channels),
    .Lanes(Banks),
    .Multiplier(Multiplier),
    .AccBits(AccBits)
  ) u_dot_array (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(window_valid && !window_max_pool),
    .first_i(window_first),
    .last_i(window_last),
    .x_i(window),
    .w_i(weights_q),
    .valid_o(sums_valid),
    .sums_o(sums)
  );

  logic                  maximum_valid;
  logic [8*Channels-1:0] maximum;

  max_pool #(.Channels(Channels), .Lanes(Banks)) u_max_pool (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(window_valid && window_max_pool),
    .first_i(window_first),
    .last_i(window_last),
    .lanes_i(window_lanes),
    .window_i(window),
    .valid_o(maximum_valid),
    .y_o(maximum)
  );

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
    .Pages(Pages)
  ) u_results (
    .clk_i,
    .rst_ni(interior_rst_n),
    .parameter_we_i(parameters_we),
    .layer_we_i(layers_we),
    .table_we_i(tables_we),
    .word_i(word),
    .piece_i(piece),
    .data_i(data),
    .tile_i(issue_valid && issue_last),
    .layer_i(layer),
    .max_pool_i(max_pool),
    .to_map_i(to_map),
    .to_skip_i(to_skip),
    .to_output_i(to_output),
    .add_i(adds),
    .final_i(is_final),
    .valid_i(valid_results),
    .bank_i(tile_bank),
    .address_i(tile_address),
    .part_i(part),
    .parameter_i(parameter_address),
    .skip_read_i(skip_read),
    .skip_write_i(skip_write),
    .sums_valid_i(sums_valid),
    .sums_i(sums),
    .maximum_i(maximum),
    .map_valid_o(result_valid),
    .map_bank_o(result_bank),
    .map_address_o(result_address),
    .map_parts_o(result_parts),
    .map_word_o(result_word),
    .skip_valid_o(skip_valid),
    .skip_address_o(skip_address),
    .skip_word_o(skip_data),
    .push_o(push),
    .push_final_o(push_final),
    .push_valid_o(push_valid),
    .push_word_o(push_word)
  );

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
  assign unused = ^{maximum_valid, piece, issue_bank, input_bank, result_bank};

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
