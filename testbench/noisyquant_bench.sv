// NoisyQuant in 4-state simulation: from a reset of one cycle on no X on any handshake, nor on a payload
// that is offered, while random channels go through online and offline with stalls on both streams. What
// comes out is what the registers say was found: a multiple of the step behind the offset, and of the
// codes the nearest. Inputs that are not valid are X.

`default_nettype none

module noisyquant_bench;

  parameter int Multipliers = 5;

  localparam int Width = 5, Values = Width * Width, Channels = 4, Step = 5000, Offset = -1234;

  localparam int InDataBits = 16, OutDataBits = 32;

  `include "host_tasks.svh"

  noisyquant #(.MaxWidth(Width), .Multipliers(Multipliers), .Bits(3), .DataBits(16)) u_noisyquant (
    .clk_i(clk),
    .rst_ni(rst_n),
    .s_axil_awaddr_i(awaddr),
    .s_axil_awprot_i(3'bx),
    .s_axil_awvalid_i(awvalid),
    .s_axil_awready_o(awready),
    .s_axil_wdata_i(wdata),
    .s_axil_wstrb_i(wstrb),
    .s_axil_wvalid_i(wvalid),
    .s_axil_wready_o(wready),
    .s_axil_bresp_o(bresp),
    .s_axil_bvalid_o(bvalid),
    .s_axil_bready_i(bready),
    .s_axil_araddr_i(araddr),
    .s_axil_arprot_i(3'bx),
    .s_axil_arvalid_i(arvalid),
    .s_axil_arready_o(arready),
    .s_axil_rdata_o(rdata),
    .s_axil_rresp_o(rresp),
    .s_axil_rvalid_o(rvalid),
    .s_axil_rready_i(rready),
    .s_axis_tdata_i(in_data),
    .s_axis_tlast_i(in_last),
    .s_axis_tvalid_i(in_valid),
    .s_axis_tready_o(in_ready),
    .m_axis_tdata_o(out_data),
    .m_axis_tlast_o(out_last),
    .m_axis_tvalid_o(out_valid),
    .m_axis_tready_i(out_ready)
  );

  logic signed [15:0] values [2 * Channels * Values];
  logic [31:0]        results [2 * Channels * Values];
  int                 taken;

  initial begin
    wait (running);
    for (int i = 0; i < 2 * Channels * Values; i++) begin
      while ($urandom_range(3) == 0) @(posedge clk);
      send(values[i], i % Values == Values - 1);
    end
  end

  initial begin
    taken = 0;
    out_ready = 1'b0;
    wait (running);
    forever begin
      out_ready <= $urandom_range(2) != 0;
      @(posedge clk);
      if (out_valid && out_ready) begin
        demand(taken < 2 * Channels * Values && out_last === (taken % Values == Values - 1),
               "a value too many, or another TLAST");
        results[taken] = out_data;
        taken = taken + 1;
      end
    end
  end

  // A result of a value for a step and an offset.
  task automatic judge(input int at, input int step, input int offset);
    int                 wanted, result, code, off;
    logic signed [26:0] result_bits;
    logic signed [4:0]  code_bits;
    {code_bits, result_bits} = results[at];
    wanted = 150 * values[at];
    result = result_bits;
    code = code_bits;
    off = result - wanted;
    demand(result == code * step - offset, "a value is not its code's");
    demand(code >= -4 && code <= 3, "a code has too many bits");
    demand(2 * off <= step || code == -4, "a lower code would be nearer");
    demand(2 * off >= -step || code == 3, "a higher code would be nearer");
  endtask

  int          largest, number;
  logic [31:0] value;

  initial begin
    for (int i = 0; i < 2 * Channels * Values; i++)
      values[i] = $signed($urandom) >>> (16 + i / Values);
    values[0] = -32768;
    reset;
    expect_read(12'h000, 32'h4E544431);
    write(12'h00C, Channels);
    write(12'h010, Width);
    write(12'h004, 32'd1);
    do read(12'h008, value); while (value == 32'd1);
    demand(value === 32'd2, "the online run does not end well");
    expect_read(12'h024, Channels);
    for (int channel = 0; channel < Channels; channel++) begin
      read(12'h100 + 4 * channel, value);
      largest = 0;
      for (int i = channel * Values; i < (channel + 1) * Values; i++) begin
        if (values[i] > largest) largest = values[i];
        if (-values[i] > largest) largest = -values[i];
      end
      demand(value[31:16] == largest && value[3:0] >= 1 && value[3:0] <= 10, "nothing was found");
      number = $signed(value[7:4]);
      for (int i = channel * Values; i < (channel + 1) * Values; i++)
        judge(i, 5 * largest * value[3:0], largest * number * $signed({28'd0, value[3:0]}));
    end
    write(12'h014, 32'd1);
    write(12'h018, Step);
    write(12'h01C, Offset);
    write(12'h004, 32'd1);
    do read(12'h008, value); while (value == 32'd1);
    demand(value === 32'd2, "the offline run does not end well");
    for (int i = Channels * Values; i < 2 * Channels * Values; i++) judge(i, Step, Offset);
    read(12'h020, value);
    demand(value >= Channels * Values, "too few cycles");
    // CONTROL's reset: all is as after the other one, but for the settings.
    write(12'h004, 32'd2);
    repeat (4) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h024, 32'd0);
    expect_read(12'h018, Step);
    $display("passed");
    $finish;
  end

endmodule

`default_nettype wire
