#include "lifecycle/lot_values.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/bytes.h"
#include "lifecycle/decimal.h"

namespace custody {
namespace {

Decimal ToDecimal(const v1::Decimal& value) {
  return *Decimal::Create(value.coefficient(), std::min(value.decimals(), Decimal::kDecimalsMax));
}

}  // namespace

std::uint64_t SaturatingAdd(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return b > most - a ? most : a + b;
}

std::weak_ordering CompareDecimals(const v1::Decimal& a, const v1::Decimal& b) {
  return ToDecimal(a) <=> ToDecimal(b);
}

std::int64_t LabelDifference(const v1::LabelsReconciled& body) {
  return std::int64_t{body.printed()} - std::int64_t{body.used()} - std::int64_t{body.destroyed()};
}

bool StatesCryoprotectant(const v1::FormulatedAndFilled& body) {
  return body.has_cryoprotectant_percent_vv() &&
         body.cryoprotectant_percent_vv().coefficient() >= 0;
}

int EnvironmentRank(std::string_view class_name) {
  constexpr std::string_view kClasses = "ABCD";
  const std::size_t place = class_name.size() == 1 ? kClasses.find(class_name) : kClasses.npos;
  return place == kClasses.npos ? 5 : static_cast<int>(place) + 1;
}

bool IsEnvironmentFailure(const v1::Finding& finding, std::string_view batch_id) {
  if (finding.code() != v1::REASON_CODE_E_POLICY) return false;
  // Without a detail, which had to go in a large entry, nobody can say that it was not this batch.
  return finding.detail().empty() ||
         finding.detail().starts_with(ToHex(batch_id) + " " + kEnvironmentDetail);
}

}  // namespace custody
