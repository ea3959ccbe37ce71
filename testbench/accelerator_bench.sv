// The accelerator in 4-state simulation: from a reset of one cycle on no X on any handshake, nor on
// a payload that is offered, while a small network of random weights runs with stalls everywhere;
// its results are held against plain integer arithmetic. Inputs that are not valid are X. Then what
// a host meets in a soft reset and after a TLAST in the wrong place.

`default_nettype none

module accelerator_bench;

  parameter int Multiplier = 0;
  parameter int Huffman = 0;
  parameter int SymbolDeltas = 1;

  localparam int Lanes = 5, LanesPerBank = 2, Banks = 3, DeltaBits = 2, BankDepth = 64;
  localparam int Images = 3, Layers = 2, Words = 28;

  // Layer 0: 8 to 6, blocks of 4, shift 1, ReLU, coded; layer 1: 6 to 4, running deltas, no code.
  localparam int Inputs0 = 8, Inputs1 = 6, Outputs1 = 4;
  localparam int Relu = 1, Off = 0;

  localparam int InDataBits = 8, OutDataBits = 16;

  `include "host_tasks.svh"

  accelerator #(
    .Lanes(Lanes),
    .LanesPerBank(LanesPerBank),
    .DeltaBits(DeltaBits),
    .Multiplier(Multiplier),
    .Consecutive(1),
    .Huffman(Huffman),
    .SymbolDeltas(SymbolDeltas),
    .SymbolDepth(32),
    .BankDepth(BankDepth),
    .InDepth(8),
    .ActDepth(8),
    .RefDepth(32),
    .ParamDepth(16),
    .MaxLayers(2),
    .OutDepth(8)
  ) u_accelerator (
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

  task automatic load(input [31:0] where, input [35:0] word);
    write(12'h020, where);
    write(12'h024, 32'(word[35:32]));
    write(12'h028, word[31:0]);
  endtask

  // The network.
  int outputs [Layers], inputs [Layers], block_length [Layers], shift [Layers];
  int weight [Layers * 64];
  int reference_count, word_count, scale [16], offset [16];
  logic [7:0]                 reference_of [32];
  logic [Lanes*DeltaBits-1:0] words [Words];
  // Streams of up to four words a lane, the lane's bank at LanesPerBank * 4 words.
  logic [143:0] stream [Lanes];
  int           stream_bits [Lanes];

  // Lengths of symbols 0 to 3, or of the pairs 0 to 15, and their codes.
  localparam int SymbolBits = SymbolDeltas * DeltaBits;

  function automatic [3:0] code_length(input int symbol);
    if (SymbolDeltas == 2) begin
      code_length = (symbol == 5) ? 4'd1 : (symbol == 0) ? 4'd4 : 4'd5;
    end else begin
      case (symbol)
        0: code_length = 4'd2;
        1: code_length = 4'd1;
        default: code_length = 4'd3;
      endcase
    end
  endfunction

  function automatic [4:0] code_of(input int symbol);
    if (SymbolDeltas == 2)
      code_of = (symbol == 5) ? 5'd0 : (symbol == 0) ? 5'd8
          : 5'(symbol) + ((symbol < 5) ? 5'd17 : 5'd16);
    else case (symbol)
      0: code_of = 3'b10;
      1: code_of = 3'b0;
      2: code_of = 3'b110;
      default: code_of = 3'b111;
    endcase
  endfunction

  task automatic encode(input int layer, input int lane, input int symbol);
    int count;
    count = (layer == 0) ? 32'(code_length(symbol)) : SymbolBits;
    for (int b = count - 1; b >= 0; b--) begin
      stream[lane][143 - stream_bits[lane]] = (layer == 0) ? code_of(symbol) >> b : symbol >> b;
      stream_bits[lane] = stream_bits[lane] + 1;
    end
  endtask

  task automatic make_layer(input int layer);
    int active, at;
    logic signed [DeltaBits-1:0] delta;
    int operand [Lanes];
    for (int base = 0; base < outputs[layer]; base = base + Lanes) begin
      active = (outputs[layer] - base < Lanes) ? outputs[layer] - base : Lanes;
      for (int i = 0; i < inputs[layer]; i++) begin
        if (i % block_length[layer] == 0) begin
          for (int l = 0; l < active; l++) reference_of[reference_count + l] = $urandom;
          reference_count = reference_count + active;
        end
        words[word_count] = '0;
        for (int l = 0; l < active; l++) begin
          delta = $urandom;
          words[word_count][l * DeltaBits +: DeltaBits] = delta;
          if (SymbolDeltas == 1)
            encode(layer, l, 32'(words[word_count][l * DeltaBits +: DeltaBits]));
          else if (i % 2 != 0)
            encode(layer, l, 32'({words[word_count][l * DeltaBits +: DeltaBits],
                                  words[word_count - 1][l * DeltaBits +: DeltaBits]}));
          if (layer == 0 || i % block_length[layer] == 0) operand[l] = 0;
          operand[l] = operand[l] + delta;
          at = reference_count - active + l;
          weight[64 * layer + 8 * (base + l) + i]
              = $signed(reference_of[at]) + operand[l] * 2 ** shift[layer];
        end
        word_count = word_count + 1;
      end
    end
  endtask

  // One inference of plain integers.
  int activations [8], results [8];
  task automatic infer;
    int sum, value;
    for (int layer = 0; layer < Layers; layer++) begin
      for (int o = 0; o < outputs[layer]; o++) begin
        sum = 0;
        for (int i = 0; i < inputs[layer]; i++)
          sum = sum + weight[64 * layer + 8 * o + i] * activations[i];
        value = sum * scale[6 * layer + o] + offset[6 * layer + o] * 2 + 256;
        value = value >>> 9;
        if (layer == 0) value = (value < 0) ? 0 : (value > 127) ? 127 : value;
        results[o] = value;
      end
      for (int o = 0; o < 8; o++) activations[o] = results[o];
    end
  endtask

  // Streams.
  logic [7:0]         image [Images * Inputs0];
  logic signed [15:0] wanted [Images * Outputs1];
  int                 taken;

  initial begin
    wait (running);
    for (int i = 0; i < Images * Inputs0; i++) begin
      while ($urandom_range(3) == 0) @(posedge clk);
      send(image[i], i % Inputs0 == Inputs0 - 1);
    end
  end

  initial begin
    taken = 0;
    out_ready = 1'b0;
    wait (running);
    while (taken < Images * Outputs1) begin
      out_ready <= $urandom_range(3) == 0;
      @(posedge clk);
      if (out_valid && out_ready) begin
        if (out_data !== wanted[taken] || out_last !== (taken % Outputs1 == Outputs1 - 1)) begin
          $display("result %0d is %h instead of %h", taken, out_data, wanted[taken]);
          $fatal(1);
        end
        taken = taken + 1;
      end
    end
    out_ready <= 1'b0;
  end

  // CONTROL's reset withdraws an output beat that was offered and not taken. Reads in the cycles of
  // the writes see what was before.
  task automatic reset_with_an_output_offered;
    write_and_read(12'h00C, 32'd1, 12'h00C, Images);
    write_and_read(12'h004, 32'd1, 12'h008, 32'd2);
    for (int i = 0; i < Inputs0; i++) send(image[i], i == Inputs0 - 1);
    while (!out_valid) @(posedge clk);
    write_and_read(12'h004, 32'd2, 12'h008, 32'd1);
    @(posedge clk);
    demand(!out_valid, "an output beat outlives the reset");
    demand(!in_ready, "an input beat is taken in Idle");
    expect_read(12'h008, 32'd0);
    expect_read(12'h010, 32'd0);
  endtask

  // After a TLAST in the wrong place no more is taken. What the host goes on offering is the next
  // run's first beat.
  task automatic rest_of_a_packet;
    logic signed [15:0] expected [Outputs1];
    write(12'h004, 32'd1);
    for (int i = 0; i < 3; i++) send(image[i], i == 2);
    fork
      for (int i = 3; i < 3 + Inputs0; i++) send(image[i], i == 2 + Inputs0);
      begin
        expect_read(12'h008, 32'h00000C03);
        demand(!in_ready, "an input beat is taken in Error");
        strobed_write(12'h004, 32'd1, 4'b1111, 2'd2);
        strobed_write(12'h00C, 32'd1, 4'b1111, 2'd2);
        expect_read(12'h008, 32'h00000C03);
        write(12'h004, 32'd2);
        write(12'h004, 32'd1);
      end
    join
    for (int i = 0; i < Inputs0; i++) activations[i] = $signed(image[3 + i]);
    infer;
    for (int o = 0; o < Outputs1; o++) expected[o] = results[o];
    out_ready <= 1'b1;
    for (int o = 0; o < Outputs1; o++) begin
      do @(posedge clk); while (!out_valid);
      demand(out_data === expected[o], "wrong result after an error");
    end
    out_ready <= 1'b0;
    @(posedge clk);
    expect_read(12'h008, 32'd2);
  endtask

  int first;

  initial begin
    reference_count = 0;
    word_count = 0;
    outputs[0] = Inputs1;
    outputs[1] = Outputs1;
    inputs[0] = Inputs0;
    inputs[1] = Inputs1;
    block_length[0] = 4;
    block_length[1] = 6;
    shift[0] = 1;
    shift[1] = 0;
    for (int l = 0; l < Lanes; l++) begin
      stream[l] = '0;
      stream_bits[l] = 0;
    end
    for (int layer = 0; layer < Layers; layer++) make_layer(layer);
    for (int n = 0; n < 10; n++) begin
      scale[n] = 1 + $urandom_range(15);
      offset[n] = $urandom_range(2000) - 1000;
    end
    for (int n = 0; n < Images; n++) begin
      for (int i = 0; i < Inputs0; i++) begin
        image[Inputs0 * n + i] = $urandom;
        activations[i] = $signed(image[Inputs0 * n + i]);
      end
      infer;
      for (int o = 0; o < Outputs1; o++) wanted[Outputs1 * n + o] = results[o];
    end

    reset;
    expect_read(12'h000, 32'h44545731);
    expect_read(12'h008, 32'd0);
    expect_read(12'h010, 32'd0);
    write(12'h00C, 32'h12345678);
    strobed_write(12'h00C, 32'h9, 4'b0000, 2'd0);
    strobed_write(12'h00C, 32'h9, 4'b0011, 2'd2);
    strobed_write(12'h00D, 32'h9, 4'b1111, 2'd2);
    expect_read(12'h00C, 32'h12345678);

    for (int layer = 0; layer < Layers; layer++) begin
      load(32'h30000000 + 2 * layer,
           {6'd0, 1'(layer == 0 && Huffman != 0), 1'(layer == 1), 2'(layer == 0 ? Relu : Off),
            13'(outputs[layer]), 13'(inputs[layer])});
      load(32'h30000001 + 2 * layer, {15'd0, 5'd1, 3'(shift[layer]), 13'(block_length[layer])});
    end
    for (int i = 0; i < reference_count; i++) load(32'h10000000 + i, 36'(reference_of[i]));
    for (int n = 0; n < 10; n++) load(32'h20000000 + n, {20'(offset[n]), 16'(scale[n])});
    if (Huffman != 0) begin
      for (int s = 0; s < 2 ** SymbolBits; s++) load(32'h40000000 + s, 36'(code_length(s)));
      for (int l = 0; l < Lanes; l++) begin
        first = l % LanesPerBank * 4;
        for (int w = 0; w < 4; w++)
          load({4'd0, 8'(l / LanesPerBank), 20'(first + w)}, stream[l][36 * (3 - w) +: 36]);
        load(32'h50000000 + 2 * l, 36'(first));
        load(32'h50000001 + 2 * l, 36'(first + (stream_bits[l] - 1) / 36));
      end
    end else begin
      for (int b = 0; b < Banks; b++)
        for (int w = 0; w < word_count; w++)
          load({4'd0, 8'(b), 20'(w)}, 36'(words[w] >> LanesPerBank * DeltaBits * b) & 36'hf);
    end
    write(12'h00C, Images);
    write(12'h01C, Layers);
    write(12'h004, 32'd1);
    while (taken < Images * Outputs1) expect_read(12'h00C, Images);
    @(posedge clk);
    expect_read(12'h008, 32'd2);
    expect_read(12'h018, Images);
    expect_read(12'h014, 32'd0);
    reset_with_an_output_offered;
    rest_of_a_packet;
    $display("passed");
    $finish;
  end

endmodule

`default_nettype wire
