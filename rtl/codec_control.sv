// The codec's registers behind AXI4-Lite (rtl/axi_lite.sv says when an access happens):
//
//   0x000 ID        0x44544331, "DTC1"
//   0x004 CONTROL   written: bit 1 resets the interior in the next cycle; it cannot be read
//   0x008 STATUS    [1:0] 0 idle, 1 a block or a part of one is inside, 3 error; [12:8] which one:
//                   1 a symbol outside the alphabet, 2 a block longer than DEPTH
//   0x00C BLOCKS    blocks that were encoded since the reset, modulo 2^32
//   0x010 ALPHABET, 0x014 LIMIT, 0x018 DEPTH: symbols, longest code, longest block
//   0x01C CYCLES    since the reset in which STATUS was 1, modulo 2^32
//   0x100 to 0x1FC SIZE[64]  bits of the codes of the latest block whose number, from 0 since the
//                   reset, is k modulo 64; of one that was not encoded, what was there before
//
// All but CONTROL are read only. Another access, also to an address that is no multiple of 4, answers
// SLVERR. A read sees what was before the cycle in which it happens.

`default_nettype none

module codec_control #(
  /// Symbols, longest code, longest block.
  parameter int Symbols = 8,
  parameter int Limit = 8,
  parameter int Depth = 4096
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
  // The reset of the interior, these counters included
  output logic        interior_rst_no,
  // Status
  input  logic [1:0]  status_i,
  input  logic [1:0]  error_i,
  // A block's last symbol is encoded, its bits
  input  logic        encoded_i,
  input  logic [15:0] size_i
);

  localparam logic [7:0] AddrId = 8'h00, AddrControl = 8'h04, AddrStatus = 8'h08,
      AddrBlocks = 8'h0C, AddrAlphabet = 8'h10, AddrLimit = 8'h14, AddrDepth = 8'h18,
      AddrCycles = 8'h1C;
  localparam logic [1:0] StatusRunning = 2'd1;
  localparam logic [3:0] PageRegisters = 4'd0, PageSizes = 4'd1;

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

  logic clear_q;

  assign write_okay = write_addr == {PageRegisters, AddrControl};
  assign interior_rst_no = rst_ni && !clear_q;

  always_ff @(posedge clk_i) clear_q <= rst_ni && write && write_okay && write_data[1];

  logic [31:0] blocks_q, cycles_q;

  (* ram_style = "distributed" *)
  logic [15:0] sizes_q [64];
  logic [15:0] recorded;

  initial for (int i = 0; i < 64; i++) sizes_q[i] = '0;

  always_ff @(posedge clk_i) begin
    if (!interior_rst_no) blocks_q <= '0;
    else if (encoded_i) blocks_q <= blocks_q + 1'b1;
    if (!interior_rst_no) cycles_q <= '0;
    else if (status_i == StatusRunning) cycles_q <= cycles_q + 1'b1;
    if (interior_rst_no && encoded_i) sizes_q[blocks_q[5:0]] <= size_i;
  end

  logic [3:0] page;
  logic [7:0] offset;
  logic       word_aligned;

  assign {page, offset} = read_addr;
  assign recorded = sizes_q[offset[7:2]];
  assign word_aligned = offset[1:0] == '0;

  always_comb begin
    read_okay = page == PageRegisters;
    case (offset)
      AddrId:       read_data = 32'h44544331;
      AddrStatus:   read_data = {22'd0, error_i, 6'd0, status_i};
      AddrBlocks:   read_data = blocks_q;
      AddrAlphabet: read_data = 32'(Symbols);
      AddrLimit:    read_data = 32'(Limit);
      AddrDepth:    read_data = 32'(Depth);
      AddrCycles:   read_data = cycles_q;
      default: begin
        read_okay = 1'b0;
        read_data = '0;
      end
    endcase
    if (page == PageSizes) begin
      read_okay = word_aligned;
      read_data = {16'd0, recorded};
    end
    if (!read_okay) read_data = '0;
  end

  logic unused_data;
  assign unused_data = ^{write_data[31:2], write_data[0]};

endmodule

`default_nettype wire
