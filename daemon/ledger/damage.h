// One damaged place of a store.

#ifndef CUSTODY_DAEMON_LEDGER_DAMAGE_H_
#define CUSTODY_DAEMON_LEDGER_DAMAGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "lifecycle/subject.h"

namespace custody {

struct Damage {
  std::string where;  // "entry 17", "tile 3 of level 0", "bucket 9 of the index"
  std::string what;
  // The entry, if it is one; of a place of a chain, the entry whose links showed it.
  std::optional<std::uint64_t> entry = std::nullopt;
  // Whose chain it is, if it is a place of a chain.
  std::optional<SubjectKey> subject = std::nullopt;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_DAMAGE_H_
