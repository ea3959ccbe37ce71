// NoisyQuant as eDQA's authors built it to compare with: the step and the offset that a channel of
// W x W values is quantized with are searched for it, online. With M the largest |x| of channel X and
// Q = 2^(Bits-1) - 1, ten steps s = M i / (10 Q), i = 10 down to 1, are tried, each value held in
// +- M i / 10; then, with the best of them, ten offsets c = s j / 5, j = -5 to 4, with nothing held. A
// trial makes X' of X, each value the nearest s q - c to it (halves go down in q), and its loss is the
// mean square of X X' - X X; the least one is the best, of equal ones the first. At last each value's
// code, q = round((x + c) / s) held in -Q - 1 to Q, and what it stands for, s q - c, go out.
//
// All is exact: in units of 1/F of a value, F = 50 Q, a step is 5 M i, an offset M i j, and so every
// error E = X' - X is a whole number; because X X' - X X = X E, neither X X nor X X' is made, and 20
// products of matrices are enough for 20 losses. (The authors' own 21st is X X; their float losses are
// compared with 10^6 first, which these are not.) An offset of -s tries the same X' as one of 0 and comes
// first, so that j = 0 is never found: floats find it by their rounding. A channel of zeros has i = 10,
// j = -5.
//
// Values are the lowest DataBits bits of TDATA, signed, a row behind the other, TLAST on a channel's
// last one. Out of it come as many: TDATA [26:0] s q - c, signed, in units of 1/F, [31:27] q, TLAST.
//
// A run of CHANNELS channels (rtl/noisyquant_control.sv has the registers) begins with a start and is
// done when the last value has left; no value is taken outside one. Online, a value a cycle is taken,
// but none from a channel's last one on until its output begins, and then none before the one in its
// place was read for output. If the last value comes in cycle c, T = 10 W W ceil(W / Multipliers), R is
// the rows of the last group of Multipliers rows of W, and L = 5 + ceil(log2(10 Q + 2)):
//   c + 2 ...                         T cycles of trials of steps, an error a cycle,
//   V = L + R + 9                     cycles later the last verdict stands, two cycles later
//                                     T of offsets, V, and another two cycles later
//   c + 2 T + 2 V + 4 ...             each value is read, and offered L + 2 cycles later,
// whatever the values are. Offline, a value is quantized with STEP and OFFSET and offered L + 1 cycles
// after it came, one a cycle. A value is read (offline: taken) while fewer than 16 are on their way.
//
// Errors: TLAST on another value than a channel's last (1), none on that one (2). It stands in STATUS
// from the next cycle on; in that one TREADY falls, until a reset. The value, and online its channel, is
// dropped, what came before leaves. A reset, also by CONTROL, forgets all channels inside; in its cycles
// neither stream has a beat.

