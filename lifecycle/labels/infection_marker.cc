#include "lifecycle/labels/infection_marker.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

// Two markers to a digit: digit = 3 x first + second. The second of the tenth is unassigned.
constexpr std::string_view kMarkerNames[] = {
    "HIV-1/2 antibody",
    "HIV p24 antigen",
    "HIV genome",
    "HCV antibody",
    "HCV antigen",
    "HCV genome",
    "HBc antibody",
    "HBs antigen",
    "HBV genome",
    "HTLV-I/II antibody",
    "syphilis antibody",
    "CMV antibody",
    "CMV genome",
    "EBV genome",
    "WNV genome",
    "parvovirus B19 antibody",
    "parvovirus B19 genome",
    "Chagas antibody",
    "HEV genome",
};
constexpr std::size_t kMarkerDigits = 10;

MarkerResult ResultOf(int value) {
  if (value == 1) return MarkerResult::kNegative;
  return value == 2 ? MarkerResult::kReactive : MarkerResult::kNoInformation;
}

absl::Status MarkerError(std::size_t position) {
  return LabelError(
      "E_SCAN_MALFORMED",
      absl::StrFormat("digit %d of the infection markers stands for no result; scan the "
                      "label again",
                      position));
}

}  // namespace

absl::StatusOr<std::vector<InfectionMarker>> ParseInfectionMarkers(std::string_view digits) {
  CUSTODY_RETURN_IF_ERROR(
      CheckPattern(digits, "N18", "E_SCAN_MALFORMED", "the infection marker structure"));
  std::vector<InfectionMarker> markers;
  for (std::size_t i = 0; i < kMarkerDigits; ++i) {
    const int digit = digits[i] - '0';
    if (digit > 8) return MarkerError(i + 1);
    markers.push_back({kMarkerNames[2 * i], ResultOf(digit / 3)});
    if (2 * i + 1 < std::size(kMarkerNames)) {
      markers.push_back({kMarkerNames[2 * i + 1], ResultOf(digit % 3)});
    } else if (digit % 3 != 0) {
      return MarkerError(i + 1);
    }
  }
  return markers;
}

}  // namespace custody
