// The array's program, and the walk through it: a table of steps, each a row of some layer's output, and a
// table of layers. A step is OutputColumns x Tiles tiles of K = passes x row groups x kernel columns x channel
// groups windows, innermost last, one window per cycle, and `pause` idle cycles ahead of each tile. Step after
// step, image after image; the last step is number steps_i - 1.
//
// A step begins in the cycle after the step before ends, but not before
//   4 cycles after that one's begin, or 5 cycles after start_i;
//   Writeback cycles after the latest window, where the step waits for results (`wait`);
//   2 cycles after the row_done_i that makes the input rows that it needs whole;
//   2 cycles after the other_done_i of the last step of the other engine that it needs;
//   2 cycles after the pop_i that leaves its results room in the output queue.
// A step that is the image's last one takes that image's rows, and the other engine's steps, from those that
// are there when it begins, and there may be fewer: the next image's needs then count from below 0.
// free_rows_o of the input are needed no more from a step's last window on. The engines are the array and the
// depthwise stage (Stage = 1), which has a scheduler of its own: its layers do not pool, add, nor come from or
// go anywhere but from its maps to its rows, whatever those bits say.
//
// Layer, 13 words: 0 [0] max_pool [1] group_mode [2] depthwise [3] from_input [4] to_map [5] to_skip [6]
// to_output [7] add [15:8] padding [23:16] row groups - 1 [31:24] kernel columns - 1; 1 [11:0] columns W
// [23:12] rows H [24] from_stage [25] to_stage [26] shared: all tiles have the first one's weights [27]
// wide; 2 [11:0] first column, signed [15:12] stride [23:16] channel groups - 1 [31:24] pause; 3 [15:0]
// pitch [31:16] groups G; 4 [15:0] base [31:16] end; 5 [11:0] output columns - 1 [19:12] tiles - 1 [25:20]
// outputs of the last tile [31:26] kernel rows; 6 [15:0] weights [31:16] parameters; 7 [15:0] output groups
// [31:16] output columns x tiles; 8 to 10: rtl/array_results.sv; 11 [15:4] (stride / Pixels) x G [31:16]
// (first column / Pixels) x G, signed, both quotients rounded down; 12 [1:0] code c of the width of the map's
// channels, 8 >> c bits, [3:2] of the results' [6:4] passes - 1 [9:7] shift s of the sums [10] planes: the
// sums are those of planes of weights. Without planes word 12 is not there, and 0.
// Step, 5 words: 0 [5:0] layer [8] wait [14:12] first row mod Banks [18:16] bank of the output row's group
// 0; 1 [12:0] first row, signed [31:16] rows needed; 2 [15:0] slot of that row [31:16] slot of the output
// row; 3 [15:0] skip words read from [31:16] written to; 4 [15:0] rows freed [31:16] steps of the other
// engine needed.
//
// A word of a map has Channels << c channels, and Parts = (Channels << c) / Outputs parts, which are tiles. A
// pass is over all windows of a tile, with weights of its own behind those of the pass before: top_o says that
// it is the first one, shift_o that a later one begins.
//
// Row y, column c, group g of a map lies in bank (y + g) mod Banks of column bank c mod Pixels, at slot(y /
// Banks) + (c / Pixels) * G + g, and slots are a ring, from base to end. Lane j of a window is row first + j
// at one group, or in group mode group + j of one row; lane 0 reads bank bank_o. Lanes outside the map are
// padded; lanes_o counts those that a maximum is of.
//
// The pixels of a window are adjacent columns of the map, pixel 0's in column bank column_bank_o, the
// others' in the next ones and around. A wide layer has Pixels of them, reads and writes all column banks at
// once, and walks Pixels columns at a time: that is its stride, and an output column is Pixels of its map.
// Other layers, and all of the stage's, have pixel 0 alone. Addresses and pads come by column bank.
//
// A step that cannot be is refused instead of begun, as if all that it waits for was there: error_o is 1 in
// the cycle in which it would begin. Such is a step of a layer at Layers or beyond; of a bank at Banks or
// beyond; that needs more rows or steps than an image has; with more results for the output queue than that
// holds, or another number than its layer's columns x tiles; with tiles of fewer cycles than its results
// take to leave (the array's with sums of all Pixels, wide or not), but for maxima; of a width that is not one
// of Widths, or into a map with one by which a tile is more than a word. A window of weights that are not there, or with which its tile would need parameters or a skip word that are not there, is not
// issued: then, too, error_o is 1, and the step ends there, is not done and frees nothing. Behind either no
// step begins until a reset.

