// The array's program, and the walk through it: a table of steps, each a row of some layer's output, and a
// table of layers. A step is OutputColumns x Tiles tiles of K = passes x row groups x kernel columns x channel
// groups windows, innermost last, one window per cycle, and `pause` idle cycles ahead of each tile
// (rtl/array_walk.sv). Step after step, image after image; the last step is number steps_i - 1.
//
// With Sweep > 0 a step is a block of rows, and its walk one by sweeps (rtl/sweep_walk.sv): see the end.
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
//
// Sweeps. The table of steps is read word by word (rtl/step_fetch.sv), so that a step begins 6 cycles after the
// one before at the earliest, the first one 7 cycles after built_i instead of start_i; `wait` is for drains that are not
// over, too, and Writeback counts from a drain's latest pixel (tile_o). Layers have 15 words: 13 [7:0] rows of a
// block - 1 [11:8] code book [12] still: all windows of a pixel's tile have the same weights [31:16] pixels of a
// whole block; 14 [31:16] loads of weights in the layer's stream; word 6's weights are where that begins. Step
// word 0 [31:24]: rows of this block - 1. Entries for the output queue are of a whole block, a result's row is
// its block's first one, and the rows of a block lie one behind the other. The stride is that of rows, too.
// A pass, `pause`, group_mode, `shared` are not there; of what is refused above tiles of few cycles are not, and
// no window is missing; instead refused are max_pool, a stream of no loads or behind the weights, a book at
// Books or beyond, a block of no pixels, or of more than Sweep, a step of more rows than the layer's block.
// Behind stop_i (a bad code) no step and no stream begins until a reset; a step that is walked ends as ever.
// With ZeroDepth > 0 there are marks of sweeps that are left out, a word each, of which data_i's low two bits are
// kept; word 14 [15:0] is the layer's first one, and a step of a layer whose first one is not there is refused.

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
  /// 1: the table of steps, and the marks, are block RAM, 0: LUT-RAM.
  parameter int Block = 1,
  /// M, pixels of a window of a wide layer, and column banks: 1, 2 or 4.
  parameter int Pixels = 1,
  /// 1: there are planes of weights: passes, and all of a layer's word 12.
  parameter int Planes = 0,
  /// Widths of maps: bit c: 8 >> c bits.
  parameter int Widths = 1,
  /// Most pixels of a block; 0: no sweeps, and what is theirs is not used.
  parameter int Sweep = 0,
  /// E: a read of sums sees the beats of so many cycles before.
  parameter int Seen = 9,
  /// Code books.
  parameter int Books = 1,
  /// Marks of sweeps; 0: all sweeps happen.
  parameter int ZeroDepth = 0,
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
  input  logic                        mark_we_i,
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
  // Sweeps: books, streams and tiles of weights
  input  logic                        built_i,
  input  logic                        stop_i,
  input  logic                        tiles_ready_i,
  input  logic                        tile_full_i,
  output logic                        stream_begin_o,
  output logic [15:0]                 stream_base_o,
  output logic [3:0]                  stream_book_o,
  output logic [15:0]                 stream_tiles_o,
  output logic                        copy_o,
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
  output logic [5:0]                  pixel_o,  // of a sweep
  // With the last window of a tile, or a pixel of a drain: where its results go
  output logic                        tile_o,
  output logic [5:0]                  tile_pixel_o,
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
  output logic                        parameter_load_o,  // of sweeps
  output logic [15:0]                 parameter_o,
  output logic [15:0]                 skip_read_o,
  output logic [15:0]                 skip_write_o
);

  localparam int Beats = Outputs / Results;
  localparam int TileBeats = (Stage != 0) ? Beats : Pixels * Beats;
  localparam int LayerPieces = 15;
  localparam int StoredPieces = (Sweep > 0) ? 15 : (Planes != 0) ? 13 : 12;
  localparam int StepPieces = 5;
  localparam int WaitBits = $clog2(Writeback);
  localparam logic [2:0] LastBank = 3'(Banks - 1);

  // Codes that maps may be written by.
  localparam logic [3:0] Written = {Outputs <= 8 * Channels, Outputs <= 4 * Channels, Outputs <= 2 * Channels,
                                    Outputs <= Channels} & 4'(Widths);
  localparam logic [3:0] Known = 4'(Widths);

  // Fetch: a step's words come in the third cycle from go on, its layer's in the fourth; of sweeps in the second
  // and following ones.
  logic                        first, go, fetch;
  logic                        ready_q, layer_read, fetched;
  logic [$clog2(Layers)-1:0]   layer_read_index;
  logic [StepBits-1:0]         index_q, fetch_index;
  logic [32*LayerPieces-1:0]   layer_word;
  logic [32*StepPieces-1:0]    step_word;
  logic                        last_step_q;

  assign first = (Sweep > 0) ? built_i : start_i;
  assign fetch = (first && steps_i != '0) || go;
  assign fetch_index = first || last_step_q ? '0 : index_q + 1'b1;

  for (genvar p = 0; p < StoredPieces; p++) begin : gen_layer
    weight_bank #(.Width(32), .Depth(Layers), .ReadLatency(1), .Block(0)) u_words (
      .clk_i,
      .we_i(layer_we_i && piece_i == 12'(p) && 32'(word_i) < Layers),
      .waddr_i(word_i[$clog2(Layers)-1:0]),
      .wdata_i(data_i),
      .re_i(layer_read),
      .raddr_i(layer_read_index),
      .rdata_o(layer_word[32*p +: 32])
    );
  end

  if (StoredPieces < LayerPieces) begin : gen_not_stored
    assign layer_word[32*LayerPieces-1:32*StoredPieces] = '0;
  end

  if (Sweep > 0) begin : gen_step_fetch
    logic [4:0] layer;

    assign layer_read_index = layer[$clog2(Layers)-1:0];

    step_fetch #(.Steps(Steps), .Block(Block)) u_fetch (
      .clk_i,
      .rst_ni,
      .start_i,
      .we_i(step_we_i),
      .word_i,
      .piece_i,
      .data_i,
      .fetch_i(fetch),
      .last_i(last_step_q),
      .read_o(layer_read),
      .layer_o(layer),
      .done_o(fetched),
      .words_o(step_word)
    );

    logic unused_layer;
    assign unused_layer = ^layer;
  end else begin : gen_steps
    logic [2:0] fetching_q;

    assign layer_read = fetching_q[1];
    assign layer_read_index = step_word[$clog2(Layers)-1:0];
    assign fetched = fetching_q[2];

    always_ff @(posedge clk_i) fetching_q <= rst_ni ? {fetching_q[1:0] & {2{!start_i}}, fetch} : '0;
  end

  for (genvar p = 0; p < ((Sweep > 0) ? 0 : StepPieces); p++) begin : gen_step
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
    if (!rst_ni) ready_q <= 1'b0;
    else ready_q <= !fetch && !start_i && (ready_q || fetched);
    if (fetch) begin
      index_q <= fetch_index;
      last_step_q <= 16'(fetch_index) == steps_i - 1'b1;
    end
  end

  // Fields of the step that comes next.
  logic        next_max_pool, next_to_output;
  logic [15:0] next_entries, next_need, next_other_need;
  logic        next_wait;

  logic [1:0]  next_width, next_result_width;
  logic        next_writes;

  assign next_width = layer_word[384 +: 2];
  assign next_result_width = layer_word[384+2 +: 2];
  assign next_writes = layer_word[4] || layer_word[32+25];
  assign next_max_pool = Stage == 0 && layer_word[0];
  assign next_to_output = Stage == 0 && layer_word[6];
  assign next_entries = layer_word[32*7+16 +: 16];
  assign next_wait = step_word[8];
  assign next_need = step_word[32+16 +: 16];
  assign next_other_need = step_word[128+16 +: 16];

  // Can it be? Its words are there a cycle before ready_q.
  logic bad_queue, short_tile, bad_width, bad_q;

  assign bad_width = Planes != 0 && (!Known[next_width] || !Known[next_result_width] ||
                                     (next_writes && !Written[next_result_width]));

  // And of sweeps.
  logic [11:0] columns;
  logic        bad_sweep;

  if (Sweep > 0) begin : gen_sweep_check
    logic [15:0] pixels;

    assign pixels = layer_word[416+16 +: 16];
    assign columns = 12'(pixels - 1'b1);
    assign bad_sweep = layer_word[0] || layer_word[448+16 +: 16] == '0 ||
        32'(layer_word[192 +: 16]) >= WeightDepth || 32'(layer_word[416+8 +: 4]) >= Books ||
        pixels == '0 || 32'(pixels) > Sweep || step_word[24 +: 8] > layer_word[416 +: 8] ||
        (ZeroDepth > 0 && 32'(layer_word[448 +: 16]) >= ZeroDepth);
  end else begin : gen_no_sweep_check
    assign columns = layer_word[160 +: 12];
    assign bad_sweep = 1'b0;
  end

  array_step_check #(
    .Beats(TileBeats),
    .OutputDepth(OutputDepth),
    .Passes((Planes != 0 && Sweep == 0) ? 1 : 0)
  ) u_check (
    .row_groups_i(layer_word[16 +: 8]),
    .kernel_columns_i(layer_word[24 +: 8]),
    .channel_groups_i(layer_word[64+16 +: 8]),
    .passes_i(layer_word[384+4 +: 3]),
    .pause_i(layer_word[64+24 +: 8]),
    .columns_i(columns),
    .tiles_i(layer_word[160+12 +: 8]),
    .entries_i(next_entries),
    .short_tile_o(short_tile),
    .bad_entries_o(bad_queue)
  );

  always_ff @(posedge clk_i) begin
    bad_q <= 32'(step_word[5:0]) >= Layers || step_word[12 +: 3] > LastBank || step_word[16 +: 3] > LastBank ||
        next_need > 16'(rows_i) || next_other_need > other_steps_i || (next_to_output && bad_queue) ||
        (Sweep == 0 && !next_max_pool && short_tile) || bad_width || bad_sweep;
  end

  // What it waits for.
  logic [WaitBits-1:0] drain_q;
  logic signed [16:0]  available_q, other_done_q;
  logic [15:0]         pending_q;
  logic                may_go, walking, step_ends, missing, draining, results;
  logic                stopped_q, refuses, refused_q;

  assign may_go = ready_q && !bad_q && !stopped_q && (!next_wait || (drain_q == '0 && !results && !draining)) &&
      (next_need == '0 || available_q >= $signed({1'b0, next_need})) &&
      (next_other_need == '0 || other_done_q >= $signed({1'b0, next_other_need})) &&
      (!next_to_output || 17'(pending_q) + 17'(next_entries) <= 17'(OutputDepth));
  assign go = may_go && (!walking || step_ends) && !start_i;
  assign refuses = ready_q && bad_q && !stopped_q && (!walking || step_ends) && !start_i;
  assign error_o = refused_q || missing;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || start_i) begin
      drain_q <= '0;
      available_q <= '0;
      pending_q <= '0;
      stopped_q <= 1'b0;
      refused_q <= 1'b0;
    end else begin
      drain_q <= results ? WaitBits'(Writeback - 2) : drain_q - WaitBits'(drain_q != '0);
      available_q <= available_q + 17'(row_done_i) - (go && last_step_q ? 17'(rows_i) : '0);
      pending_q <= pending_q + (go && next_to_output ? next_entries : '0) - 16'(pop_i);
      stopped_q <= stopped_q || refuses || missing || (Sweep > 0 && stop_i);
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
  assign free_o = step_ends;

  if (Sweep > 0) begin : gen_sweep_walk
    localparam int PixelBits = $clog2(Sweep);
    logic [PixelBits-1:0] pixel, tile_pixel;

    assign pixel_o = 6'(pixel);
    assign tile_pixel_o = 6'(tile_pixel);
    assign results = tile_o;
    assign missing = 1'b0;
    assign {max_pool_o, from_stage_o, to_stage_o, shift_o, wide_o, bank_o, column_bank_o, result_bank_o,
            reference_shift_o} = '0;
    assign {top_o, planes_o, columns_o, lanes_o, result_columns_o} = '1;
    assign width_o = 2'($clog2(Widths));
    assign result_width_o = 2'($clog2(Widths));
    assign first_address_o = address_o;

    sweep_walk #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Results(Results),
      .Sweep(Sweep),
      .Widths(Widths),
      .Seen(Seen),
      .ZeroDepth(ZeroDepth),
      .Block(Block)
    ) u_walk (
      .clk_i,
      .rst_ni,
      .start_i,
      .mark_we_i,
      .word_i,
      .data_i(data_i[1:0]),
      .ready_i(ready_q && !bad_q && !stopped_q),
      .go_i(go),
      .layer_word_i(layer_word),
      .step_word_i(step_word),
      .last_step_i(last_step_q),
      .walking_o(walking),
      .step_ends_o(step_ends),
      .draining_o(draining),
      .free_rows_o,
      .tiles_ready_i,
      .tile_full_i,
      .stream_begin_o,
      .stream_base_o,
      .stream_book_o,
      .stream_tiles_o,
      .copy_o,
      .issue_o,
      .first_o,
      .last_o,
      .pixel_o(pixel),
      .weight_o,
      .from_input_o,
      .address_o,
      .pad_o,
      .zero_o,
      .read_o(tile_o),
      .read_pixel_o(tile_pixel),
      .layer_o,
      .to_map_o,
      .to_skip_o,
      .to_output_o,
      .add_o,
      .ends_o,
      .final_o,
      .valid_o,
      .result_address_o,
      .result_part_o,
      .load_o(parameter_load_o),
      .parameter_o,
      .skip_read_o,
      .skip_write_o
    );

    logic unused_table;
    assign unused_table = ^{short_tile, next_max_pool};
  end else begin : gen_walk
    assign tile_o = issue_o && last_o;
    assign results = issue_o;
    assign draining = 1'b0;
    assign {stream_begin_o, stream_base_o, stream_book_o, stream_tiles_o, copy_o, pixel_o, tile_pixel_o} = '0;
    assign parameter_load_o = 1'b0;

    array_walk #(
      .Outputs(Outputs),
      .Channels(Channels),
      .Banks(Banks),
      .Results(Results),
      .WeightDepth(WeightDepth),
      .ParamDepth(ParamDepth),
      .SkipDepth(SkipDepth),
      .Stage(Stage),
      .Pixels(Pixels),
      .Planes(Planes),
      .Widths(Widths)
    ) u_walk (
      .clk_i,
      .rst_ni,
      .start_i,
      .go_i(go),
      .layer_word_i(layer_word[415:0]),
      .step_word_i(step_word),
      .last_step_i(last_step_q),
      .walking_o(walking),
      .step_ends_o(step_ends),
      .missing_o(missing),
      .free_rows_o,
      .issue_o,
      .first_o,
      .last_o,
      .top_o,
      .shift_o,
      .width_o,
      .planes_o,
      .weight_o,
      .from_input_o,
      .from_stage_o,
      .max_pool_o,
      .bank_o,
      .column_bank_o,
      .columns_o,
      .address_o,
      .pad_o,
      .first_address_o,
      .lanes_o,
      .zero_o,
      .layer_o,
      .to_map_o,
      .to_stage_o,
      .to_skip_o,
      .to_output_o,
      .add_o,
      .ends_o,
      .final_o,
      .valid_o,
      .wide_o,
      .result_width_o,
      .reference_shift_o,
      .result_bank_o,
      .result_columns_o,
      .result_address_o,
      .result_part_o,
      .parameter_o,
      .skip_read_o,
      .skip_write_o
    );

    logic unused_sweep;
    assign unused_sweep = ^{built_i, stop_i, tiles_ready_i, tile_full_i, mark_we_i};
  end

  logic unused;
  assign unused = ^{layer_word, step_word, next_writes, bad_width};

endmodule

`default_nettype wire
