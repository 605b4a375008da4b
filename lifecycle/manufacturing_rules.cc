#include "lifecycle/manufacturing_folds.h"
#include "lifecycle/manufacturing_guards.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

using v1::Event;

constexpr Rule kRules[] = {
    {Event::kMaterialReceived, GuardMaterialReceived, FoldMaterialReceived},
    {Event::kMaterialReleased, GuardMaterialReleased, FoldMaterialReleased},
    {Event::kBatchCreated, GuardBatchCreated, FoldBatchCreated},
    {Event::kLineClearance, GuardLineClearance, FoldLineClearance},
    {Event::kIsolationPerformed, GuardIsolationPerformed, FoldIsolationPerformed},
    {Event::kMaterialConsumed, GuardMaterialConsumed, FoldMaterialConsumed},
    {Event::kCultureSeeded, GuardCultureSeeded, FoldCultureSeeded},
    {Event::kPassagePerformed, GuardPassagePerformed, FoldPassagePerformed},
    {Event::kInProcessCheck, GuardInProcessCheck, FoldInProcessCheck},
    {Event::kEnvironmentMonitored, GuardEnvironmentMonitored, FoldEnvironmentMonitored},
    {Event::kHarvested, GuardHarvested, FoldHarvested},
    {Event::kFormulatedAndFilled, GuardFormulatedAndFilled, FoldFormulatedAndFilled},
    {Event::kContainerLabelled, GuardContainerLabelled, FoldContainerLabelled},
    {Event::kLabelsReconciled, GuardLabelsReconciled, FoldLabelsReconciled},
    {Event::kDeviationOpened, GuardDeviationOpened, FoldDeviationOpened},
    {Event::kDeviationClassified, GuardDeviationClassified, FoldDeviationClassified},
    {Event::kDeviationClosed, GuardDeviationClosed, FoldDeviationClosed},
};

}  // namespace

std::span<const Rule> ManufacturingRules() { return kRules; }

}  // namespace custody
