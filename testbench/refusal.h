#pragma once
#include "base/error.h"
#include <string>

namespace deltatwin {

/// What an InputError of `work` says; "accepted" where there is none.
template <class Work> std::string refusal(Work work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

} // namespace deltatwin
