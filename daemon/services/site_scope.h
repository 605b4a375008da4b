// What a principal that is enrolled for some sites only may see.
//
// An entry belongs to the site of its event; entries without a site (governance, seals) are open.
// A subject may be read if an entry about it belongs to one of the sites; organisation (sites,
// devices, persons, products, policies, the ledger) is open to every principal.
//
// Threads: as LedgerReader.

#ifndef CUSTODY_DAEMON_SERVICES_SITE_SCOPE_H_
#define CUSTODY_DAEMON_SERVICES_SITE_SCOPE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/authorization.h"

namespace custody {

// Of a chain so many entries are looked at, the newest first.
inline constexpr std::size_t kScopeEntriesMax = 1'024;

// May this event be recorded by this principal? Bytes that do not parse are left to the ledger,
// which refuses them. Errors: kPermissionDenied E_PERMISSION.
absl::Status CheckRecordSite(const Principal& principal, std::string_view event_bytes);

// Whether the principal may read the entry. Entries that do not parse are not shown.
bool EntryVisible(const Principal& principal, std::string_view entry_bytes);

// Errors: those of the reader.
absl::StatusOr<bool> SubjectVisible(const LedgerReader& reader, const Principal& principal,
                                    const SubjectKey& subject);
// Errors: kPermissionDenied E_PERMISSION if it is known and not visible; those of the reader. An
// unknown subject is no error here.
absl::Status CheckSubject(const LedgerReader& reader, const Principal& principal,
                          const SubjectKey& subject);

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_SITE_SCOPE_H_
