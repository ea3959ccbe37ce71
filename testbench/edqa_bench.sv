// The edqa in 4-state simulation: from a reset of one cycle on no X on any handshake, nor on a payload
// that is offered, while channels go through in every mode that the design has, with stalls on both
// streams; what comes out is held against plain integer arithmetic (floats are integers in value, so
// that this is exact), and in the modes with static books the sizes, too. Inputs that are not valid are
// X. Then what goes wrong: a channel that is too long, a value without a code, a flipped bit, a bad
// configuration and a bad book.

`default_nettype none

module edqa_bench;

  parameter int Format = 0;
  parameter int Channels = 1;
  parameter int Dynamic = 1;
  parameter int Whole = 1;

  localparam int Bits = 3, Extra = (Format == 1 && Whole == 0) ? 4 : 3, Depth = 40;
  localparam int Books = (Whole != 0) ? 4 : 1;
  localparam int Groups = 8, Longest = Groups * Depth;
  localparam int ValueBits = (Format == 0) ? 16 : 32, ResultBits = (Format == 1) ? 64 : 32;
  localparam int LaneBits = $clog2(Channels), Lanes = 2 ** LaneBits;
  localparam int Paper = 0, Static = 1, WholeMode = 2;

  localparam int InDataBits = ValueBits * Channels, OutDataBits = ResultBits * Channels;

  `include "host_tasks.svh"

  edqa #(
    .Format(Format),
    .Bits(Bits),
    .Extra(Extra),
    .Depth(Depth),
    .Dynamic(Dynamic),
    .Whole(Whole),
    .Books(Books),
    .Channels(Channels)
  ) u_edqa (
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

  // One run: its configuration, and what goes in and comes out.
  int mode, bits, extra, rows, row, books;
  bit is_signed, half_down, raw;

  int                     values [Channels * Longest];  // [beat * Channels + lane]
  bit                     lasts [Longest];
  logic [OutDataBits-1:0] results [Longest];
  int                     sizes [64];  // [group modulo 64 >> LaneBits, lane]
  int                     count, sent, taken;
  int                     scales [64];
  bit                     directs [64];
  int                     lengths [8 * 64];
  int                     book_of [64];
  bit                     feeding;

  // A value's bits: of an integer, or of the float n / 2^scale. Not 0: normalized to 24 bits.
  function automatic logic [31:0] float_bits(input longint n, input int scale);
    longint magnitude;
    int     exponent;
    magnitude = (n < 0) ? -n : n;
    exponent = 127 + 23 - scale;
    while (magnitude != 0 && magnitude < 8388608) begin
      magnitude = magnitude * 2;
      exponent = exponent - 1;
    end
    float_bits = (n == 0) ? 32'd0 : {n < 0, 8'(exponent), magnitude[22:0]};
  endfunction

  function automatic logic [ValueBits-1:0] value_bits(input int n);
    value_bits = (Format == 2) ? float_bits(n, 0) : n;
  endfunction

  // v = a * 2^k / maximum, rounded and clamped.
  function automatic int quantize(input longint a, input longint maximum, input int total);
    longint magnitude, one, quotient, rest;
    bit     up;
    int     result;
    one = 1;
    one = one << (is_signed ? total - 1 : total);
    magnitude = (a < 0) ? -a : a;
    result = 0;
    if (maximum != 0 && (a >= 0 || is_signed)) begin
      quotient = magnitude * one / maximum;
      rest = magnitude * one % maximum;
      up = 2 * rest > maximum;
      if (2 * rest == maximum) up = half_down ? a < 0 : quotient[0];
      if (up) quotient = quotient + 1;
      if (quotient > one) quotient = one;
      result = (a < 0) ? -quotient : quotient;
      if (result == one) result = one - 1;
    end
    quantize = result;
  endfunction

  // What a channel of one lane gives, from a beat to a beat.
  task automatic expect_channel(input int from, input int until_beat, input int lane, input int group);
    longint maximum;
    int     entry, v, w, q, se, symbol, size, book, above [64];
    bit     coded;
    entry = (group % rows) * Lanes + lane;
    maximum = scales[entry];
    if (mode == Paper) begin
      maximum = 0;
      for (int i = from; i < until_beat; i++) begin
        v = values[i * Channels + lane];
        if (v < 0) v = is_signed ? -v : 0;
        if (v > maximum) maximum = v;
      end
    end
    coded = mode == WholeMode || (extra > 0 && !directs[entry]);
    size = 0;
    for (int i = from; i < until_beat; i++) begin
      v = (coded || extra == 0) ? quantize(values[i * Channels + lane], maximum, bits + extra)
          : quantize(values[i * Channels + lane], maximum, bits) << extra;
      q = v >>> extra;
      se = v - (q << extra);
      w = raw ? (q + se) << extra : v;
      symbol = (mode == WholeMode) ? v & ((1 << (bits + extra)) - 1) : se;
      book = (mode == WholeMode && books > 1 && i - from >= row) ? above[(i - from) % row] : 0;
      above[(i - from) % row] = book_of[symbol] % books;
      if (coded) size = size + lengths[book * 64 + symbol];
      if (Format == 2)
        results[i][ResultBits*lane +: ResultBits] =
            float_bits(maximum * w, is_signed ? bits + extra - 1 : bits + extra);
      else
        results[i][ResultBits*lane +: ResultBits] = ResultBits'(maximum * w);
    end
    sizes[(group % (64 / Lanes)) * Lanes + lane] = size;
  endtask

  task automatic random_group(input int group);
    int length, from, largest, n;
    from = count;
    length = (group == 0) ? Depth : (group < 4) ? 1 : 1 + $urandom_range(Depth - 1);
    for (int lane = 0; lane < Channels; lane++) begin
      largest = (group == 5) ? 0 : 1 + $urandom_range((group % 2 == 0) ? 4000 : 30);
      for (int i = from; i < from + length; i++) begin
        n = $urandom_range(2 * largest);
        n = n - largest;
        values[i * Channels + lane] = ($urandom_range(3) == 0) ? 0 : n;
        lasts[i] = i == from + length - 1;
      end
      expect_channel(from, from + length, lane, group);
    end
    count = from + length;
  endtask

  // Lengths that use all space, of 2^log symbols: all the same, or short for the first one.
  task automatic choose_lengths(input int book, input int log, input bit skewed);
    for (int s = 0; s < 2 ** log; s++)
      lengths[book * 64 + s] = !skewed ? log : (s == 0) ? 1 : (s == 1) ? log : log + 1;
  endtask

  task automatic configure;
    logic [31:0] mask;
    write(12'h010, {17'd0, raw, half_down, is_signed, 2'd0, mode[1:0], 1'b0, extra[2:0], bits[3:0]});
    write(12'h014, rows);
    write(12'h018, {12'd0, books[3:0], 9'd0, row[6:0]});
    expect_read(12'h018, {12'd0, books[3:0], 9'd0, row[6:0]});
    for (int entry = 0; entry < rows * Lanes; entry++) begin
      scales[entry] = (entry == 1) ? 0 : 1 + $urandom_range(4000);
      directs[entry] = $urandom_range(2) == 0;
      if (entry % Lanes < Channels) begin
        write(12'h200 + 4 * entry, value_bits(scales[entry]));
        write(12'h300 + 4 * entry, {31'h2aaaaaaa, directs[entry]});
      end else begin
        strobed_write(12'h200 + 4 * entry, 32'd1, 4'b1111, 2'd2);
      end
    end
    if (mode != Paper) begin
      for (int book = 0; book < ((mode == Static) ? 1 : books); book++) begin
        choose_lengths(book, (mode == Static) ? extra : bits + extra, book % 2 == 1 || mode == Static);
        for (int s = 0; s < ((mode == Static) ? 2 ** extra : 2 ** (bits + extra)); s++)
          write(12'h800 + 4 * (book * 64 + s), lengths[book * 64 + s]);
      end
    end
    if (Books > 1) begin
      for (int s = 0; s < 64; s++) begin
        book_of[s] = $urandom_range(7);
        write(12'h400 + 4 * s, book_of[s]);
      end
    end else begin
      strobed_write(12'h400, 32'd0, 4'b1111, 2'd2);
    end
  endtask

  logic [31:0] value;

  task automatic start;
    write(12'h004, 32'd1);
    do read(12'h008, value); while (value[1:0] == 2'd1);
  endtask

  // Groups through a configured design.
  task automatic run;
    configure;
    count = 0;
    for (int group = 0; group < Groups; group++) random_group(group);
    start;
    expect_read(12'h008, 32'h10);
    sent = 0;
    taken = 0;
    feeding = 1'b1;
    while (taken < count) read(12'h008, value);
    feeding = 1'b0;
    repeat (4) @(posedge clk);
    expect_read(12'h008, 32'h10);
    for (int group = 0; group < Groups && group < 64 / Lanes; group++)
      for (int lane = 0; lane < Channels; lane++) begin
        read(12'h100 + 4 * (group * Lanes + lane), value);
        if (mode != Paper) demand(value == sizes[group * Lanes + lane], "another size");
        else demand(value <= 8 * Depth, "a size that cannot be");
      end
  endtask

  logic [InDataBits-1:0] beat;

  initial begin
    feeding = 1'b0;
    sent = 0;
    wait (running);
    forever begin
      @(posedge clk);
      while (feeding && sent < count) begin
        while ($urandom_range(3) == 0) @(posedge clk);
        for (int lane = 0; lane < Channels; lane++)
          beat[ValueBits*lane +: ValueBits] = value_bits(values[sent * Channels + lane]);
        send(beat, lasts[sent]);
        sent = sent + 1;
      end
    end
  end

  initial begin
    taken = 0;
    out_ready = 1'b0;
    wait (running);
    forever begin
      out_ready <= $urandom_range(3) != 0;
      @(posedge clk);
      if (out_valid && out_ready) begin
        if (feeding && (out_data !== results[taken] || out_last !== lasts[taken]))
          $display("mode %0d: beat %0d gives %h %b instead of %h %b", mode, taken, out_data, out_last,
                   results[taken], lasts[taken]);
        demand(!feeding || (taken < count && out_data === results[taken] && out_last === lasts[taken]),
               "another value comes out");
        taken = taken + 1;
      end
    end
  end

  // `length` values of one kind; the last one ends the channel if `ends`.
  task automatic send_same(input int length, input int n, input bit ends);
    for (int lane = 0; lane < Channels; lane++) beat[ValueBits*lane +: ValueBits] = value_bits(n);
    for (int i = 0; i < length; i++) send(beat, ends && i == length - 1);
  endtask

  task automatic expect_error(input [31:0] status, input int groups);
    repeat (100) @(posedge clk);
    read(12'h008, value);
    if ((value & 32'hff0f) !== status) $display("STATUS is %h instead of %h", value, status);
    demand((value & 32'hff0f) === status, "another error");
    demand(in_ready === 1'b0, "an error does not stop the input");
    expect_read(12'h00C, groups);
    write(12'h004, 32'd2);
    repeat (2) @(posedge clk);
    expect_read(12'h008, 32'd0);
    expect_read(12'h00C, 32'd0);
  endtask

  task automatic choose(input int new_mode, input int new_bits, input int new_extra, input bit [2:0] flags);
    mode = new_mode;
    bits = new_bits;
    extra = new_extra;
    {raw, half_down, is_signed} = flags;
    rows = 1 + $urandom_range((64 / Lanes > 3) ? 3 : 64 / Lanes - 1);
    row = 4 + $urandom_range(5);
    books = (mode == WholeMode && Books > 1) ? 2 << $urandom_range(1) : 1;
  endtask

  // All of the flags in turn, the largest N and m first.
  task automatic run_random(input int new_mode, input int i);
    choose(new_mode, (i == 0) ? Bits : 2 + $urandom_range(Bits - 2), (i == 0) ? Extra : $urandom_range(Extra),
           ~i[2:0]);
    run;
  endtask

  initial begin
    reset;
    expect_read(12'h000, 32'h44544531);
    expect_read(12'h010, 32'h1000 | ((Dynamic != 0) ? 0 : 32'h100) | (Extra << 4) | Bits);
    expect_read(12'h014, 32'd1);
    expect_read(12'h018, 32'h10004);
    expect_read(12'h020, (Channels << 20) | (Books << 16) | (Whole << 13) | (Dynamic << 12) | (Extra << 8)
                         | (Bits << 4) | Format);
    expect_read(12'h024, Depth);
    for (int i = 0; i < ((Channels > 1) ? 8 : 16); i++) begin
      if (Dynamic != 0) run_random(Paper, i);
      run_random(Static, i);
      if (Whole != 0) run_random(WholeMode, i);
    end
    write(12'h004, 32'd2);
    repeat (2) @(posedge clk);

    // Too long; the group before leaves.
    choose(Static, 3, 3, 3'd1);
    configure;
    write(12'h300, 32'd0);
    rows = 1;
    write(12'h014, 32'd1);
    start;
    send_same(2, 100, 1'b1);
    send_same(Depth, 100, 1'b0);
    expect_error(32'h0103, 1);
    // No code: symbol 1 has none in a book of the others. 100 of 127 with 6 bits is 25, 8 of 127 is 2.
    for (int s = 0; s < 8; s++) write(12'h800 + 4 * s, (s == 1) ? 32'd0 : (s == 0) ? 32'd2 : 32'd3);
    for (int lane = 0; lane < Channels; lane++) write(12'h200 + 4 * lane, value_bits(127));
    for (int lane = 0; lane < Channels; lane++) write(12'h300 + 4 * lane, 32'd0);
    start;
    send_same(3, 8, 1'b1);
    send_same(3, 100, 1'b1);
    send_same(3, 8, 1'b1);
    expect_error(32'h0203, 1);
    // A flipped bit behind the codes of the second word of the next channel.
    start;
    expect_read(12'h008, 32'h10);
    write(12'h028, {4'd0, 12'd1, 10'd0, 6'd0});
    send_same(20, 8, 1'b1);
    expect_error(32'hc303, 0);
    // Bad configurations.
    write(12'h010, 32'h1137 + 32'd6);
    write(12'h004, 32'd1);
    expect_error(32'h0403, 0);
    write(12'h010, 32'h1133);
    write(12'h014, 32'd0);
    write(12'h004, 32'd1);
    expect_error(32'h0403, 0);
    // A bad book.
    write(12'h014, 32'd1);
    write(12'h800, 32'd1);
    write(12'h804, 32'd1);
    start;
    expect_error(32'h0503, 0);
    strobed_write(12'h004, 32'd0, 4'b1111, 2'd0);
    $display("passed");
    $finish;
  end

endmodule

`default_nettype wire
