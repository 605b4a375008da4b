// Arithmetic of manufacture: sums that cannot wrap, decimals by value, balances.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_LOT_VALUES_H_
#define CUSTODY_LIFECYCLE_LOT_VALUES_H_

#include <compare>
#include <cstdint>
#include <string_view>

#include "custody/v1/manufacturing_events.pb.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/types.pb.h"

namespace custody {

inline constexpr std::int64_t kMillisecondsPerDay = 86'400'000;

// Stops at the largest number instead of wrapping.
std::uint64_t SaturatingAdd(std::uint64_t a, std::uint64_t b);

// By value: 10 equals 10.0. More than nine decimals, which the parser refuses, compare as nine.
std::weak_ordering CompareDecimals(const v1::Decimal& a, const v1::Decimal& b);

// printed - used - destroyed; 0 when all labels are accounted for.
std::int64_t LabelDifference(const v1::LabelsReconciled& body);

// The fill says how much cryoprotectant there is; without it nobody may take it for none.
bool StatesCryoprotectant(const v1::FormulatedAndFilled& body);

// Environment classes of EU GMP Annex 1: 1 for A to 4 for D, 5 for anything else: unknown is worst.
int EnvironmentRank(std::string_view class_name);

// The finding says that the environment of this batch was not the one that its policy asks for.
bool IsEnvironmentFailure(const v1::Finding& finding, std::string_view batch_id);
inline constexpr char kEnvironmentDetail[] = "ENVIRONMENT";

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LOT_VALUES_H_
