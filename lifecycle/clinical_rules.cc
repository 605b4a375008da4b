#include "lifecycle/rules.h"

namespace custody {

std::span<const Rule> ClinicalRules() { return {}; }

}  // namespace custody
