#pragma once
#include "net/float_network.h"
#include "net/image_set.h"
#include <cstddef>
#include <vector>

namespace deltatwin {

/// A block's outputs for some images.
struct Activations {
  int images = 0;
  BlockShape shape{};
  std::vector<float> values{}; ///< [images][channels][rows][columns]

  [[nodiscard]] std::size_t plane() const {
    return static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.columns);
  }
  /// A channel of an image.
  [[nodiscard]] float* channel(int image, int number) {
    return values.data() + (static_cast<std::size_t>(image) * static_cast<std::size_t>(shape.channels) +
                            static_cast<std::size_t>(number)) *
                               plane();
  }
  [[nodiscard]] const float* channel(int image, int number) const {
    return const_cast<Activations*>(this)->channel(image, number);
  }
};

/// A float network that runs block by block, so that what is between blocks can be changed. Functions may be
/// called by several threads at once.
class Stages {
public:
  virtual ~Stages() = default;
  /// Of every block's output.
  [[nodiscard]] virtual const std::vector<BlockShape>& shapes() const = 0;
  /// What the first block takes.
  [[nodiscard]] virtual Activations begin(const ImageSet& set, int first, int count) const = 0;
  [[nodiscard]] virtual Activations block(std::size_t number, const Activations& input) const = 0;
  /// The class of each image, from the last block's output.
  [[nodiscard]] virtual std::vector<int> classify(const Activations& values) const = 0;
};

/// Calls work(i) for i in 0..count-1 on so many threads; what one throws is thrown again.
template <class Work> void in_parallel(int count, int threads, Work work);

} // namespace deltatwin

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace deltatwin {

template <class Work> void in_parallel(int count, int threads, Work work) {
  std::atomic<int> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&] {
    for (int i = next++; i < count; i = next++)
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        failure = std::current_exception();
        next = count;
      }
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads && t < count; ++t)
    others.emplace_back(run);
  run();
  for (std::thread& other : others)
    other.join();
  if (failure)
    std::rethrow_exception(failure);
}

} // namespace deltatwin
