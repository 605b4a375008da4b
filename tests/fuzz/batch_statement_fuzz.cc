// deps: custody_lifecycle
//
// A batch as a client posts it: split or refused with a reason, and what was split is what was
// posted, each event with a statement that the strict reader understands.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "custody/v1/record.pb.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/refusal.h"

// The input is a SignedEvent whose one signature is over a batch of this event alone, or of this
// event and others that are derived from it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  custody::v1::SignedEvent input;
  if (!input.ParseFromArray(data, static_cast<int>(size)) || input.signatures().empty()) return 0;
  const std::size_t count = size % 5;
  std::vector<std::string> events;
  for (std::size_t i = 0; i < count; ++i) events.push_back(input.event() + std::string(i, 'x'));

  custody::v1::Signature signature = input.signatures(0);
  const auto split = custody::SplitBatch(signature, events);
  if (!split.ok()) {
    const auto refusal = custody::RefusalOf(split.status());
    CUSTODY_CHECK(refusal.has_value() && !refusal->reasons().empty());
  }
  if (events.empty()) return 0;
  // The same statement made true about the events.
  custody::v1::BatchStatement statement;
  if (!statement.ParseFromString(signature.statement())) return 0;
  statement.set_events_root(std::string(custody::BatchRoot(events).view()));
  statement.set_events_count(static_cast<std::uint32_t>(events.size()));
  signature.set_statement(statement.SerializeAsString());
  const auto mended = custody::SplitBatch(signature, events);
  if (!mended.ok()) return 0;
  CUSTODY_CHECK(mended->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CUSTODY_CHECK((*mended)[i].event() == events[i]);
    CUSTODY_CHECK((*mended)[i].signatures_size() == 1);
    static_cast<void>(custody::ParseSignedEvent((*mended)[i], statement.ledger()));
  }
  return 0;
}