`default_nettype none

module array_scheduler #(
  /// P, outputs per tile; S, channels per word; T, banks; R, results per cycle.
  parameter int Outputs = 8,
  parameter int Channels = 16,
  parameter int Banks = 3,
  parameter int Results = 4,
  /// W: from a tile's last window to its results' writes.
  parameter int Writeback = 34,
  /// Words of weights, of parameters, of skips (0: none are read), most entries of the output queue.
  parameter int WeightDepth = 256,
  parameter int ParamDepth = 128,
  parameter int SkipDepth = 2048,
  parameter int OutputDepth = 128,
  /// Most layers (up to 32) and steps.
  parameter int Layers = 32,
  parameter int Steps = 512,
  /// 1: of the depthwise stage.
  parameter int Stage = 0,
  /// W of the other engine; 0: there is none.
  parameter int OtherWriteback = 0,
  /// 1: the table of steps is block RAM, 0: LUT-RAM.
  parameter int Block = 1,
  /// M, pixels of a window of a wide layer, and column banks: 1, 2 or 4.
  parameter int Pixels = 1,
  /// 1: there are planes of weights: passes, and all of a layer's word 12.
  parameter int Planes = 0,
  /// Widths of maps: bit c: 8 >> c bits.
  parameter int Widths = 1,
  localparam int StepBits = $clog2(Steps),
  localparam int ColumnBits = (Pixels > 1) ? $clog2(Pixels) : 1
) (
  input  logic                        clk_i,
  input  logic                        rst_ni,
  input  logic                        start_i,
  input  logic [15:0]                 steps_i,
  input  logic [11:0]                 rows_i,
  input  logic [15:0]                 other_steps_i,
  // Tables: a piece of 32 bits of a word
  input  logic                        layer_we_i,
  input  logic                        step_we_i,
  input  logic [15:0]                 word_i,
  input  logic [11:0]                 piece_i,
  input  logic [31:0]                 data_i,
  // What steps wait for
  input  logic                        row_done_i,
  input  logic                        other_done_i,
  input  logic                        pop_i,
  output logic                        free_o,
  output logic [15:0]                 free_rows_o,
  output logic                        error_o,
  // Windows
  output logic                        issue_o,
  output logic                        first_o,
  output logic                        last_o,
  output logic                        top_o,
  output logic                        shift_o,
  output logic [1:0]                  width_o,
  output logic                        planes_o,
  output logic [15:0]                 weight_o,
  output logic                        from_input_o,
  output logic                        from_stage_o,
  output logic                        max_pool_o,
  output logic [2:0]                  bank_o,
  output logic [ColumnBits-1:0]       column_bank_o,
  output logic [Pixels-1:0]           columns_o,  // column banks that are read
  output logic [16*Banks*Pixels-1:0]  address_o,
  output logic [Banks*Pixels-1:0]     pad_o,
  output logic [15:0]                 first_address_o,  // of pixel 0, lane 0
  output logic [Banks-1:0]            lanes_o,
  output logic [7:0]                  zero_o,
  // With the last window of a tile: where its results go
  output logic [4:0]                  layer_o,
  output logic                        to_map_o,
  output logic                        to_stage_o,
  output logic                        to_skip_o,
  output logic                        to_output_o,
  output logic                        add_o,
  output logic                        ends_o,  // the step's last tile
  output logic                        final_o,  // the image's
  output logic [5:0]                  valid_o,
  output logic                        wide_o,
  output logic [1:0]                  result_width_o,
  output logic [2:0]                  reference_shift_o,
  output logic [2:0]                  result_bank_o,
  output logic [Pixels-1:0]           result_columns_o,
  output logic [15:0]                 result_address_o,
  output logic [4:0]                  result_part_o,
  output logic [15:0]                 parameter_o,
  output logic [15:0]                 skip_read_o,
  output logic [15:0]                 skip_write_o
);

  localparam int Beats = Outputs / Results;
  localparam int TileBeats = (Stage != 0) ? Beats : Pixels * Beats;
  localparam int LayerPieces = 13;
  localparam int StoredPieces = (Planes != 0) ? 13 : 12;
  // Of a word, and at least one.
  localparam int Parts0 = (Channels > Outputs) ? Channels / Outputs : 1;
  localparam int Parts1 = (2 * Channels > Outputs) ? 2 * Channels / Outputs : 1;
  localparam int Parts2 = (4 * Channels > Outputs) ? 4 * Channels / Outputs : 1;
  localparam int Parts3 = (8 * Channels > Outputs) ? 8 * Channels / Outputs : 1;
  localparam int StepPieces = 5;
  localparam int WaitBits = $clog2(Writeback);
  localparam logic [2:0] LastBank = 3'(Banks - 1);

  function automatic logic [2:0] next_bank(input logic [2:0] bank);
    next_bank = bank == LastBank ? '0 : bank + 1'b1;
  endfunction

  // Both are below Banks.
  function automatic logic [2:0] add_banks(input logic [2:0] a, input logic [2:0] b);
    logic [3:0] sum;
    sum = 4'(a) + 4'(b);
    add_banks = 3'(sum >= 4'(Banks) ? sum - 4'(Banks) : sum);
  endfunction

  // The last part of a word, by code.
  function automatic logic [4:0] last_part(input logic [1:0] code);
    last_part = '0;
    if (Widths[0] && (Widths == 1 || code == 2'd0)) last_part = 5'(Parts0 - 1);
    if (Widths[1] && (Widths == 2 || code == 2'd1)) last_part = 5'(Parts1 - 1);
    if (Widths[2] && (Widths == 4 || code == 2'd2)) last_part = 5'(Parts2 - 1);
    if (Widths[3] && (Widths == 8 || code == 2'd3)) last_part = 5'(Parts3 - 1);
  endfunction

  // Codes that maps may be written by.
  localparam logic [3:0] Written = {Outputs <= 8 * Channels, Outputs <= 4 * Channels, Outputs <= 2 * Channels,
                                    Outputs <= Channels} & 4'(Widths);
  localparam logic [3:0] Known = 4'(Widths);

  // Fetch: a step's words come in the third cycle from go on, its layer's in the fourth.
  logic                        go, fetch;
  logic [2:0]                  fetching_q;
  logic                        ready_q;
  logic [StepBits-1:0]         index_q, fetch_index;
  logic [32*LayerPieces-1:0]   layer_word;
  logic [32*StepPieces-1:0]    step_word;
  logic                        last_step_q;

  assign fetch = (start_i && steps_i != '0) || go;
  assign fetch_index = start_i || last_step_q ? '0 : index_q + 1'b1;

  for (genvar p = 0; p < StoredPieces; p++) begin : gen_layer
    weight_bank #(.Width(32), .Depth(Layers), .ReadLatency(1), .Block(0)) u_words (
      .clk_i,
      .we_i(layer_we_i && piece_i == 12'(p) && 32'(word_i) < Layers),
      .waddr_i(word_i[$clog2(Layers)-1:0]),
      .wdata_i(data_i),
      .re_i(fetching_q[1]),
      .raddr_i(step_word[$clog2(Layers)-1:0]),
      .rdata_o(layer_word[32*p +: 32])
    );
  end

  if (StoredPieces < LayerPieces) begin : gen_no_planes
    assign layer_word[32*StoredPieces +: 32] = '0;
  end

  for (genvar p = 0; p < StepPieces; p++) begin : gen_step
    weight_bank #(.Width(32), .Depth(Steps), .ReadLatency(2), .Block(Block)) u_words (
      .clk_i,
      .we_i(step_we_i && piece_i == 12'(p) && 32'(word_i) < Steps),
      .waddr_i(word_i[StepBits-1:0]),
      .wdata_i(data_i),
      .re_i(fetch),
      .raddr_i(fetch_index),
      .rdata_o(step_word[32*p +: 32])
    );
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fetching_q <= '0;
      ready_q <= 1'b0;
    end else begin
      fetching_q <= {fetching_q[1:0] & {2{!start_i}}, fetch};
      ready_q <= !fetch && !start_i && (ready_q || fetching_q[2]);
    end
    if (fetch) begin
      index_q <= fetch_index;
      last_step_q <= 16'(fetch_index) == steps_i - 1'b1;
    end
  end

  // Fields of the step that comes next.
  logic        next_max_pool, next_group_mode, next_depthwise, next_to_output;
  logic [15:0] next_entries, next_need, next_other_need;
  logic        next_wait;

  logic [1:0]  next_width, next_result_width;
  logic        next_writes;

  assign next_width = layer_word[384 +: 2];
  assign next_result_width = layer_word[384+2 +: 2];
  assign next_writes = layer_word[4] || layer_word[32+25];
  assign next_max_pool = Stage == 0 && layer_word[0];
  assign next_group_mode = layer_word[1];
  assign next_depthwise = layer_word[2];
  assign next_to_output = Stage == 0 && layer_word[6];
  assign next_entries = layer_word[32*7+16 +: 16];
  assign next_wait = step_word[8];
  assign next_need = step_word[32+16 +: 16];
  assign next_other_need = step_word[128+16 +: 16];

  // Can it be? Its words are there a cycle before ready_q.
  logic bad_queue, short_tile, bad_width, bad_q;

  assign bad_width = Planes != 0 && (!Known[next_width] || !Known[next_result_width] ||
                                     (next_writes && !Written[next_result_width]));

  array_step_check #(
    .Beats(TileBeats),
    .OutputDepth(OutputDepth),
    .Passes((Planes != 0) ? 1 : 0)
  ) u_check (
    .row_groups_i(layer_word[16 +: 8]),
    .kernel_columns_i(layer_word[24 +: 8]),
    .channel_groups_i(layer_word[64+16 +: 8]),
    .passes_i(layer_word[384+4 +: 3]),
    .pause_i(layer_word[64+24 +: 8]),
    .columns_i(layer_word[160 +: 12]),
    .tiles_i(layer_word[160+12 +: 8]),
    .entries_i(next_entries),
    .short_tile_o(short_tile),
    .bad_entries_o(bad_queue)
  );

  always_ff @(posedge clk_i) begin
    bad_q <= 32'(step_word[5:0]) >= Layers || step_word[12 +: 3] > LastBank || step_word[16 +: 3] > LastBank ||
        next_need > 16'(rows_i) || next_other_need > other_steps_i || (next_to_output && bad_queue) ||
        (!next_max_pool && short_tile) || bad_width;
  end

  // What it waits for.
  logic [WaitBits-1:0] drain_q;
  logic signed [16:0]  available_q, other_done_q;
  logic [15:0]         pending_q;
  logic                may_go, walking_q, step_ends, missing;
  logic                stopped_q, refuses, refused_q;

  assign may_go = ready_q && !bad_q && !stopped_q && (!next_wait || (drain_q == '0 && !issue_o)) &&
      (next_need == '0 || available_q >= $signed({1'b0, next_need})) &&
      (next_other_need == '0 || other_done_q >= $signed({1'b0, next_other_need})) &&
      (!next_to_output || 17'(pending_q) + 17'(next_entries) <= 17'(OutputDepth));
  assign go = may_go && (!walking_q || step_ends) && !start_i;
  assign refuses = ready_q && bad_q && !stopped_q && (!walking_q || step_ends) && !start_i;
  assign error_o = refused_q || missing;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      drain_q <= '0;
      available_q <= '0;
      pending_q <= '0;
      stopped_q <= 1'b0;
      refused_q <= 1'b0;
    end else begin
      drain_q <= issue_o ? WaitBits'(Writeback - 2) : drain_q - WaitBits'(drain_q != '0);
      available_q <= available_q + 17'(row_done_i) - (go && last_step_q ? 17'(rows_i) : '0);
      pending_q <= pending_q + (go && next_to_output ? next_entries : '0) - 16'(pop_i);
      stopped_q <= stopped_q || refuses || missing;
      refused_q <= refuses;
    end
  end

  if (OtherWriteback > 0) begin : gen_other
    // Steps that began before start_i do not count.
    localparam int StaleBits = $clog2(OtherWriteback + 1);
    logic [StaleBits-1:0] stale_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) stale_q <= '0;
      else if (start_i) stale_q <= StaleBits'(OtherWriteback);
      else if (stale_q != '0) stale_q <= stale_q - 1'b1;
      if (!rst_ni || start_i) begin
        other_done_q <= '0;
      end else begin
        other_done_q <= other_done_q + 17'(other_done_i && stale_q == '0) -
            (go && last_step_q ? 17'(other_steps_i) : '0);
      end
    end
  end else begin : gen_alone
    logic unused_done;
    assign unused_done = other_done_i;
    assign other_done_q = '0;
  end

  // The step that is walked.
  logic        max_pool_q, group_mode_q, depthwise_q, from_input_q, from_stage_q, shared_q, wide_q, to_map_q,
               to_stage_q, to_skip_q, to_output_q, add_q, final_q;
  logic [4:0]  layer_q;
  logic [7:0]  zero_q, last_group_row_q, last_kernel_q, last_channel_q, pause_q, last_tile_q;
  logic [11:0] width_q, height_q, last_column_q;
  logic [3:0]  stride_q;
  logic [15:0] pitch_q, groups_q, base_q, end_q, weights_q, parameters_q, output_groups_q, stride_words_q;
  logic [5:0]  last_valid_q, kernel_rows_q;
  logic [2:0]  row_bank_q, output_bank_q;
  logic [15:0] free_q;
  logic [1:0]  read_width_q, result_width_q;
  logic [2:0]  last_pass_q, reference_shift_q;
  logic        planes_q;

  // Counters, and what goes along with them.
  logic [11:0] x_q;
  logic [7:0]  tile_q, row_group_q, kernel_q, channel_q, idle_q;
  logic        idling_q;
  logic signed [12:0] column_q, kernel_column_q;  // of x, of the window
  logic [15:0] column_word_q, kernel_word_q;
  logic signed [12:0] first_row_q, row_q;
  logic [15:0] first_slot_q, slot_q, next_slot;
  logic [2:0]  first_bank_q, bank_q;  // group's share of the bank
  logic [15:0] weight_q, group_q, first_group_q;
  logic [15:0] output_word_q, tile_group_q, parameter_q, skip_read_q, skip_write_q;
  logic [2:0]  tile_bank_q;
  logic [4:0]  part_q;
  logic [5:0]  lanes_left_q;
  logic [2:0]  pass_q;

  logic last_channel, last_kernel, last_row_group, last_pass, last_tile, last_column, pass_begins, tile_ends;

  assign missing = walking_q && !idling_q && !max_pool_q &&
      (32'(weight_q) >= WeightDepth ||
       (last_o && (32'(parameter_q) + 32'(Beats - 1) >= ParamDepth ||
                   (SkipDepth > 0 && add_q && 32'(skip_read_q) >= SkipDepth))));
  assign issue_o = walking_q && !idling_q && !missing;
  assign last_channel = channel_q == last_channel_q;
  assign last_kernel = kernel_q == last_kernel_q;
  assign last_row_group = row_group_q == last_group_row_q;
  assign last_tile = tile_q == last_tile_q;
  assign last_column = x_q == last_column_q;
  assign last_pass = Planes == 0 || pass_q == last_pass_q;
  assign pass_begins = channel_q == '0 && kernel_q == '0 && row_group_q == '0;
  assign top_o = Planes == 0 || pass_q == '0;
  assign first_o = pass_begins && top_o;
  assign shift_o = pass_begins && !top_o;
  assign last_o = last_channel && last_kernel && last_row_group && last_pass;
  assign width_o = read_width_q;
  assign planes_o = planes_q;
  assign tile_ends = issue_o && last_o;
  assign step_ends = tile_ends && last_tile && last_column;
  assign free_o = step_ends;
  assign free_rows_o = free_q;

  // Windows.
  assign next_slot = slot_q + pitch_q == end_q ? base_q : slot_q + pitch_q;
  assign weight_o = weight_q;
  assign from_input_o = from_input_q;
  assign from_stage_o = from_stage_q && !from_input_q;
  assign max_pool_o = max_pool_q;
  assign bank_o = add_banks(row_bank_q, bank_q);
  assign zero_o = zero_q;

  // By column bank: the pixel that it is read for, if any, and whether that is outside of the map.
  logic [ColumnBits-1:0] column_bank;
  logic [Pixels-1:0]     outside_column;
  logic [15:0]           word;
  logic [Banks-1:0]      outside_row;

  assign column_bank = (Pixels > 1) ? kernel_column_q[ColumnBits-1:0] : '0;
  assign column_bank_o = column_bank;
  assign word = kernel_word_q + group_q;

  for (genvar j = 0; j < Banks; j++) begin : gen_lane
    logic signed [13:0] row;
    assign row = 14'(row_q) + (group_mode_q ? '0 : 14'(j));
    assign outside_row[j] = row < 0 || row >= $signed({2'b00, height_q});
    assign lanes_o[j] = !(outside_column[column_bank] || outside_row[j]) && lanes_left_q > 6'(j);
  end

  for (genvar k = 0; k < Pixels; k++) begin : gen_column
    logic signed [13:0]    column;
    logic [ColumnBits-1:0] pixel;
    logic [15:0]           column_word;

    assign pixel = ColumnBits'(k) - column_bank;
    assign column = 14'(kernel_column_q) + ((Pixels > 1) ? 14'(pixel) : '0);
    assign outside_column[k] = column < 0 || column >= $signed({2'b00, width_q});
    assign column_word = word + (32'(column_bank) > k ? groups_q : '0);
    assign columns_o[k] = Pixels == 1 || wide_q || 32'(column_bank) == k;

    for (genvar j = 0; j < Banks; j++) begin : gen_column_lane
      assign pad_o[Banks*k+j] = outside_column[k] || outside_row[j];
      assign address_o[16*(Banks*k+j) +: 16] = column_word + (group_mode_q ? slot_q + 16'(j) :
          4'(row_bank_q) + 4'(j) < 4'(Banks) ? slot_q : next_slot);
    end
  end

  // The last column bank is never behind that of pixel 0.
  assign first_address_o = address_o[16*Banks*(Pixels-1) +: 16];

  // Results.
  assign layer_o = layer_q;
  assign to_map_o = to_map_q;
  assign to_stage_o = to_stage_q;
  assign to_skip_o = to_skip_q;
  assign to_output_o = to_output_q;
  assign add_o = add_q;
  assign ends_o = last_tile && last_column;
  assign final_o = final_q && ends_o;
  assign valid_o = last_tile ? last_valid_q : 6'(Outputs);
  assign wide_o = wide_q;
  assign result_width_o = result_width_q;
  assign reference_shift_o = reference_shift_q;
  assign result_bank_o = add_banks(output_bank_q, tile_bank_q);
  assign result_address_o = output_word_q + tile_group_q;
  assign result_part_o = part_q;
  assign parameter_o = parameter_q;
  assign skip_read_o = skip_read_q;
  assign skip_write_o = skip_write_q;

  logic        group_ends;  // of a tile's channels
  logic [15:0] next_tile_group;
  logic [2:0]  next_tile_bank;

  assign group_ends = max_pool_q || part_q == last_part(result_width_q);
  assign next_tile_group = last_tile ? '0 : tile_group_q + 16'(group_ends);
  assign next_tile_bank = last_tile ? '0 : group_ends ? next_bank(tile_bank_q) : tile_bank_q;

  // Words on from a column to the next ones, and from a result's.
  logic [15:0] kernel_words, column_words, result_words;

  if (Pixels == 1) begin : gen_one
    assign kernel_words = groups_q;
    assign column_words = stride_words_q;
    assign result_words = output_groups_q;
    assign result_columns_o = 1'b1;
  end else begin : gen_more
    logic [ColumnBits-1:0] result_column;
    logic [ColumnBits:0]   next_column;

    assign next_column = (ColumnBits + 1)'(column_q[ColumnBits-1:0]) +
        (ColumnBits + 1)'(stride_q[ColumnBits-1:0]);
    assign kernel_words = column_bank == '1 ? groups_q : '0;
    assign column_words = stride_words_q + (next_column[ColumnBits] ? groups_q : '0);
    assign result_column = x_q[ColumnBits-1:0];
    assign result_words = wide_q || result_column == '1 ? output_groups_q : '0;
    assign result_columns_o = wide_q ? '1 : Pixels'(1) << result_column;
  end

  logic        by_tile;  // each tile has its own group of channels
  logic [15:0] next_read_group;
  logic [2:0]  next_read_bank;

  assign by_tile = depthwise_q || max_pool_q;

  if (Widths == 1 || Widths == 2 || Widths == 4 || Widths == 8) begin : gen_one_width
    assign next_read_group = next_tile_group;
    assign next_read_bank = next_tile_bank;
  end else begin : gen_widths  // the map's words may have other parts than the results'
    logic [4:0] read_part_q;
    logic       read_ends;

    assign read_ends = max_pool_q || read_part_q == last_part(read_width_q);
    assign next_read_group = last_tile ? '0 : first_group_q + 16'(read_ends);
    assign next_read_bank = last_tile ? '0 : read_ends ? next_bank(first_bank_q) : first_bank_q;

    always_ff @(posedge clk_i) begin
      if (go) read_part_q <= '0;
      else if (tile_ends) read_part_q <= last_tile || read_ends ? '0 : read_part_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      walking_q <= 1'b0;
      idling_q <= 1'b0;
    end else begin
      walking_q <= go || (walking_q && !step_ends && !missing);
      idling_q <= go ? layer_word[64+24 +: 8] != '0 :
          idling_q ? idle_q != pause_q : tile_ends && !step_ends && pause_q != '0;
    end
  end

  always_ff @(posedge clk_i) begin
    idle_q <= idling_q ? idle_q + 1'b1 : 8'd1;
    if (go) begin
      max_pool_q <= next_max_pool;
      group_mode_q <= next_group_mode;
      depthwise_q <= next_depthwise;
      from_input_q <= Stage == 0 && layer_word[3];
      from_stage_q <= Stage == 0 && layer_word[32+24];
      shared_q <= layer_word[32+26];
      wide_q <= Stage == 0 && Pixels > 1 && layer_word[32+27];
      to_map_q <= layer_word[4];
      to_stage_q <= Stage == 0 && layer_word[32+25];
      to_skip_q <= Stage == 0 && layer_word[5];
      to_output_q <= next_to_output;
      add_q <= Stage == 0 && layer_word[7];
      zero_q <= layer_word[8 +: 8];
      last_group_row_q <= layer_word[16 +: 8];
      last_kernel_q <= layer_word[24 +: 8];
      width_q <= layer_word[32 +: 12];
      height_q <= layer_word[32+12 +: 12];
      stride_q <= layer_word[64+12 +: 4];
      last_channel_q <= layer_word[64+16 +: 8];
      pause_q <= layer_word[64+24 +: 8];
      pitch_q <= layer_word[96 +: 16];
      groups_q <= layer_word[96+16 +: 16];
      base_q <= layer_word[128 +: 16];
      end_q <= layer_word[128+16 +: 16];
      last_column_q <= layer_word[160 +: 12];
      last_tile_q <= layer_word[160+12 +: 8];
      last_valid_q <= layer_word[160+20 +: 6];
      kernel_rows_q <= layer_word[160+26 +: 6];
      weights_q <= layer_word[192 +: 16];
      parameters_q <= layer_word[192+16 +: 16];
      output_groups_q <= layer_word[224 +: 16];
      stride_words_q <= 16'(layer_word[352+4 +: 12]);
      read_width_q <= next_width;
      result_width_q <= next_result_width;
      last_pass_q <= layer_word[384+4 +: 3];
      reference_shift_q <= layer_word[384+7 +: 3];
      planes_q <= layer_word[384+10];
      layer_q <= step_word[4:0];
      row_bank_q <= step_word[12 +: 3];
      output_bank_q <= step_word[16 +: 3];
      first_row_q <= $signed(step_word[32 +: 13]);
      first_slot_q <= step_word[64 +: 16];
      free_q <= step_word[128 +: 16];
      final_q <= last_step_q;

      x_q <= '0;
      tile_q <= '0;
      row_group_q <= '0;
      kernel_q <= '0;
      channel_q <= '0;
      pass_q <= '0;
      column_q <= 13'($signed(layer_word[64 +: 12]));
      kernel_column_q <= 13'($signed(layer_word[64 +: 12]));
      column_word_q <= layer_word[352+16 +: 16];
      kernel_word_q <= layer_word[352+16 +: 16];
      row_q <= $signed(step_word[32 +: 13]);
      slot_q <= step_word[64 +: 16];
      lanes_left_q <= layer_word[160+26 +: 6];
      group_q <= '0;
      first_group_q <= '0;
      bank_q <= '0;
      first_bank_q <= '0;
      weight_q <= layer_word[192 +: 16];
      output_word_q <= step_word[64+16 +: 16];
      tile_group_q <= '0;
      tile_bank_q <= '0;
      part_q <= '0;
      parameter_q <= layer_word[192+16 +: 16];
      skip_read_q <= step_word[96 +: 16];
      skip_write_q <= step_word[96+16 +: 16];
    end else begin
      if (issue_o) begin
        weight_q <= last_o && (last_tile || shared_q) ? weights_q : weight_q + 1'b1;
        channel_q <= last_channel ? '0 : channel_q + 1'b1;
        if (last_channel) begin
          kernel_q <= last_kernel ? '0 : kernel_q + 1'b1;
          group_q <= first_group_q;
          bank_q <= first_bank_q;
          kernel_column_q <= last_kernel ? column_q : kernel_column_q + 1'b1;
          kernel_word_q <= last_kernel ? column_word_q : kernel_word_q + kernel_words;
          if (last_kernel) begin
            row_group_q <= last_row_group ? '0 : row_group_q + 1'b1;
            if (last_row_group) pass_q <= last_pass ? '0 : pass_q + 1'b1;
            row_q <= last_row_group ? first_row_q : row_q + 13'(Banks);
            slot_q <= last_row_group ? first_slot_q : next_slot;
            lanes_left_q <= last_row_group ? kernel_rows_q :
                lanes_left_q > 6'(Banks) ? lanes_left_q - 6'(Banks) : '0;
          end
        end else if (group_mode_q) begin
          group_q <= group_q + 16'(Banks);
        end else begin
          group_q <= group_q + 1'b1;
          bank_q <= next_bank(bank_q);
        end
      end
      if (tile_ends) begin
        tile_q <= last_tile ? '0 : tile_q + 1'b1;
        tile_group_q <= next_tile_group;
        tile_bank_q <= next_tile_bank;
        part_q <= last_tile || group_ends ? '0 : part_q + 1'b1;
        parameter_q <= last_tile ? parameters_q : parameter_q + 16'(Beats);
        skip_read_q <= skip_read_q + 1'b1;
        skip_write_q <= skip_write_q + 1'b1;
        if (by_tile) begin
          first_group_q <= next_read_group;
          first_bank_q <= next_read_bank;
          group_q <= next_read_group;
          bank_q <= next_read_bank;
        end
        if (last_tile) begin
          x_q <= x_q + 1'b1;
          column_q <= column_q + 13'(stride_q);
          kernel_column_q <= column_q + 13'(stride_q);
          column_word_q <= column_word_q + column_words;
          kernel_word_q <= column_word_q + column_words;
          output_word_q <= output_word_q + result_words;
        end
      end
    end
  end

  logic unused;
  assign unused = ^{layer_word, step_word, next_writes, bad_width, last_pass_q, pass_q};

endmodule

`default_nettype wire
