// What guards and folds of storage, shipment and clinic share: steps of the container machine,
// stays, policies found through containers, ids of consequences.
//
// Threads: pure.

#ifndef CUSTODY_LIFECYCLE_CONTAINER_RULES_H_
#define CUSTODY_LIFECYCLE_CONTAINER_RULES_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "custody/v1/state.pb.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/excursions.h"
#include "lifecycle/fold.h"
#include "lifecycle/rule_context.h"

namespace custody {

// --- For guards.

// The container must be known and the trigger allowed; violates E_UNKNOWN_SUBJECT, E_STATE,
// E_AFTER_FINAL or E_REFREEZE with the container's id in the detail.
void GuardLife(RuleContext& context, const std::string& container_id, LifeTrigger trigger);

// The product of a container's lot is presented fresh.
bool IsFreshProduct(RuleContext& context, const v1::ContainerState& container);

// The device is enrolled and in calibration when the event happened; else DEVICE_OUT_OF_CAL.
void GuardCalibration(RuleContext& context, const std::string& device_id);

// The policies in force for a container's product, one for each regime of its lot.
std::vector<PolicyRef> PoliciesOfContainer(RuleContext& context, const std::string& container_id);

// Those of several containers, each once. Where they differ, the strictest limit holds.
std::vector<PolicyRef> PoliciesOfContainers(
    RuleContext& context, const google::protobuf::RepeatedPtrField<std::string>& container_ids);

// 16 bytes that follow from the event, a word and a number: ids of consequences.
std::string DerivedId(const RuleContext& context, std::string_view word, std::uint32_t ordinal);

// Both lists name the same containers, in any order.
template <typename A, typename B>
bool SameIds(const A& a, const B& b) {
  std::vector<std::string> first(a.begin(), a.end());
  std::vector<std::string> later(b.begin(), b.end());
  std::sort(first.begin(), first.end());
  std::sort(later.begin(), later.end());
  return first == later;
}

// Findings and consequences (CRY-05) of a judged series or journey.
void ReportExcursions(RuleContext& context, const SeriesJudgement& judgement,
                      const std::string& device_id, const std::string& shipment_id);

// --- For folds.

// Advances the life: states that make the container less usable whatever the standing, all others
// only when the event counts in its favour.
void FoldLife(const FoldInput& input, LifeTrigger trigger, v1::ContainerState* container);

// The container left where it was / is now in a device. A doubtful record never closes a stay.
void CloseStays(const FoldInput& input, v1::ContainerState* container);
void OpenStay(const FoldInput& input, const std::string& device_id, const std::string& position,
              v1::ContainerState* container);

// A finding with this code names the subject of the fold (its id in hexadecimal in the detail). One
// without detail, which a large entry loses, is about all subjects.
bool FoundHere(const FoldInput& input, v1::ReasonCode code);

// Appends an id unless the list has it.
void AddOnce(google::protobuf::RepeatedPtrField<std::string>* list, const std::string& id);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CONTAINER_RULES_H_
