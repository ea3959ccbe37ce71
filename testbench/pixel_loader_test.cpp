#include "block_bench.h"
#include "blocks/pixel_loader.h"
#include <optional>

using namespace deltatwin;

namespace {

constexpr const char* inputs[] = {"start_i", "free_i", "s_axis_tvalid_i", "s_axis_tlast_i"};

// Words of `bytes` bytes, of fields of a code of `widths`.
PixelInput random_image(RandomWork& random, int bytes, int widths, bool ring) {
  PixelInput image;
  do
    image.code = random.in(0, 3);
  while (!(widths >> image.code & 1));
  const int size = bytes << image.code; // in fields
  image.columns = random.in(1, 9);
  image.rows = random.in(1, 8);
  image.channels = random.in(0, 2) ? random.in(1, size) : random.in(1, 3 * size);
  if (image.channels <= size && random.in(0, 2)) {
    image.kernel_columns = random.in(1, std::min(15, size / image.channels));
    image.left = random.in(0, image.kernel_columns - 1);
    image.stride = random.in(1, 4);
    image.right = random.in(0, image.kernel_columns - 1);
  }
  image.padding = random.in(-128, 127);
  image.groups = (image.channels + size - 1) / size;
  image.pitch = image.columns * image.groups + random.in(0, 3);
  if (ring)
    image.held = random.in(1, image.rows);
  return image;
}

struct Word {
  int bank = 0, address = 0;
  std::vector<std::uint8_t> bytes;
};

// What the loader is at, value by value of a row; its words by the places that the contract gives them.
class Reference {
public:
  Reference(int banks, int bytes) : banks_(banks), bytes_(bytes) {}
  void reset() { active_ = false; }
  void start(const PixelInput& image) {
    image_ = image;
    size_ = bytes_ << image.code;
    active_ = true;
    credit_ = held_ = image.held ? image.held : image.rows;
    row_ = 0;
    begin_row();
  }
  void free(int rows) { credit_ += rows; }

  [[nodiscard]] bool is_padding() const { return active_ && at_ >= image_.row_values(); }
  [[nodiscard]] bool ready() const { return active_ && !is_padding() && (at_ > 0 || credit_ > 0); }
  [[nodiscard]] bool is_last() const { return row_ == image_.rows - 1 && at_ == image_.row_values() - 1; }
  [[nodiscard]] bool begins() const { return row_ == 0 && at_ == 0; }
  [[nodiscard]] bool between_images() const { return !active_ || (row_ == 0 && at_ == 0); }
  [[nodiscard]] int rows_taken() const { return held_ - credit_; }

  // A value, or padding; its word, if it completes one. `row_done`: with it the row is whole.
  std::optional<Word> take(std::uint8_t value, bool& row_done) {
    if (at_ == 0)
      --credit_;
    values_.push_back(is_padding() ? static_cast<std::uint8_t>(image_.padding) : value);
    const int pixel = at_ / image_.channels, channel = at_ % image_.channels;
    const int first = pixel + image_.left - (image_.kernel_columns - 1); // of the column that ends here
    std::optional<Word> word;
    if (first >= 0 && first % image_.stride == 0 &&
        (channel + 1 == image_.channels || (channel + 1) % size_ == 0)) {
      const int group = channel / size_;
      word = Word{(row_ + group) % banks_,
                  row_ % held_ / banks_ * image_.pitch + first / image_.stride * image_.groups + group,
                  latest()};
    }
    row_done = ++at_ == image_.row_values() + image_.row_padding();
    if (row_done) {
      row_ = (row_ + 1) % image_.rows;
      begin_row();
    }
    return word;
  }

private:
  void begin_row() {
    at_ = 0;
    values_.clear();
    for (int f = 0; f < size_; ++f) // fields of the padding's byte
      values_.push_back(
          static_cast<std::uint8_t>(static_cast<std::uint8_t>(image_.padding) >> f * (8 >> image_.code) % 8));
  }
  // The latest values' low bits, side by side.
  [[nodiscard]] std::vector<std::uint8_t> latest() const {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(bytes_));
    const int bits = 8 >> image_.code;
    for (int bit = 0; bit < 8 * bytes_; ++bit) {
      const int value = values_[values_.size() - static_cast<std::size_t>(size_ - bit / bits)];
      bytes[static_cast<std::size_t>(bit / 8)] |=
          static_cast<std::uint8_t>((value >> bit % bits & 1) << bit % 8);
    }
    return bytes;
  }
  int banks_, bytes_, size_ = 0;
  PixelInput image_;
  bool active_ = false;
  int held_ = 0, credit_ = 0, row_ = 0, at_ = 0;
  std::vector<std::uint8_t> values_;
};

void set_image(PinBench& pins, const PixelInput& image) {
  const std::pair<const char*, int> values[] = {
      {"columns_i", image.columns},   {"rows_i", image.rows},
      {"channels_i", image.channels}, {"kernel_columns_i", image.kernel_columns},
      {"left_i", image.left},         {"stride_i", image.stride},
      {"right_i", image.right},       {"pitch_i", image.pitch},
      {"held_i", image.held}};
  for (const auto& [pin, value] : values)
    pins.set(pin, static_cast<std::uint64_t>(value));
  pins.set("zero_i", static_cast<std::uint8_t>(image.padding));
  pins.set("width_i", static_cast<std::uint64_t>(image.code));
}

} // namespace

