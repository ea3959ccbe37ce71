// The registers behind AXI4-Lite (rtl/axi_lite.sv says when an access happens): start and soft
// reset, and the port that loads the memories. In the cycle of a write start_o, clear_o and the load
// port are high, in the next its effect is visible. A read shows its register as it was before a
// write of the same cycle. An address that is not a register's own answers SLVERR, so each that is
// no multiple of four.

`default_nettype none

module axi_control #(
  /// Neurons at once.
  parameter int Lanes = 16,
  /// Lanes that one weight bank feeds.
  parameter int LanesPerBank = 8,
  /// Bits of a delta.
  parameter int DeltaBits = 4,
  /// 0 lut, 1 dsp, 2 dsp_packed, 3 serial.
  parameter int Multiplier = 0,
  /// 1: the lanes can take consecutive deltas.
  parameter int Consecutive = 1,
  /// 1: the weight banks hold Huffman-coded streams.
  parameter int Huffman = 0,
  /// Deltas of a decoder's symbol, 1 or 2.
  parameter int SymbolDeltas = 1,
  /// Words of a weight bank.
  parameter int BankDepth = 4096,
  /// Elements in one half of the input buffer.
  parameter int InDepth = 1024,
  /// Elements in one half of the activation buffer.
  parameter int ActDepth = 512,
  /// References.
  parameter int RefDepth = 512,
  /// Requantizer parameters.
  parameter int ParamDepth = 512,
  /// Layer descriptors.
  parameter int MaxLayers = 16,
  localparam int Banks = (Lanes + LanesPerBank - 1) / LanesPerBank
) (
  input  logic             clk_i,
  input  logic             rst_ni,
  // AXI4-Lite
  input  logic [11:0]      s_axil_awaddr_i,
  input  logic [2:0]       s_axil_awprot_i,
  input  logic             s_axil_awvalid_i,
  output logic             s_axil_awready_o,
  input  logic [31:0]      s_axil_wdata_i,
  input  logic [3:0]       s_axil_wstrb_i,
  input  logic             s_axil_wvalid_i,
  output logic             s_axil_wready_o,
  output logic [1:0]       s_axil_bresp_o,
  output logic             s_axil_bvalid_o,
  input  logic             s_axil_bready_i,
  input  logic [11:0]      s_axil_araddr_i,
  input  logic [2:0]       s_axil_arprot_i,
  input  logic             s_axil_arvalid_i,
  output logic             s_axil_arready_o,
  output logic [31:0]      s_axil_rdata_o,
  output logic [1:0]       s_axil_rresp_o,
  output logic             s_axil_rvalid_o,
  input  logic             s_axil_rready_i,
  // Control and status
  output logic             start_o,
  output logic             clear_o,
  output logic [7:0]       layers_o,
  output logic [31:0]      images_o,
  input  logic [1:0]       status_i,
  input  logic [4:0]       error_i,
  input  logic [3:0]       error_layer_i,
  input  logic [63:0]      cycles_i,
  input  logic [31:0]      inferences_i,
  // Load port: one word into one memory
  output logic [19:0]      load_addr_o,
  output logic [35:0]      load_data_o,
  output logic [Banks-1:0] load_weight_o,
  output logic             load_reference_o,
  output logic             load_parameter_o,
  output logic             load_program_o,
  output logic             load_book_o,
  output logic             load_stream_o
);

  localparam logic [11:0] AddrId = 12'h000, AddrControl = 12'h004, AddrStatus = 12'h008,
      AddrImages = 12'h00C, AddrCyclesLow = 12'h010, AddrCyclesHigh = 12'h014,
      AddrInferences = 12'h018, AddrLayers = 12'h01C, AddrLoadAddress = 12'h020,
      AddrLoadHigh = 12'h024, AddrLoadData = 12'h028, AddrConfig = 12'h02C,
      AddrBankDepth = 12'h030, AddrActDepth = 12'h034, AddrParamDepth = 12'h038;
  localparam logic [3:0] MemWeights = 4'd0, MemReferences = 4'd1, MemParameters = 4'd2,
      MemProgram = 4'd3, MemBooks = 4'd4, MemStreams = 4'd5;
  localparam logic [1:0] StatusRunning = 2'd1, StatusError = 2'd3;

  logic [31:0] images_q;
  logic [7:0]  layers_q;
  logic [3:0]  load_memory_q, load_high_q;
  logic [7:0]  load_bank_q;
  logic [19:0] load_addr_q;

  assign images_o = images_q;
  assign layers_o = layers_q;
  assign load_addr_o = load_addr_q;

  // Accesses, as axi_lite has them. A whole write acts where it is allowed.
  logic        write, allowed, act, read_okay;
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
    .write_okay_i(allowed),
    .read_addr_o(read_addr),
    .read_data_i(read_data),
    .read_okay_i(read_okay)
  );

  logic writable, control_ok, load_ok, load;

  assign load_data_o = {load_high_q, data};

  // Finished blocks still drain after an error: what they read must not change before the reset.
  assign writable = status_i != StatusRunning && status_i != StatusError;
  assign control_ok = data[1] || !data[0] || writable;

  always_comb begin
    case (load_memory_q)
      MemWeights:    load_ok = 32'(load_bank_q) < Banks && 32'(load_addr_q) < BankDepth;
      MemReferences: load_ok = load_bank_q == '0 && 32'(load_addr_q) < RefDepth;
      MemParameters: load_ok = load_bank_q == '0 && 32'(load_addr_q) < ParamDepth;
      MemProgram:    load_ok = load_bank_q == '0 && 32'(load_addr_q) < 2 * MaxLayers;
      MemBooks:      load_ok = Huffman != 0 && load_bank_q == '0
                         && 32'(load_addr_q) < MaxLayers * 2 ** (SymbolDeltas * DeltaBits);
      MemStreams:    load_ok = Huffman != 0 && load_bank_q == '0 && 32'(load_addr_q) < 2 * Lanes;
      default:       load_ok = 1'b0;
    endcase
  end

  always_comb begin
    case (write_addr)
      AddrControl: allowed = control_ok;
      AddrImages, AddrLayers, AddrLoadAddress, AddrLoadHigh: allowed = writable;
      AddrLoadData: allowed = writable && load_ok;
      default: allowed = 1'b0;
    endcase
  end

  assign act = write && allowed;
  assign clear_o = act && write_addr == AddrControl && data[1];
  assign start_o = act && write_addr == AddrControl && data[1:0] == 2'b01;

  assign load = act && write_addr == AddrLoadData;
  assign load_reference_o = load && load_memory_q == MemReferences;
  assign load_parameter_o = load && load_memory_q == MemParameters;
  assign load_program_o = load && load_memory_q == MemProgram;
  assign load_book_o = load && load_memory_q == MemBooks;
  assign load_stream_o = load && load_memory_q == MemStreams;
  for (genvar b = 0; b < Banks; b++) begin : gen_load_weight
    assign load_weight_o[b] = load && load_memory_q == MemWeights && load_bank_q == 8'(b);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      images_q <= '0;
      layers_q <= '0;
      load_memory_q <= '0;
      load_bank_q <= '0;
      load_addr_q <= '0;
      load_high_q <= '0;
    end else if (act) begin
      case (write_addr)
        AddrImages: images_q <= data;
        AddrLayers: layers_q <= data[7:0];
        AddrLoadAddress: {load_memory_q, load_bank_q, load_addr_q} <= data;
        AddrLoadHigh: load_high_q <= data[3:0];
        AddrLoadData: load_addr_q <= load_addr_q + 1'b1;
        default: ;
      endcase
    end
  end

  // What is read.
  logic [31:0] cycles_low, cycles_high;

  assign {cycles_high, cycles_low} = cycles_i;

  always_comb begin
    read_okay = 1'b1;
    case (read_addr)
      AddrId:          read_data = 32'h44545731;
      AddrStatus:      read_data = {8'd0, 4'd0, error_layer_i, 3'd0, error_i, 6'd0, status_i};
      AddrImages:      read_data = images_q;
      AddrCyclesLow:   read_data = cycles_low;
      AddrCyclesHigh:  read_data = cycles_high;
      AddrInferences:  read_data = inferences_i;
      AddrLayers:      read_data = {24'd0, layers_q};
      AddrLoadAddress: read_data = {load_memory_q, load_bank_q, load_addr_q};
      AddrLoadHigh:    read_data = {28'd0, load_high_q};
      AddrConfig:      read_data = {7'd0, 1'(SymbolDeltas - 1), 1'(Huffman), 6'(LanesPerBank), 1'(Consecutive),
                                    4'(Multiplier), 4'(DeltaBits), 8'(Lanes)};
      AddrBankDepth:   read_data = 32'(BankDepth);
      AddrActDepth:    read_data = {16'(ActDepth), 16'(InDepth)};
      AddrParamDepth:  read_data = {16'(RefDepth), 16'(ParamDepth)};
      default: begin
        read_okay = 1'b0;
        read_data = '0;
      end
    endcase
  end

`ifndef YOSYS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!start_o || writable) else $error("START while a run is there");
      assert (32'(load_book_o) + 32'(load_stream_o) + 32'(load_program_o) + 32'(load_parameter_o)
              + 32'(load_reference_o) + $countones(load_weight_o) <= 1)
          else $error("a word is loaded into several memories");
    end
  end
`endif

endmodule

`default_nettype wire
