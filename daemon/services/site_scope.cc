#include "daemon/services/site_scope.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

bool IsOrganisation(v1::SubjectKind kind) {
  switch (kind) {
    case v1::SUBJECT_KIND_LEDGER:
    case v1::SUBJECT_KIND_PERSON:
    case v1::SUBJECT_KIND_DEVICE:
    case v1::SUBJECT_KIND_SITE:
    case v1::SUBJECT_KIND_PRODUCT:
    case v1::SUBJECT_KIND_POLICY:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status CheckRecordSite(const Principal& principal, std::string_view event_bytes) {
  if (principal.covers_all_sites()) return absl::OkStatus();
  v1::Event event;
  if (!event.ParseFromArray(event_bytes.data(), static_cast<int>(event_bytes.size()))) {
    return absl::OkStatus();
  }
  return CheckSite(principal, event.site_id());
}

bool EntryVisible(const Principal& principal, std::string_view entry_bytes) {
  if (principal.covers_all_sites()) return true;
  v1::Entry entry;
  if (!entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size()))) return false;
  if (entry.has_seal()) return true;
  v1::Event event;
  if (!event.ParseFromString(entry.signed_event().event())) return false;
  return event.site_id().empty() || principal.covers(event.site_id());
}

absl::StatusOr<bool> SubjectVisible(const LedgerReader& reader, const Principal& principal,
                                    const SubjectKey& subject) {
  if (principal.covers_all_sites() || IsOrganisation(subject.kind)) return true;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(subject));
  if (state == nullptr) return false;
  const std::uint64_t count = state->event_count();
  const std::uint64_t first = count > kScopeEntriesMax ? count - kScopeEntriesMax : 0;
  CUSTODY_ASSIGN_OR_RETURN(std::vector<std::uint64_t> indices,
                           reader.Chain(subject, first, kScopeEntriesMax));
  std::reverse(indices.begin(), indices.end());
  for (const std::uint64_t index : indices) {
    CUSTODY_ASSIGN_OR_RETURN(const StoredEntry stored, reader.GetEntry(index));
    v1::Entry entry;
    v1::Event event;
    if (!entry.ParseFromString(stored.bytes) ||
        !event.ParseFromString(entry.signed_event().event())) {
      return absl::DataLossError(absl::StrFormat("entry %u does not parse", index));
    }
    if (!event.site_id().empty() && principal.covers(event.site_id())) return true;
  }
  return false;
}

absl::Status CheckSubject(const LedgerReader& reader, const Principal& principal,
                          const SubjectKey& subject) {
  CUSTODY_ASSIGN_OR_RETURN(const bool visible, SubjectVisible(reader, principal, subject));
  if (visible) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(subject));
  if (state == nullptr) return absl::OkStatus();
  return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                       absl::StrFormat("%s has no entry of a site of client \"%s\"",
                                       Describe(subject), principal.label),
                       "ask a client that is enrolled for one of the sites of this subject; "
                       "VerifyDose answers for any container");
}

}  // namespace custody
