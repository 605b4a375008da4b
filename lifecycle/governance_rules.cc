#include "lifecycle/rules.h"

namespace custody {

std::span<const Rule> GovernanceRules() { return {}; }

}  // namespace custody
