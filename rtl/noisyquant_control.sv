// NoisyQuant's registers behind AXI4-Lite (rtl/axi_lite.sv says when an access happens):
//
//   0x000 ID        0x4E544431, "1DTN" as bytes
//   0x004 CONTROL   written: bit 0 starts a run, bit 1 resets the interior in the next cycle and goes
//                   before bit 0; it cannot be read
//   0x008 STATUS    [1:0] 0 idle, 1 a run is under way, 2 done, 3 error; [12:8] which one:
//                   1 TLAST before a channel's last value, 2 none on it
//   0x00C CHANNELS  of a run, at least 1
//   0x010 WIDTH     W: a channel is W x W values, 1 to MaxWidth
//   0x014 MODE      0 online: step and offset of each channel are searched; 1 offline: they are
//   0x018 STEP      of offline runs, in units of 1/F (rtl/noisyquant.sv): DataBits + 5 bits
//   0x01C OFFSET    the same, signed: DataBits + 6 bits, sign-extended to 32
//   0x020 CYCLES    since the latest start in which STATUS was 1, modulo 2^32
//   0x024 DONE      channels of this run whose last value was taken
//   0x028 CONFIG    [7:0] MaxWidth, [15:8] Multipliers, [19:16] Bits, [24:20] DataBits
//   0x100 to 0x1FC FOUND[64]  what was found for the latest channel whose number in its online run,
//                   from 0, is k modulo 64: [3:0] i, [7:4] j signed, [31:16] M (rtl/noisyquant.sv)
//
// CHANNELS to OFFSET can be written while no run is under way and there is no error; what they cannot
// hold answers SLVERR and changes nothing. So does a start then. Another access, also to an address that
// is no multiple of 4, answers SLVERR. A read sees what was before the cycle in which it happens. After
// rst_ni they hold 1, MaxWidth, 0, 1 and 0; the reset by CONTROL leaves them.

