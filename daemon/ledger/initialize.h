// A new ledger: entry 0 and the first seal.

#ifndef CUSTODY_DAEMON_LEDGER_INITIALIZE_H_
#define CUSTODY_DAEMON_LEDGER_INITIALIZE_H_

#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "custody/v1/governance_events.pb.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger_options.h"
#include "storage/store.h"

namespace custody {

struct InitialLedger {
  Checkpoint checkpoint;
  std::string note;
  // Leaf hash of entry 0: what verifiers pin.
  Digest entry0_leaf_hash;
};

// Writes entry 0 (GOV-00, signed by the service key) and a seal, synced, then the anchor.
//
//   created   administrator, quality assurance, service device (with its key), principals, limits;
//             ledger_id, origin, log_key and the versions are filled in here
//
// A call that was cut short may be repeated with the same keys and people: a store with nothing but
// entry 0 and its seal, and no anchor, gets its anchor.
//
// Errors: kAlreadyExists if the store holds anything else, or if the anchor's file exists;
//         kInvalidArgument with a Refusal if GOV-00 is not acceptable; those of the store.
absl::StatusOr<InitialLedger> InitializeLedger(Store& store, const LedgerOptions& options,
                                               const LedgerKeys& keys, const Clock& clock,
                                               v1::LedgerCreated created);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_INITIALIZE_H_
