#include "lifecycle/rules.h"

#include <array>

namespace custody {
namespace {

constexpr std::size_t kBodyCasesMax = 512;

// Body case to rule, filled once from the areas.
std::array<const Rule*, kBodyCasesMax> BuildTable() {
  std::array<const Rule*, kBodyCasesMax> table{};
  for (const std::span<const Rule> area :
       {GovernanceRules(), RecordRules(), VigilanceRules(), DonorRules(), ProcurementRules(),
        ManufacturingRules(), QualityRules(), StorageRules(), ShipmentRules(), ClinicalRules()}) {
    for (const Rule& rule : area) table[static_cast<std::size_t>(rule.body_case)] = &rule;
  }
  return table;
}

}  // namespace

const Rule* FindRule(v1::Event::BodyCase body_case) {
  static const std::array<const Rule*, kBodyCasesMax> table = BuildTable();
  const auto position = static_cast<std::size_t>(body_case);
  return position < table.size() ? table[position] : nullptr;
}

}  // namespace custody