TEST_CASE("pixel_loader writes each word a cycle after its last value, where its row and group lie") {
  int words = 0, rows = 0, errors = 0, waits = 0, paddings = 0, resets = 0, packed = 0;
  for (const auto& [banks, size, widths, ring] :
       {std::tuple(3, 16, 1, false), std::tuple(1, 4, 1, false), std::tuple(7, 8, 1, false),
        std::tuple(2, 32, 1, false), std::tuple(3, 8, 15, false), std::tuple(2, 8, 9, false),
        std::tuple(1, 4, 8, false), std::tuple(3, 8, 2, false), std::tuple(1, 8, 2, true),
        std::tuple(1, 4, 1, true)}) {
    PinBench pins("pixel_loader",
                  {{"Banks", banks}, {"Channels", size}, {"Widths", widths}, {"Ring", ring ? 1 : 0}},
                  {std::begin(inputs), std::end(inputs)});
    RandomWork random(base_seed() + static_cast<std::uint64_t>(banks));
    pins.set("rst_ni", 0);
    pins.settle();
    pins.edge();
    for (int run = 0; run < repeats(40); ++run) {
      const PixelInput image = random_image(random, size, widths, ring);
      const int busy = random.in(1, 4), slow = random.in(0, 1) ? 30 : 2;
      const Cycle cycles = 600;
      Reference reference(banks, size);
      std::optional<Word> written;
      bool row_done = false;
      std::vector<std::int8_t> row; // that comes in
      std::vector<std::vector<std::uint8_t>> row_words;
      pins.set("rst_ni", 1);
      set_image(pins, image);
      for (Cycle cycle = 0; cycle < cycles; ++cycle) {
        CAPTURE(banks, size, image.code, run, cycle, base_seed());
        const bool reset = cycle + 1 == cycles || random.in(0, 999) == 0;
        const bool start = !reset && (cycle == 3 || (reference.between_images() && random.in(0, 99) == 0));
        const bool valid = !start && random.in(0, 4) < busy;
        const bool wrong = random.in(0, 399) == 0;
        const int free = start || reset || random.in(0, slow) ? 0 : random.in(0, reference.rows_taken());
        const auto value = static_cast<std::uint8_t>(random.in(0, 255));
        const bool ready = !reset && reference.ready();
        const bool take = ready && valid, error = take && wrong;
        pins.set("rst_ni", !reset);
        pins.set("start_i", start);
        pins.set("s_axis_tvalid_i", valid);
        pins.set("s_axis_tlast_i", reference.is_last() != wrong);
        pins.set("s_axis_tdata_i", value);
        pins.set("free_i", free > 0);
        pins.set("free_rows_i", static_cast<std::uint64_t>(free));
        pins.settle();
        REQUIRE(pins.get("s_axis_tready_o") == ready);
        REQUIRE(pins.get("error_o") == error);
        REQUIRE(pins.get("begin_o") == (take && !error && reference.begins()));
        REQUIRE(pins.get("row_done_o") == row_done);
        REQUIRE(pins.get("we_o") == written.has_value());
        if (written) {
          REQUIRE(pins.get("bank_o") == static_cast<std::uint64_t>(written->bank));
          REQUIRE(pins.get("address_o") == static_cast<std::uint64_t>(written->address));
          REQUIRE(pins.bytes("data_o") == written->bytes);
        }
        pins.edge();

        waits += valid && !reset && !ready && !reference.is_padding();
        errors += error;
        words += written.has_value();
        if (written)
          row_words.push_back(written->bytes);
        if (row_done) { // the model makes words of whole rows
          std::vector<std::vector<std::uint8_t>> modelled;
          image.words_of(row.data(), size, [&, size = size](const std::int8_t* bytes) {
            modelled.emplace_back(bytes, bytes + size);
          });
          REQUIRE(row_words == modelled);
          ++rows;
        }
        if (row_done || reset || start || error) {
          row.clear();
          row_words.clear();
        }
        written.reset();
        row_done = false;
        if (reset) {
          resets += !reference.between_images();
          reference.reset();
          continue;
        }
        reference.free(free);
        if (reference.is_padding()) {
          ++paddings;
          written = reference.take(0, row_done);
        } else if (error) {
          reference.reset();
        } else if (take) {
          row.push_back(static_cast<std::int8_t>(value));
          written = reference.take(value, row_done);
        }
        packed += written && image.kernel_columns > 1;
        if (start)
          reference.start(image);
      }
    }
  }
  CHECK(words > 5000);
  CHECK(rows > 500);
  CHECK(packed > 500);
  CHECK(errors > 20);
  CHECK(waits > 1000);
  CHECK(paddings > 500);
  CHECK(resets > 20);
}
