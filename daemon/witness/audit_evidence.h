// What an auditing witness keeps of a false log, and how it remembers that it was false: a finding
// in the folder is an alarm, for this process and for every later one, until somebody takes it
// away.
//
//   evidence/audit-N.entry     the bytes of entry N as they were judged false; alone no alarm: a
//                              second replay did not find them so, or was cut short
//   evidence/audit-N.txt       the finding, the checkpoint that was to be cosigned as the log has
//                              signed it, the leaf hash of the entry; "sha256 <hex of what stands
//                              in front of it>" is the last line, so a file cut short shows
//   evidence/audit-N.receipt   the ledger's own receipt of entry N, if it still hands one out
//
// Threads: pure functions over the folder.

#ifndef CUSTODY_DAEMON_WITNESS_AUDIT_EVIDENCE_H_
#define CUSTODY_DAEMON_WITNESS_AUDIT_EVIDENCE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

struct AuditFinding {
  std::uint64_t entry = 0;
  // Of the second replay, and what the first one had found.
  std::string text;
  std::string first_text;
  // As judged; empty if it is the checkpoint that is false.
  std::string entry_bytes;
  // The checkpoint with the log's signature.
  std::string note;
};

// A finding of an earlier process.
struct EarlierFinding {
  std::string file;
  std::string text;
};

// The path of a finding without its ending.
std::string EvidenceBase(std::string_view folder, std::uint64_t entry);

// Keeps the bytes of an entry, synced. Errors: kUnavailable.
absl::Status KeepEntry(const std::string& folder, std::uint64_t entry, std::string_view bytes);

// Keeps the text, synced, for which the entry must be there. Errors: kUnavailable.
absl::Status KeepFinding(const std::string& folder, const AuditFinding& finding);

// What an earlier process has found, also where the file cannot be read or is damaged, which the
// text then says. nullopt: no finding. Errors: kUnavailable if the folder cannot be read.
absl::StatusOr<std::optional<EarlierFinding>> FindEarlier(const std::string& folder);

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_AUDIT_EVIDENCE_H_