`default_nettype none

module noisyquant #(
  /// Largest W, 2 to 64.
  parameter int MaxWidth = 56,
  /// Multiply-accumulators, 1 to MaxWidth.
  parameter int Multipliers = 56,
  /// Bits of a code, 2 to 5.
  parameter int Bits = 3,
  /// Bits of a value, 8 to 16.
  parameter int DataBits = 16
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  // AXI4-Lite: control, status, what was found
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
  // AXI4-Stream: values
  input  logic [15:0] s_axis_tdata_i,
  input  logic        s_axis_tlast_i,
  input  logic        s_axis_tvalid_i,
  output logic        s_axis_tready_o,
  // AXI4-Stream: codes and what they stand for
  output logic [31:0] m_axis_tdata_o,
  output logic        m_axis_tlast_o,
  output logic        m_axis_tvalid_o,
  input  logic        m_axis_tready_i
);

  localparam int Most = 2 ** (Bits - 1) - 1;
  localparam int Trials = 10;
  localparam int WidthBits = $clog2(MaxWidth + 1);
  localparam int Values = MaxWidth * MaxWidth;
  localparam int AddrBits = $clog2(Values);
  localparam int BankDepth = MaxWidth * ((MaxWidth + Multipliers - 1) / Multipliers);
  localparam int BankBits = $clog2(BankDepth);
  localparam int LaneBits = (Multipliers > 1) ? $clog2(Multipliers) : 1;
  localparam int RowBits = $clog2(Multipliers + 1);
  localparam int FifthBits = DataBits + 3;
  localparam int StepBits = DataBits + 5;
  localparam int OffsetBits = DataBits + 6;
  localparam int ErrorBits = DataBits + $clog2(45 * Most);
  localparam int SumBits = DataBits + ErrorBits - 1 + $clog2(MaxWidth);
  localparam int CountBits = 2 * $clog2(MaxWidth);
  localparam int LossBits = 2 * (SumBits - 1) + CountBits;
  localparam logic [1:0] StatusIdle = 2'd0, StatusRunning = 2'd1, StatusDone = 2'd2,
      StatusError = 2'd3;
  localparam logic [1:0] Clip = 2'd0, Free = 2'd1, Code = 2'd2;

  if (MaxWidth < 2 || MaxWidth > 64) begin : gen_bad_max_width
    max_width_must_be_2_to_64 u_error ();
  end
  if (Multipliers < 1 || Multipliers > MaxWidth) begin : gen_bad_multipliers
    multipliers_must_be_1_to_max_width u_error ();
  end
  if (Bits < 2 || Bits > 5) begin : gen_bad_bits
    bits_must_be_2_to_5 u_error ();
  end
  if (DataBits < 8 || DataBits > 16) begin : gen_bad_data_bits
    data_bits_must_be_8_to_16 u_error ();
  end

  // Registers.
  logic                         interior_rst_n, start, offline, channel_out, last_channel, found;
  logic [1:0]                   status, error_q;
  logic [31:0]                  channels;
  logic [WidthBits-1:0]         width;
  logic [StepBits-1:0]          static_step;
  logic signed [OffsetBits-1:0] static_offset;
  logic [DataBits-1:0]          largest_q;
  logic [3:0]                   best_i_q, best_j_q;

  noisyquant_control #(
    .MaxWidth(MaxWidth), .Multipliers(Multipliers), .Bits(Bits), .DataBits(DataBits)
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
    .channels_o(channels),
    .width_o(width),
    .offline_o(offline),
    .step_o(static_step),
    .offset_o(static_offset),
    .status_i(status),
    .error_i(error_q),
    .channel_i(channel_out),
    .last_channel_o(last_channel),
    .found_i(found),
    .largest_i(largest_q),
    .choice_i({best_j_q, best_i_q})
  );

  // What a channel goes through: values come (Load); then three phases, each of which sets up its
  // step and offset (Begin), reads values (Issue), and, but for the last one, waits for verdicts.
  typedef enum logic [1:0] {Load, Begin, Issue, Wait} state_e;
  typedef enum logic [1:0] {Steps, Offsets, Emit} phase_e;
  state_e state_q;
  phase_e phase_q;

  // Values in.
  logic                 beat, in_end, bad, value_beat, channel_in, room, credit, more_q;
  logic [31:0]          to_load_q;
  logic [WidthBits-1:0] last_index, in_row_q, in_column_q;
  logic [AddrBits-1:0]  in_addr_q, out_addr_q;
  logic [BankBits-1:0]  bank_addr_q, bank_base_q;
  logic [LaneBits-1:0]  lane_q;
  logic [DataBits-1:0]  value, magnitude;
  logic                 in_column_end, lane_end;

  assign last_index = width - 1'b1;
  assign room = state_q == Load || (phase_q == Emit && state_q == Issue && in_addr_q < out_addr_q);
  assign s_axis_tready_o = interior_rst_n && status == StatusRunning && more_q
      && (offline ? credit : room);
  assign beat = s_axis_tvalid_i && s_axis_tready_o;
  assign in_column_end = in_column_q == last_index;
  assign in_end = in_column_end && in_row_q == last_index;
  assign bad = beat && s_axis_tlast_i != in_end;
  assign value_beat = beat && !bad;
  assign channel_in = value_beat && in_end;
  assign lane_end = lane_q == LaneBits'(Multipliers - 1);
  assign value = s_axis_tdata_i[DataBits-1:0];
  assign magnitude = value[DataBits-1] ? -value : value;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n || start) begin
      in_row_q <= '0;
      in_column_q <= '0;
      in_addr_q <= '0;
      lane_q <= '0;
      bank_addr_q <= '0;
      bank_base_q <= '0;
    end else if (value_beat) begin
      in_column_q <= in_column_end ? '0 : in_column_q + 1'b1;
      if (in_column_end) in_row_q <= in_end ? '0 : in_row_q + 1'b1;
      in_addr_q <= in_end ? '0 : in_addr_q + 1'b1;
      // Each lane has a row of a group at the same addresses.
      if (in_column_end) lane_q <= (in_end || lane_end) ? '0 : lane_q + 1'b1;
      if (in_end) begin
        bank_addr_q <= '0;
        bank_base_q <= '0;
      end else if (in_column_end && !lane_end) begin
        bank_addr_q <= bank_base_q;
      end else begin
        bank_addr_q <= bank_addr_q + 1'b1;
        if (in_column_end) bank_base_q <= bank_addr_q + 1'b1;
      end
    end
    if (start) begin
      to_load_q <= channels;
      more_q <= 1'b1;
    end else if (channel_in) begin
      to_load_q <= to_load_q - 1'b1;
      more_q <= to_load_q != 32'd1;
    end
    if (value_beat) begin
      if (in_addr_q == '0 || magnitude > largest_q) largest_q <= magnitude;
    end
  end

  // The way through the phases.
  logic                 slot, column_end, group_end, entry_end, trial_end, issued, verdict, judged;
  logic [WidthBits-1:0] entry_q, column_q, group_q;
  logic [WidthBits:0]   next_group;
  logic [3:0]           trial_q, judged_q;
  logic [RowBits-1:0]   last_rows_q;

  assign slot = state_q == Issue && (phase_q != Emit || credit);
  assign entry_end = entry_q == last_index;
  assign next_group = (WidthBits + 1)'(group_q) + (WidthBits + 1)'(Multipliers);
  assign group_end = entry_end && (phase_q == Emit || next_group >= (WidthBits + 1)'(width));
  assign column_end = group_end && column_q == last_index;
  assign trial_end = trial_q == 4'(Trials - 1);
  assign issued = slot && column_end && (phase_q == Emit || trial_end);
  assign judged = verdict && judged_q == 4'(Trials - 1);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      state_q <= Load;
      phase_q <= Steps;
      entry_q <= '0;
      group_q <= '0;
      column_q <= '0;
      trial_q <= '0;
      out_addr_q <= '0;
    end else begin
      if (channel_in && !offline) state_q <= Begin;
      if (state_q == Begin) state_q <= Issue;
      if (issued) state_q <= (phase_q == Emit) ? Load : Wait;
      if (issued && phase_q == Emit) phase_q <= Steps;
      if (judged) begin
        state_q <= Begin;
        phase_q <= (phase_q == Steps) ? Offsets : Emit;
      end
      if (slot) begin
        entry_q <= entry_end ? '0 : entry_q + 1'b1;
        if (entry_end) group_q <= group_end ? '0 : next_group[WidthBits-1:0];
        if (group_end) column_q <= column_end ? '0 : column_q + 1'b1;
        if (column_end) trial_q <= (phase_q == Emit || trial_end) ? '0 : trial_q + 1'b1;
        // Down a column, the same one again for the next group of rows; and at last row by row.
        if (column_end) out_addr_q <= '0;
        else if (phase_q == Emit) out_addr_q <= out_addr_q + 1'b1;
        else if (!entry_end) out_addr_q <= out_addr_q + AddrBits'(width);
        else out_addr_q <= AddrBits'(column_q) + AddrBits'(group_end);
      end
    end
    if (slot && group_end) last_rows_q <= RowBits'(width - group_q);
  end

  // Steps, as fifths, and offsets: of the trial that is read, of the one that is judged, and the best.
  logic [FifthBits-1:0]         fifth_q, judged_fifth_q, best_fifth_q, ten_largest;
  logic signed [OffsetBits-1:0] offset_q, judged_offset_q, best_offset_q, first_offset, signed_fifth;
  logic                         better;

  assign ten_largest = (FifthBits'(largest_q) << 3) + (FifthBits'(largest_q) << 1);
  assign signed_fifth = $signed(OffsetBits'(fifth_q));
  assign first_offset = -($signed(OffsetBits'(best_fifth_q)) + ($signed(OffsetBits'(best_fifth_q)) <<< 2));
  assign found = state_q == Begin && phase_q == Emit;

  always_ff @(posedge clk_i) begin
    if (state_q == Begin && phase_q == Steps) begin
      fifth_q <= ten_largest;
      offset_q <= '0;
      judged_fifth_q <= ten_largest;
      judged_q <= '0;
    end else if (state_q == Begin && phase_q == Offsets) begin
      fifth_q <= best_fifth_q;
      offset_q <= first_offset;
      judged_offset_q <= first_offset;
      judged_q <= '0;
    end else if (state_q == Begin) begin
      offset_q <= best_offset_q;
    end else begin
      if (slot && column_end && phase_q == Steps) fifth_q <= fifth_q - FifthBits'(largest_q);
      if (slot && column_end && phase_q == Offsets) offset_q <= offset_q + signed_fifth;
      if (verdict) begin
        judged_q <= judged_q + 1'b1;
        judged_fifth_q <= judged_fifth_q - FifthBits'(largest_q);
        judged_offset_q <= judged_offset_q + signed_fifth;
        if (better && phase_q == Steps) begin
          best_fifth_q <= judged_fifth_q;
          best_i_q <= 4'(Trials) - judged_q;
        end
        if (better && phase_q == Offsets) begin
          best_offset_q <= judged_offset_q;
          best_j_q <= judged_q - 4'(Trials / 2);
        end
      end
    end
  end

  // A slot's value is there in the next cycle, and with it what it is to be quantized by.
  logic                         slot_q, first_q, entry_end_q, group_end_q, end_q, emit_q;
  logic [FifthBits-1:0]         slot_fifth_q;
  logic signed [OffsetBits-1:0] slot_offset_q;
  logic [1:0]                   slot_range_q;
  logic [DataBits-1:0]          word;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) slot_q <= 1'b0;
    else slot_q <= slot;
    first_q <= entry_q == '0;
    entry_end_q <= entry_end;
    group_end_q <= group_end;
    end_q <= column_end;
    emit_q <= phase_q == Emit;
    slot_fifth_q <= fifth_q;
    slot_offset_q <= offset_q;
    slot_range_q <= (phase_q == Emit) ? Code : (phase_q == Offsets) ? Free : Clip;
  end

  weight_bank #(.Width(DataBits), .Depth(Values), .Block(Values > 64 ? 1 : 0)) u_values (
    .clk_i,
    .we_i(value_beat),
    .waddr_i(in_addr_q),
    .wdata_i(value),
    .re_i(slot),
    .raddr_i(out_addr_q),
    .rdata_o(word)
  );

  logic                         quantize, quantized, out, first, entry_last, group_last, last;
  logic signed [DataBits-1:0]   operand;
  logic [StepBits-1:0]          step;
  logic signed [OffsetBits-1:0] offset;
  logic [1:0]                   range;
  logic signed [ErrorBits-1:0]  error;
  logic signed [4:0]            code;
  logic signed [26:0]           result;

  assign quantize = offline ? value_beat : slot_q;
  assign operand = $signed(offline ? value : word);
  assign step = offline ? static_step : StepBits'(slot_fifth_q) + (StepBits'(slot_fifth_q) << 2);
  assign offset = offline ? static_offset : slot_offset_q;
  assign range = offline ? Code : slot_range_q;

  noisy_quantizer #(.DataBits(DataBits), .Bits(Bits), .TagBits(5)) u_quantizer (
    .clk_i,
    .rst_ni(interior_rst_n),
    .valid_i(quantize),
    .x_i(operand),
    .step_i(step),
    .offset_i(offset),
    .range_i(range),
    .tag_i({offline || emit_q, first_q, entry_end_q, group_end_q, offline ? in_end : end_q}),
    .valid_o(quantized),
    .error_o(error),
    .code_o(code),
    .value_o(result),
    .tag_o({out, first, entry_last, group_last, last})
  );

  // Errors to the lanes, their sums to the losses.
  logic                      error_beat, lead, sum_valid, sum_end;
  logic [BankBits-1:0]       error_addr_q;
  logic [RowBits-1:0]        rows;
  logic signed [SumBits-1:0] sum;
  logic [LossBits-1:0]       loss;

  assign error_beat = quantized && !out;
  assign rows = group_last ? last_rows_q : RowBits'(Multipliers);
  // Of the first group of rows: the others see the same errors again.
  assign lead = error_beat && 32'(error_addr_q) < 32'(width);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) error_addr_q <= '0;
    else if (error_beat)
      error_addr_q <= (entry_last && group_last) ? '0 : error_addr_q + 1'b1;
  end

  noisy_lanes #(
    .Lanes(Multipliers), .MaxWidth(MaxWidth), .DataBits(DataBits), .ErrorBits(ErrorBits)
  ) u_lanes (
    .clk_i,
    .rst_ni(interior_rst_n),
    .we_i(value_beat),
    .lane_i(lane_q),
    .waddr_i(bank_addr_q),
    .wdata_i(value),
    .valid_i(error_beat),
    .error_i(error),
    .raddr_i(error_addr_q),
    .first_i(first),
    .last_i(entry_last),
    .rows_i(rows),
    .end_i(last),
    .sum_valid_o(sum_valid),
    .sum_o(sum),
    .end_o(sum_end)
  );

  noisy_loss #(.SumBits(SumBits), .CountBits(CountBits)) u_loss (
    .clk_i,
    .rst_ni(interior_rst_n),
    .start_i(state_q == Begin),
    .valid_i(sum_valid),
    .sum_i(sum),
    .end_i(sum_end),
    .verdict_o(verdict),
    .loss_o(loss),
    .better_o(better)
  );

  // Values out: 16 may be on their way.
  logic        push, out_valid, out_beat;
  logic [4:0]  outside_q;
  logic [31:0] result_word;

  assign push = quantized && out;
  assign result_word = {code, result};
  assign credit = !outside_q[4];

  output_fifo #(.Width(33), .Depth(16)) u_output (
    .clk_i,
    .rst_ni(interior_rst_n),
    .push_i(push),
    .data_i({last, result_word}),
    .valid_o(out_valid),
    .data_o({m_axis_tlast_o, m_axis_tdata_o}),
    .ready_i(m_axis_tready_i)
  );

  assign m_axis_tvalid_o = out_valid && interior_rst_n;
  assign out_beat = m_axis_tvalid_o && m_axis_tready_i;
  assign channel_out = out_beat && m_axis_tlast_o;

  logic taken;
  assign taken = (offline && value_beat) || (slot && phase_q == Emit);

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) outside_q <= '0;
    else outside_q <= outside_q + 5'(taken) - 5'(out_beat);
  end

  // Status.
  logic [1:0] status_q;
  assign status = status_q;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_n) begin
      status_q <= StatusIdle;
      error_q <= '0;
    end else begin
      if (start) status_q <= StatusRunning;
      if (channel_out && last_channel && status_q == StatusRunning) status_q <= StatusDone;
      if (bad) begin
        status_q <= StatusError;
        error_q <= s_axis_tlast_i ? 2'd1 : 2'd2;
      end
    end
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (interior_rst_n) begin
      assert (!verdict || (phase_q != Emit && state_q != Load)) else $error("a verdict that nobody waits for");
      assert (!start || (state_q == Load && outside_q == '0)) else $error("a run starts in another one");
      assert (!push || !offline || range == Code) else $error("a value leaves without a code");
    end
  end
`endif

endmodule

`default_nettype wire
