// Parsed public keys of signers, shared by the verify workers: parsing a key costs more than
// verifying with it.
//
// A key is found under its signer and its id, so a key of one person never verifies for another.
// Keys are only ever added to a signer, so nothing here goes stale; whether a key still counts is
// decided by the rules at the event's position.
//
// Threads: every method from any thread.
// Limits:  kKeysMax keys; beyond it the directory starts afresh.

#ifndef CUSTODY_DAEMON_LEDGER_KEY_DIRECTORY_H_
#define CUSTODY_DAEMON_LEDGER_KEY_DIRECTORY_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/keys.h"
#include "lifecycle/state_view.h"

namespace custody {

class KeyDirectory {
 public:
  static constexpr std::size_t kKeysMax = 100'000;

  // The key of a signer by its id, from memory or from the signer's state; nullopt if the view
  // knows no such key. Errors: those of the view; kDataLoss if the state holds a key that cannot be
  // parsed.
  absl::StatusOr<std::optional<VerifyKey>> Find(const StateView& view, const SubjectKey& signer,
                                                std::string_view key_id);

 private:
  using Name = std::pair<SubjectKey, std::string>;
  Mutex mutex_;
  std::map<Name, VerifyKey> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_KEY_DIRECTORY_H_
