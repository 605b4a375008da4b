#include "lifecycle/rules.h"

namespace custody {

std::span<const Rule> StorageRules() { return {}; }

}  // namespace custody
