#include "tops/registry.h"
#include "base/error.h"
#include "tops/accelerator/family.h"
#include "tops/array/family.h"
#include "tops/codec/family.h"
#include "tops/edqa/family.h"
#include "tops/noisyquant/family.h"
#include <algorithm>

namespace deltatwin {

const std::vector<const TopFamily*>& families() {
  static const std::vector<const TopFamily*> all = {
      &accelerator_family(), &array_family(), &codec_family(), &edqa_family(), &noisyquant_family(),
  };
  return all;
}

const TopFamily& find_family(const std::string& name) {
  const auto& all = families();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const TopFamily* family) { return family->name() == name; });
  if (found != all.end())
    return **found;
  std::string names;
  for (const TopFamily* family : all)
    names += (names.empty() ? "" : ", ") + family->name();
  throw InputError("unknown top \"" + name + "\"; known are " + names);
}

} // namespace deltatwin
