// The source of a stream of entries: those that a principal may see, a block at a time.
//
// Each block is read from the newest snapshot and no snapshot is kept between blocks, so a client
// that stops reading holds back nothing of the store. Entries never change, so it makes no
// difference to what is read.
//
// Threads: one at a time.
// Owns:    nothing; the ledger must outlive it.
// Limits:  kReadBlockEntries entries in memory.

#ifndef CUSTODY_DAEMON_SERVICES_ENTRY_BLOCKS_H_
#define CUSTODY_DAEMON_SERVICES_ENTRY_BLOCKS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/ledger_service.pb.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/authorization.h"

namespace custody {

// Entries read from the store at a time.
inline constexpr std::uint64_t kReadBlockEntries = 64;

class EntryBlocks {
 public:
  // Entries [begin, end); the log has at least `end`.
  EntryBlocks(const Ledger& ledger, PrincipalPtr principal, std::uint64_t begin, std::uint64_t end);

  // The next entry; false at the end. Errors: those of the reader.
  absl::StatusOr<bool> Next(v1::ReadEntriesResponse* response);

 private:
  absl::Status ReadBlock();

  const Ledger& ledger_;
  const PrincipalPtr principal_;
  std::uint64_t next_;
  const std::uint64_t end_;
  std::vector<StoredEntry> block_;
  std::size_t position_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_ENTRY_BLOCKS_H_