`default_nettype none

module noisyquant_control #(
  /// Of the RTL's noisyquant.
  parameter int MaxWidth = 56,
  parameter int Multipliers = 56,
  parameter int Bits = 3,
  parameter int DataBits = 16,
  localparam int WidthBits = $clog2(MaxWidth + 1),
  localparam int StepBits = DataBits + 5,
  localparam int OffsetBits = DataBits + 6
) (
  input  logic                         clk_i,
  input  logic                         rst_ni,
  // AXI4-Lite
  input  logic [11:0]                  s_axil_awaddr_i,
  input  logic [2:0]                   s_axil_awprot_i,
  input  logic                         s_axil_awvalid_i,
  output logic                         s_axil_awready_o,
  input  logic [31:0]                  s_axil_wdata_i,
  input  logic [3:0]                   s_axil_wstrb_i,
  input  logic                         s_axil_wvalid_i,
  output logic                         s_axil_wready_o,
  output logic [1:0]                   s_axil_bresp_o,
  output logic                         s_axil_bvalid_o,
  input  logic                         s_axil_bready_i,
  input  logic [11:0]                  s_axil_araddr_i,
  input  logic [2:0]                   s_axil_arprot_i,
  input  logic                         s_axil_arvalid_i,
  output logic                         s_axil_arready_o,
  output logic [31:0]                  s_axil_rdata_o,
  output logic [1:0]                   s_axil_rresp_o,
  output logic                         s_axil_rvalid_o,
  input  logic                         s_axil_rready_i,
  // The reset of the interior, these counters included
  output logic                         interior_rst_no,
  // A run, and what it is to do
  output logic                         start_o,
  output logic [31:0]                  channels_o,
  output logic [WidthBits-1:0]         width_o,
  output logic                         offline_o,
  output logic [StepBits-1:0]          step_o,
  output logic signed [OffsetBits-1:0] offset_o,
  // Status
  input  logic [1:0]                   status_i,
  input  logic [1:0]                   error_i,
  // A channel's last value is taken; it is the run's last one
  input  logic                         channel_i,
  output logic                         last_channel_o,
  // What was found for a channel
  input  logic                         found_i,
  input  logic [DataBits-1:0]          largest_i,
  input  logic [7:0]                   choice_i
);

  localparam logic [7:0] AddrId = 8'h00, AddrControl = 8'h04, AddrStatus = 8'h08,
      AddrChannels = 8'h0C, AddrWidth = 8'h10, AddrMode = 8'h14, AddrStep = 8'h18,
      AddrOffset = 8'h1C, AddrCycles = 8'h20, AddrDone = 8'h24, AddrConfig = 8'h28;
  localparam logic [1:0] StatusRunning = 2'd1, StatusError = 2'd3;
  localparam logic [3:0] PageRegisters = 4'd0, PageFound = 4'd1;

  logic        write, write_okay, read_okay;
  logic [11:0] write_addr, read_addr;
  logic [31:0] data, read_data;

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
    .write_data_o(data),
    .write_okay_i(write_okay),
    .read_addr_o(read_addr),
    .read_data_i(read_data),
    .read_okay_i(read_okay)
  );

  // Writes.
  logic                         writable, act, control, clear_q, offline_q;
  logic                         resets, starts, mode_fits, step_fits, offset_fits;
  logic [3:0]                   write_page;
  logic [7:0]                   write_offset;
  logic [31:0]                  channels_q;
  logic [WidthBits-1:0]         width_q;
  logic [StepBits-1:0]          step_q;
  logic signed [OffsetBits-1:0] offset_q;

  assign writable = status_i != StatusRunning && status_i != StatusError;
  assign act = write && write_okay;
  assign {write_page, write_offset} = write_addr;
  assign {resets, starts} = data[1:0];
  assign mode_fits = data[31:1] == '0;
  assign step_fits = data[31:StepBits] == '0;
  assign offset_fits = data[31:OffsetBits] == {(32 - OffsetBits){data[OffsetBits-1]}};
  assign control = act && write_offset == AddrControl;
  assign start_o = control && starts && !resets;
  assign interior_rst_no = rst_ni && !clear_q;
  assign channels_o = channels_q;
  assign width_o = width_q;
  assign offline_o = offline_q;
  assign step_o = step_q;
  assign offset_o = offset_q;

  always_comb begin
    case (write_offset)
      AddrControl:  write_okay = resets || !starts || writable;
      AddrChannels: write_okay = writable && data != '0;
      AddrWidth:    write_okay = writable && data != '0 && data <= MaxWidth;
      AddrMode:     write_okay = writable && mode_fits;
      AddrStep:     write_okay = writable && step_fits;
      AddrOffset:   write_okay = writable && offset_fits;
      default:      write_okay = 1'b0;
    endcase
    if (write_page != PageRegisters) write_okay = 1'b0;
  end

  always_ff @(posedge clk_i) begin
    clear_q <= rst_ni && control && resets;
    if (!rst_ni) begin
      channels_q <= 32'd1;
      width_q <= WidthBits'(MaxWidth);
      offline_q <= 1'b0;
      step_q <= StepBits'(1);
      offset_q <= '0;
    end else if (act) begin
      case (write_offset)
        AddrChannels: channels_q <= data;
        AddrWidth:    width_q <= data[WidthBits-1:0];
        AddrMode:     offline_q <= data[0];
        AddrStep:     step_q <= data[StepBits-1:0];
        AddrOffset:   offset_q <= data[OffsetBits-1:0];
        default: ;
      endcase
    end
  end

  // What a run leaves.
  logic [31:0] cycles_q, done_q, next_done;
  logic [5:0]  number_q;

  (* ram_style = "distributed" *)
  logic [31:0] found_q [64];
  logic [31:0] found;

  initial for (int i = 0; i < 64; i++) found_q[i] = '0;

  assign next_done = done_q + 1'b1;
  assign last_channel_o = next_done == channels_q;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_no || start_o) begin
      cycles_q <= '0;
      done_q <= '0;
      number_q <= '0;
    end else begin
      if (status_i == StatusRunning) cycles_q <= cycles_q + 1'b1;
      if (channel_i) done_q <= next_done;
      if (found_i) number_q <= number_q + 1'b1;
    end
    if (interior_rst_no && found_i) found_q[number_q] <= {16'(largest_i), 8'd0, choice_i};
  end

  // Reads.
  logic [3:0] page;
  logic [7:0] offset;
  logic       word_aligned;

  assign {page, offset} = read_addr;
  assign word_aligned = offset[1:0] == '0;
  assign found = found_q[offset[7:2]];

  always_comb begin
    read_okay = page == PageRegisters;
    case (offset)
      AddrId:       read_data = 32'h4E544431;
      AddrStatus:   read_data = {22'd0, error_i, 6'd0, status_i};
      AddrChannels: read_data = channels_q;
      AddrWidth:    read_data = 32'(width_q);
      AddrMode:     read_data = {31'd0, offline_q};
      AddrStep:     read_data = 32'(step_q);
      AddrOffset:   read_data = 32'(offset_q);
      AddrCycles:   read_data = cycles_q;
      AddrDone:     read_data = done_q;
      AddrConfig:   read_data = {7'd0, 5'(DataBits), 4'(Bits), 8'(Multipliers), 8'(MaxWidth)};
      default: begin
        read_okay = 1'b0;
        read_data = '0;
      end
    endcase
    if (page == PageFound) begin
      read_okay = word_aligned;
      read_data = found;
    end
    if (!read_okay) read_data = '0;
  end

endmodule

`default_nettype wire
