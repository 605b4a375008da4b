// Where entries are taken from when a store has lost them: an exported log (custody log export), a
// backup, or another data directory. Nothing that it gives is believed by itself.
//
// Threads: one.
// Limits:  65,535 bytes an entry of an export.

#ifndef CUSTODY_DAEMON_ENTRY_SOURCE_H_
#define CUSTODY_DAEMON_ENTRY_SOURCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/config.h"

namespace custody {

class EntrySource {
 public:
  // What it is is found out from what is there: `checkpoint` and `tile/` (an export), `store/`.
  // Errors: kNotFound if it is none of them; kDataLoss or kUnavailable if it cannot be opened.
  static absl::StatusOr<std::unique_ptr<EntrySource>> Open(const Config& config,
                                                           const std::string& folder);
  virtual ~EntrySource() = default;

  // nullopt if it has no such entry, or cannot read it. Errors: kUnavailable (the disk).
  virtual absl::StatusOr<std::optional<std::string>> Read(std::uint64_t index) = 0;
  // The signed note that lies beside the entries; empty if there is none.
  const std::string& note() const { return note_; }

 protected:
  explicit EntrySource(std::string note) : note_(std::move(note)) {}

 private:
  const std::string note_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_ENTRY_SOURCE_H_
