#include "lifecycle/donor_rules.h"

#include "lifecycle/rules.h"

namespace custody {

std::span<const Rule> DonorRules() {
  using E = v1::Event;
  static constexpr Rule kRules[] = {
      {E::kDonorRegistered, GuardDonorRegistered, FoldDonorRegistered},
      {E::kConsentGranted, GuardConsentGranted, FoldConsentGranted},
      {E::kConsentWithdrawn, GuardConsentWithdrawn, FoldConsentWithdrawn},
      {E::kScreeningRecorded, GuardScreeningRecorded, FoldScreeningRecorded},
      {E::kSpecimenCollected, GuardSpecimenCollected, FoldSpecimenCollected},
      {E::kPlasmaDilutionAssessed, GuardPlasmaDilutionAssessed, FoldPlasmaDilutionAssessed},
      {E::kTestResultReported, GuardTestResultReported, FoldTestResultReported},
      {E::kTestResultCorrected, GuardTestResultCorrected, FoldTestResultCorrected},
      {E::kEligibilityDetermined, GuardEligibilityDetermined, FoldEligibilityDetermined},
      {E::kEligibilityReopened, GuardEligibilityReopened, FoldEligibilityReopened},
      {E::kPostDonationInformation, GuardPostDonationInformation, FoldPostDonationInformation},
  };
  return kRules;
}

}  // namespace custody
