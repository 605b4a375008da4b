#include "lifecycle/subject.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "base/bytes.h"

namespace custody {
namespace {

constexpr std::array<std::string_view, 19> kKindNames = {
    "",           "ledger",   "person",  "device",   "series",   "site",  "principal",
    "product",    "policy",   "donor",   "donation", "material", "batch", "container",
    "identifier", "shipment", "patient", "order",    "case"};

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kSeriesIdBytes = kIdBytes + 7;  // "YYYY-MM"
constexpr std::size_t kIdentifierBytesMin = 3;
constexpr std::size_t kIdentifierBytesMax = 128;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsMonth(std::string_view text) {
  if (text.size() != 7 || text[4] != '-') return false;
  for (const std::size_t i : {0U, 1U, 2U, 3U, 5U, 6U}) {
    if (!IsDigit(text[i])) return false;
  }
  const int month = (text[5] - '0') * 10 + (text[6] - '0');
  return month >= 1 && month <= 12;
}

bool IsIdentifier(std::string_view text) {
  if (text.size() < kIdentifierBytesMin || text.size() > kIdentifierBytesMax) return false;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

}  // namespace

SubjectKey KeyOf(const v1::SubjectRef& ref) { return {ref.kind(), ref.id()}; }

v1::SubjectRef RefOf(const SubjectKey& key, v1::SubjectRole role) {
  v1::SubjectRef ref;
  ref.set_kind(key.kind);
  ref.set_id(key.id);
  ref.set_role(role);
  return ref;
}

std::string_view KindName(v1::SubjectKind kind) {
  const auto position = static_cast<std::size_t>(kind);
  return position < kKindNames.size() ? kKindNames[position] : std::string_view();
}

Digest IndexKeyOf(const SubjectKey& key) {
  Sha256Hasher hasher;
  hasher.Update(KindName(key.kind))
      .Update(std::string_view("\0", 1))
      .Update(std::string_view(key.id));
  return hasher.Finish();
}

std::string Describe(const SubjectKey& key) {
  const std::string_view name = KindName(key.kind);
  if (key.kind == v1::SUBJECT_KIND_IDENTIFIER && ValidateSubjectId(key.kind, key.id).ok()) {
    return absl::StrFormat("%s %s", name, key.id);
  }
  if (key.kind == v1::SUBJECT_KIND_SERIES && ValidateSubjectId(key.kind, key.id).ok()) {
    const std::string_view id = key.id;
    return absl::StrFormat("%s %s %s", name, ToHex(id.substr(0, kIdBytes)), id.substr(kIdBytes));
  }
  return absl::StrFormat("%s %s", name.empty() ? "subject" : name, ToHex(std::string_view(key.id)));
}

absl::Status ValidateSubjectId(v1::SubjectKind kind, std::string_view id) {
  const std::string_view name = KindName(kind);
  if (name.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("subject kind %d is not known", static_cast<int>(kind)));
  }
  bool good = false;
  if (kind == v1::SUBJECT_KIND_IDENTIFIER) {
    good = IsIdentifier(id);
  } else if (kind == v1::SUBJECT_KIND_SERIES) {
    good = id.size() == kSeriesIdBytes && IsMonth(id.substr(kIdBytes));
  } else {
    good = id.size() == kIdBytes;
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("id of a %s has the wrong form (%d bytes)", name, id.size()));
}

}  // namespace custody
