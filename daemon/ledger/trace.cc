#include "daemon/ledger/trace.h"

#include <deque>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

enum class Direction { kBack, kForward };

struct Step {
  SubjectKey subject;
  SubjectKey reached_from;  // Kind unspecified: the start.
  std::uint32_t depth = 0;
};

std::string Summary(const SubjectKey& key, const v1::SubjectState* state) {
  if (state == nullptr) return Describe(key);
  const std::string events = absl::StrFormat(", %d events", state->event_count());
  if (state->has_batch()) {
    return absl::StrFormat("lot %s, %s%s", state->batch().lot_number(),
                           EnumLabel(state->batch().phase()), events);
  }
  if (state->has_container()) {
    const auto& keys = state->container().keys();
    return absl::StrFormat("%s, %s%s", keys.empty() ? "no label" : keys.Get(keys.size() - 1),
                           EnumLabel(state->container().life()), events);
  }
  if (state->has_donation()) {
    return absl::StrFormat("donation %s%s", state->donation().donation_identifier(), events);
  }
  if (state->has_material()) {
    return absl::StrFormat("material lot %s%s", state->material().lot_number(), events);
  }
  if (state->has_order()) {
    return absl::StrFormat("%s, %s%s", state->order().chain_of_identity(),
                           EnumLabel(state->order().phase()), events);
  }
  if (state->has_donor()) {
    return absl::StrFormat("%s%s", EnumLabel(state->donor().donor_type()), events);
  }
  return absl::StrFormat("%d events", state->event_count());
}

v1::TraceNode NodeOf(const Step& step, const v1::SubjectState* state) {
  v1::TraceNode node;
  *node.mutable_subject() = RefOf(step.subject);
  if (step.depth > 0) *node.mutable_reached_from() = RefOf(step.reached_from);
  node.set_depth(step.depth);
  node.set_summary(Summary(step.subject, state));
  return node;
}

absl::Status Walk(const LedgerReader& reader, const SubjectKey& start, std::uint32_t depth_max,
                  Direction direction, const TraceVisitor& visit) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* known, reader.Find(start));
  if (known == nullptr) {
    return absl::NotFoundError(absl::StrFormat("the log does not know %s", Describe(start)));
  }
  const std::uint32_t limit =
      depth_max == 0 || depth_max > kTraceDepthMax ? kTraceDepthMax : depth_max;
  std::set<SubjectKey> seen;
  std::deque<Step> waiting = {{start, SubjectKey{}, 0}};
  std::uint64_t visited = 0;
  while (!waiting.empty()) {
    const Step step = std::move(waiting.front());
    waiting.pop_front();
    if (++visited > kTraceNodesMax) {
      return absl::ResourceExhaustedError(
          absl::StrFormat("the trace has more than %d nodes", kTraceNodesMax));
    }
    const bool repeated = !seen.insert(step.subject).second;
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(step.subject));
    v1::TraceNode node = NodeOf(step, state);
    node.set_repeated_node(repeated);
    if (!visit(node)) return absl::OkStatus();
    if (repeated || step.depth >= limit) continue;
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<SubjectKey> next,
                             direction == Direction::kBack ? reader.Parents(step.subject)
                                                           : reader.Children(step.subject));
    for (const SubjectKey& subject : next) {
      waiting.push_back({subject, step.subject, step.depth + 1});
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TraceBack(const LedgerReader& reader, const SubjectKey& start, std::uint32_t depth_max,
                       const TraceVisitor& visit) {
  return Walk(reader, start, depth_max, Direction::kBack, visit);
}

absl::Status TraceForward(const LedgerReader& reader, const SubjectKey& start,
                          std::uint32_t depth_max, const TraceVisitor& visit) {
  return Walk(reader, start, depth_max, Direction::kForward, visit);
}

}  // namespace custody
