#include "lifecycle/finding_budget.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace custody {
namespace {

// A link is at most 2 + 11 + 34 bytes, a finding has 2 bytes around it; the rest of an entry fits
// into 64.
constexpr std::size_t kLinkBytesMax = 48;
constexpr std::size_t kRestBytesMax = 64;

std::size_t SizeOf(const std::vector<v1::Finding>& findings) {
  std::size_t bytes = 0;
  for (const v1::Finding& finding : findings) bytes += finding.ByteSizeLong() + 3;
  return bytes;
}

void DropRepetitions(std::vector<v1::Finding>* findings) {
  std::set<std::tuple<int, int, std::string, bool>> seen;
  std::vector<v1::Finding> kept;
  for (v1::Finding& finding : *findings) {
    const bool added =
        seen.emplace(finding.code(), finding.severity(), finding.detail(), finding.authority())
            .second;
    if (added) kept.push_back(std::move(finding));
  }
  *findings = std::move(kept);
}

}  // namespace

std::string ShortenText(std::string_view text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  if (end < text.size()) {
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  }
  std::string shortened(text.substr(0, end));
  for (char& c : shortened) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') c = ' ';
  }
  return shortened;
}

void FitFindings(const ParsedEvent& event, std::vector<v1::Finding>* findings) {
  for (v1::Finding& finding : *findings) {
    finding.set_detail(ShortenText(finding.detail(), kFindingDetailBytesMax));
  }
  DropRepetitions(findings);
  const std::size_t used =
      event.signed_event.ByteSizeLong() + event.subjects.size() * kLinkBytesMax + kRestBytesMax;
  const std::size_t budget = used < kEntryBytesMax ? kEntryBytesMax - used : 0;
  if (SizeOf(*findings) <= budget) return;
  for (v1::Finding& finding : *findings) finding.clear_detail();
  DropRepetitions(findings);
}

}  // namespace custody
