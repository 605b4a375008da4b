// custodyd init: a new ledger: keys, entry 0, first seal.

#ifndef CUSTODY_DAEMON_INIT_COMMAND_H_
#define CUSTODY_DAEMON_INIT_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/governance_events.pb.h"
#include "daemon/config.h"

namespace custody {

struct InitArguments {
  // Cards that `custody key new` writes: JSON {person_id hex, public_key base64 SPKI, algorithm,
  // printed_name_commitment hex (optional)}.
  std::string administrator_file;
  std::string quality_file;
  // Client certificates (PEM) of the first principals, which may do everything.
  std::vector<std::string> principal_certificate_files;
  // Signed notes: the last checkpoints of the logs that this one comes after. Entry 0 holds them,
  // so that everybody can see where the old log ended when the new one began.
  std::vector<std::string> predecessor_files;
};

// What the ledger begins with: anything that verifiers must pin.
struct InitResult {
  std::string entry0_leaf_hash;  // Hexadecimal.
  std::string log_vkey;
  // A ready trust.toml.
  std::string trust_toml;
};

// The person on a card, with one role that holds everywhere.
// Errors: kInvalidArgument naming the field.
absl::StatusOr<v1::PersonEnrolment> ParsePersonCard(std::string_view json, v1::Role role);

// Keys that are there are used; absent ones are made.
// Errors: kAlreadyExists if the ledger exists; kInvalidArgument (cards, certificates, options, or
// the rules refuse); kNotFound (a file); kUnavailable (the disk).
absl::StatusOr<InitResult> InitLedger(const Config& config, const InitArguments& arguments);

}  // namespace custody

#endif  // CUSTODY_DAEMON_INIT_COMMAND_H_
