#include "daemon/services/entry_lookup.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/services/site_scope.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/scan.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

absl::StatusOr<std::uint64_t> FoundIndex(absl::StatusOr<std::optional<std::uint64_t>> found) {
  CUSTODY_RETURN_IF_ERROR(found.status());
  if (!found->has_value()) return absl::NotFoundError("no such event in the log");
  return **found;
}

template <typename Request>
absl::StatusOr<std::uint64_t> IndexOf(const LedgerReader& reader, const Request& request) {
  switch (request.which_case()) {
    case Request::kIndex:
      return request.index();
    case Request::kEventId:
      if (request.event_id().size() != 16) {
        return absl::InvalidArgumentError(
            absl::StrFormat("event_id has %u bytes, want 16", request.event_id().size()));
      }
      return FoundIndex(reader.FindByEventId(request.event_id()));
    case Request::kEventDigest: {
      CUSTODY_ASSIGN_OR_RETURN(const Digest digest, Digest::FromBytes(request.event_digest()));
      return FoundIndex(reader.FindByDigest(digest));
    }
    case Request::WHICH_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("the request names no index, event_id or event_digest");
}

template <typename Request>
absl::StatusOr<StoredEntry> FindEntry(const LedgerReader& reader, const Principal& principal,
                                      const Request& request) {
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t index, IndexOf(reader, request));
  CUSTODY_ASSIGN_OR_RETURN(StoredEntry entry, reader.GetEntry(index));
  if (EntryVisible(principal, entry.bytes)) return entry;
  return RefusalStatus(
      absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
      absl::StrFormat("entry %u is not of a site of client \"%s\"", index, principal.label),
      "ask a client that is enrolled for the site of this event");
}

// Label errors name their reason as text.
absl::Status ScanRefusal(const absl::Status& status) {
  v1::ReasonCode code = ReasonFromName(ReasonCodeOf(status));
  if (code == v1::REASON_CODE_UNSPECIFIED) code = v1::REASON_CODE_E_SCAN_MALFORMED;
  return RefusalStatus(status.code(), code, SentenceOf(status), DefaultRemedy(code));
}

}  // namespace

absl::StatusOr<StoredEntry> FindVisibleEntry(const LedgerReader& reader, const Principal& principal,
                                             const v1::GetEntryRequest& request) {
  return FindEntry(reader, principal, request);
}

absl::StatusOr<StoredEntry> FindVisibleEntry(const LedgerReader& reader, const Principal& principal,
                                             const v1::GetReceiptRequest& request) {
  return FindEntry(reader, principal, request);
}

absl::StatusOr<SubjectKey> CheckedKey(const v1::SubjectRef& ref) {
  SubjectKey key = KeyOf(ref);
  if (const absl::Status valid = ValidateSubjectId(key.kind, key.id); !valid.ok()) {
    return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD,
                         StdView(valid.message()), DefaultRemedy(v1::REASON_CODE_E_FIELD));
  }
  return key;
}

absl::StatusOr<std::vector<std::string>> KeysOfScan(std::string_view scan) {
  const absl::StatusOr<Scan> parsed = ParseScan(scan);
  if (!parsed.ok()) return ScanRefusal(parsed.status());
  std::vector<std::string> keys;
  for (const std::optional<std::string>* key :
       {&parsed->container_key, &parsed->shipment_key, &parsed->donation_key, &parsed->place_key}) {
    if (key->has_value()) keys.push_back(**key);
  }
  if (keys.empty()) {
    return RefusalStatus(
        absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_SCAN_MALFORMED,
        "the scan is well-formed but names no container, donation, shipment or place",
        "scan every symbol of the label, donation number and product code included");
  }
  return keys;
}

absl::StatusOr<ScannedContainer> FindScannedContainer(const LedgerReader& reader,
                                                      std::string_view scan) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeysOfScan(scan));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> bound,
                           reader.FindByIdentifier(keys.front()));
  std::vector<std::string> containers;
  for (const SubjectKey& subject : bound) {
    if (subject.kind == v1::SUBJECT_KIND_CONTAINER) containers.push_back(subject.id);
  }
  if (containers.empty()) {
    return RefusalStatus(
        absl::StatusCode::kNotFound, v1::REASON_CODE_E_UNKNOWN_SUBJECT,
        absl::StrFormat("the ledger knows no container under %s", keys.front()),
        "scan the label again, with all its symbols; if it is right, do not use the "
        "container and call quality assurance");
  }
  if (containers.size() > 1) {
    return RefusalStatus(absl::StatusCode::kFailedPrecondition, v1::REASON_CODE_E_LABEL_CONFLICT,
                         absl::StrFormat("%u containers carry %s", containers.size(), keys.front()),
                         DefaultRemedy(v1::REASON_CODE_E_LABEL_CONFLICT));
  }
  return ScannedContainer{std::move(containers.front()), keys.front()};
}

}  // namespace custody
