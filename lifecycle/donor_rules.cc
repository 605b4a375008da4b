#include "lifecycle/rules.h"

namespace custody {

std::span<const Rule> DonorRules() { return {}; }

}  // namespace custody
