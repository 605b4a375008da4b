#include "daemon/services/principal_directory.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::size_t kPageSubjects = 256;

absl::Status NotEnrolled(bool revoked) {
  if (revoked) {
    return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                         "the certificate of this client belongs to a principal that was revoked",
                         "ask an administrator of the ledger to enrol this client anew (GOV-05a)");
  }
  return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                       "the certificate of this client is not enrolled",
                       "ask an administrator of the ledger to enrol this client (GOV-05a)");
}

bool HasKey(const v1::PrincipalState& state, const Digest& spki_sha256) {
  const auto& keys = state.enrolment().certificate_spki_sha256();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const std::string& key) { return key == spki_sha256.view(); });
}

}  // namespace

PrincipalDirectory::PrincipalDirectory(SnapshotSource snapshot) : snapshot_(std::move(snapshot)) {}

absl::StatusOr<PrincipalPtr> PrincipalDirectory::Find(const Digest& spki_sha256) {
  const std::shared_ptr<const LedgerSnapshot> snapshot = snapshot_();
  const std::string key(spki_sha256.view());
  std::string hint;
  {
    const MutexLock lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) {
      const Known& known = found->second;
      // A thread that took an older snapshot may find a newer answer, which is as good.
      if (known.size >= snapshot->size()) {
        if (known.principal == nullptr) return NotEnrolled(known.revoked);
        return known.principal;
      }
      hint = known.principal_id;
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(Known loaded, Load(snapshot, spki_sha256, hint));
  const MutexLock lock(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  Known& known = known_[key];
  if (known.size <= loaded.size) known = std::move(loaded);
  if (known.principal == nullptr) return NotEnrolled(known.revoked);
  return known.principal;
}

absl::StatusOr<bool> PrincipalDirectory::Take(const LedgerReader& reader,
                                              const std::string& principal_id,
                                              const Digest& spki_sha256, Known* known) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           reader.Find({v1::SUBJECT_KIND_PRINCIPAL, principal_id}));
  if (state == nullptr || !HasKey(state->principal(), spki_sha256)) return false;
  known->principal_id = principal_id;
  known->revoked = state->principal().revoked();
  if (!known->revoked) known->principal = PrincipalFrom(state->principal().enrolment());
  return !known->revoked;
}

absl::StatusOr<PrincipalDirectory::Known> PrincipalDirectory::Load(
    const std::shared_ptr<const LedgerSnapshot>& snapshot, const Digest& spki_sha256,
    const std::string& hint) const {
  const LedgerReader reader(snapshot);
  Known known;
  known.size = snapshot->size();
  if (!hint.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const bool found, Take(reader, hint, spki_sha256, &known));
    if (found) return known;
  }
  // Principals are few; a key that moved, or that nobody has seen yet, is looked for in all of
  // them.
  std::string after;
  for (;;) {
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> page,
                             reader.ListSubjects(v1::SUBJECT_KIND_PRINCIPAL, after, kPageSubjects));
    for (const SubjectKey& subject : page) {
      CUSTODY_ASSIGN_OR_RETURN(const bool found, Take(reader, subject.id, spki_sha256, &known));
      if (found) return known;
    }
    if (page.size() < kPageSubjects) return known;
    after = page.back().id;
  }
}

}  // namespace custody
