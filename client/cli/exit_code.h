// Exit codes of `custody`: stable, documented in --help, the same for every command.

#ifndef CUSTODY_CLIENT_CLI_EXIT_CODE_H_
#define CUSTODY_CLIENT_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace custody {

enum ExitCode : int {
  // Done, recorded, verified, GO.
  kExitOk = 0,
  // A verified no: NO-GO, refused by the rules.
  kExitRefused = 1,
  // Wrong command line, file or draft.
  kExitUsage = 2,
  // Could not be verified or reached, or is unknown to the ledger; neither yes nor no.
  kExitCannotVerify = 3,
  // The principal or the signer may not.
  kExitNotPermitted = 4,
  // The same event id with other bytes, or a head that moved.
  kExitConflict = 5,
  // A proof is false: forged, forked or withheld.
  kExitProofFalse = 6,
  // A fault of ours.
  kExitBug = 70,
};

// The exit code for a failed call.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_EXIT_CODE_H_
