// The handshakes of an AXI4-Lite slave, for registers that answer in the cycle in which they are
// asked. AW and W are taken in any order, one of each ahead of its response. A write happens in the
// cycle of the later of its two beats or, if the response before it still waits then, in the cycle
// after that one's beat; B comes in the next cycle. A read happens in the cycle of its AR beat. One
// response of each kind waits at a time. No ready depends on an input.
//
// A write with WSTRB 1111 is a write_o, with 0000 it answers OKAY without one, whatever its address,
// and with another it answers SLVERR without one. PROT is ignored.

`default_nettype none

module axi_lite (
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
  // Registers; okay_i is the answer for the address in the same cycle, else SLVERR
  output logic        write_o,
  output logic [11:0] write_addr_o,
  output logic [31:0] write_data_o,
  input  logic        write_okay_i,
  output logic [11:0] read_addr_o,
  input  logic [31:0] read_data_i,
  input  logic        read_okay_i
);

  localparam logic [1:0] Okay = 2'd0, SlvErr = 2'd2;

  // A beat waits in its register until the other one and the response before are there.
  logic        aw_held_q, w_held_q, aw_there, w_there, happens;
  logic [11:0] addr_q;
  logic [31:0] data_q;
  logic [3:0]  strobes, strobes_q;

  assign s_axil_awready_o = !aw_held_q;
  assign s_axil_wready_o = !w_held_q;
  assign aw_there = aw_held_q || s_axil_awvalid_i;
  assign w_there = w_held_q || s_axil_wvalid_i;
  assign happens = aw_there && w_there && !s_axil_bvalid_o;

  assign write_addr_o = aw_held_q ? addr_q : s_axil_awaddr_i;
  assign write_data_o = w_held_q ? data_q : s_axil_wdata_i;
  assign strobes = w_held_q ? strobes_q : s_axil_wstrb_i;
  assign write_o = happens && strobes == '1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_held_q <= 1'b0;
      w_held_q <= 1'b0;
      s_axil_bvalid_o <= 1'b0;
    end else begin
      aw_held_q <= aw_there && !happens;
      w_held_q <= w_there && !happens;
      s_axil_bvalid_o <= happens || (s_axil_bvalid_o && !s_axil_bready_i);
    end
    if (!aw_held_q) addr_q <= s_axil_awaddr_i;
    if (!w_held_q) begin
      data_q <= s_axil_wdata_i;
      strobes_q <= s_axil_wstrb_i;
    end
    if (happens)
      s_axil_bresp_o <= (strobes == '0 || (strobes == '1 && write_okay_i)) ? Okay : SlvErr;
  end

  logic read;

  assign s_axil_arready_o = !s_axil_rvalid_o;
  assign read = s_axil_arvalid_i && s_axil_arready_o;
  assign read_addr_o = s_axil_araddr_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) s_axil_rvalid_o <= 1'b0;
    else s_axil_rvalid_o <= read || (s_axil_rvalid_o && !s_axil_rready_i);
    if (read) begin
      s_axil_rdata_o <= read_data_i;
      s_axil_rresp_o <= read_okay_i ? Okay : SlvErr;
    end
  end

  logic unused_prot;
  assign unused_prot = ^{s_axil_awprot_i, s_axil_arprot_i};

`ifndef YOSYS
  handshake_check #(.Width(2)) u_check_b (
    .clk_i, .rst_ni, .valid_i(s_axil_bvalid_o), .ready_i(s_axil_bready_i), .data_i(s_axil_bresp_o)
  );
  handshake_check #(.Width(34)) u_check_r (
    .clk_i,
    .rst_ni,
    .valid_i(s_axil_rvalid_o),
    .ready_i(s_axil_rready_i),
    .data_i({s_axil_rresp_o, s_axil_rdata_o})
  );
`endif

endmodule

`default_nettype wire
