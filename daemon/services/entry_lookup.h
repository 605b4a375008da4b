// Finding entries and subjects in the ways in which a request may name them.
//
// Threads: as LedgerReader.

#ifndef CUSTODY_DAEMON_SERVICES_ENTRY_LOOKUP_H_
#define CUSTODY_DAEMON_SERVICES_ENTRY_LOOKUP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/ledger_service.pb.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/authorization.h"

namespace custody {

// An entry by index, event id or event digest.
// Errors: kInvalidArgument if the request names none, or an id or digest of another length;
// kNotFound; kOutOfRange beyond the log; kPermissionDenied E_PERMISSION for another site's; those
// of the reader.
absl::StatusOr<StoredEntry> FindVisibleEntry(const LedgerReader& reader, const Principal& principal,
                                             const v1::GetEntryRequest& request);
absl::StatusOr<StoredEntry> FindVisibleEntry(const LedgerReader& reader, const Principal& principal,
                                             const v1::GetReceiptRequest& request);

// The key of a reference whose kind and id have the right form.
// Errors: kInvalidArgument E_FIELD.
absl::StatusOr<SubjectKey> CheckedKey(const v1::SubjectRef& ref);

// Canonical keys of a label, the most specific first (container, logistic unit, donation, place).
// Errors: kInvalidArgument with the reason code of the label, E_SCAN_MALFORMED at the least.
absl::StatusOr<std::vector<std::string>> KeysOfScan(std::string_view scan);

// The one container that a scan names.
// Errors: as KeysOfScan(); kNotFound if the log knows no such container; kFailedPrecondition
// E_LABEL_CONFLICT if the label was bound to several; those of the reader.
struct ScannedContainer {
  std::string container_id;
  std::string key;
};
absl::StatusOr<ScannedContainer> FindScannedContainer(const LedgerReader& reader,
                                                      std::string_view scan);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_ENTRY_LOOKUP_H_
