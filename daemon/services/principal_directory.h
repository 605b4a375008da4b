// Principals of the ledger by the public key of their client certificate.
//
// An answer is never older than the newest durable checkpoint: an enrolment or revocation counts
// for the first call after it is durable.
//
// Threads: safe from any thread.

#ifndef CUSTODY_DAEMON_SERVICES_PRINCIPAL_DIRECTORY_H_
#define CUSTODY_DAEMON_SERVICES_PRINCIPAL_DIRECTORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/services/authorization.h"

namespace custody {

class PrincipalDirectory {
 public:
  using SnapshotSource = std::function<std::shared_ptr<const LedgerSnapshot>()>;

  explicit PrincipalDirectory(SnapshotSource snapshot);

  // The principal that this key is enrolled for.
  // Errors: kPermissionDenied E_PERMISSION if no principal has the key or it was revoked; those of
  // the reader.
  absl::StatusOr<PrincipalPtr> Find(const Digest& spki_sha256);

 private:
  // A principal as it was at a size of the log; null: the key is not enrolled, or was revoked.
  struct Known {
    std::uint64_t size = 0;
    std::string principal_id;
    PrincipalPtr principal;
    bool revoked = false;
  };

  // Takes the principal if it has the key. True: it was not revoked, so no other is looked for.
  static absl::StatusOr<bool> Take(const LedgerReader& reader, const std::string& principal_id,
                                   const Digest& spki_sha256, Known* known);
  absl::StatusOr<Known> Load(const std::shared_ptr<const LedgerSnapshot>& snapshot,
                             const Digest& spki_sha256, const std::string& hint) const;

  static constexpr std::size_t kKnownMax = 4'096;

  SnapshotSource snapshot_;
  Mutex mutex_;
  std::unordered_map<std::string, Known> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_PRINCIPAL_DIRECTORY_H_
