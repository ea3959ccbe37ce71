#pragma once
#include "import/post_training.h"
#include "net/image_set.h"
#include "net/input_set.h"
#include <string>

namespace deltatwin {

/// Inputs of a float network from a file. Floats of a .npy are what the network takes, in its own order of
/// dimensions or in that of its tensor (rows, columns, channels); bytes 0..255 stand for 0..`full_scale`, and
/// images and raw records lie as rows, columns, channels. `limit` of them, or, 0, all.
[[nodiscard]] GivenInputs load_given_inputs(const std::string& path, const FloatGraph& network,
                                            ByteType bytes, double full_scale, int limit);
/// The same of images; `origin` names them in errors.
[[nodiscard]] GivenInputs given_inputs(const ImageSet& images, const FloatGraph& network, double full_scale,
                                       const std::string& origin);

} // namespace deltatwin
