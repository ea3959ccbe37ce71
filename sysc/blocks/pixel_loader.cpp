#include "blocks/pixel_loader.h"

namespace deltatwin {

template <class Self, class Visit> void PixelInput::fields(Self& self, Visit visit) {
  visit({"number of columns of the input", 0, 0, 12}, self.columns);
  visit({"number of rows of the input", 0, 12, 12}, self.rows);
  visit({"number of channels of the input", 1, 0, 12}, self.channels);
  visit({"number of kernel columns", 1, 12, 4}, self.kernel_columns);
  visit({"left", 1, 16, 4}, self.left);
  visit({"column stride", 1, 20, 4}, self.stride);
  visit({"right", 1, 24, 4}, self.right);
  visit({"zero point", 2, 0, 8, true}, self.padding);
  visit({"code of the input map", 2, 8, 2}, self.code);
  visit({"number of words a column", 2, 16, 16}, self.groups);
  visit({"number of words a row", 3, 0, 16}, self.pitch);
  visit({"number of rows held", 3, 16, 12}, self.held);
}

PixelInput::Words PixelInput::pack() const {
  Words words{};
  fields(*this, RecordPacker<Words>{words});
  return words;
}

PixelInput PixelInput::unpack(const Words& words) {
  PixelInput input;
  fields(input, RecordUnpacker<Words>{words});
  return input;
}

} // namespace deltatwin
