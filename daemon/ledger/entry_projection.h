// What an entry adds to the store besides the states: itself, its places in chains, edges and
// lists. The write path and the rebuild share it, so both write the same bytes.
//
// Threads: pure functions.

#ifndef CUSTODY_DAEMON_LEDGER_ENTRY_PROJECTION_H_
#define CUSTODY_DAEMON_LEDGER_ENTRY_PROJECTION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "custody/v1/record.pb.h"
#include "custody/v1/state.pb.h"
#include "daemon/ledger/entry_lists.h"
#include "lifecycle/parsed_event.h"
#include "storage/store.h"

namespace custody {

// Genealogical edges of an event, parent first: inputs (SOURCE) to what was made (PRODUCT, or the
// PRIMARY subject where nothing is a product), containers to the order, the order to its patient.
std::vector<std::pair<SubjectKey, SubjectKey>> EdgesOf(const ParsedEvent& event);

// Numbers of other systems in the body, each with the subject that carries it: the one whose id
// stands first in the same message.
struct ExternalName {
  std::string scheme;
  std::string value;
  SubjectKey subject;
};
std::vector<ExternalName> ExternalNamesOf(const v1::Event& event);

// `links` are those of the entry, one for each subject of the event. What the entry adds to lists
// goes to `lists`, to be written at the end of the batch.
void ProjectEntry(const ParsedEvent& event, std::uint64_t index, std::string_view entry_bytes,
                  const google::protobuf::RepeatedPtrField<v1::Link>& links, WriteBatch* writes,
                  EntryLists* lists);

// The state itself and the lists that follow from it (open cases, running orders).
void ProjectState(const SubjectKey& subject, const v1::SubjectState& state, WriteBatch* writes);

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ENTRY_PROJECTION_H_
