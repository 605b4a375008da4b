// What to do about each reason: one line for the operator.

#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kUnknown = "look the reason code up in the documentation";

struct Remedy {
  v1::ReasonCode code;
  std::string_view text;
};

constexpr Remedy kRemedies[] = {
    {v1::REASON_CODE_E_STATE,
     "look at the state of the subject; do the missing step first or correct the subject named"},
    {v1::REASON_CODE_E_AFTER_FINAL, "the subject is closed; check the label and use another one"},
    {v1::REASON_CODE_E_CONSUMED, "use another container; open a complaint if this one is at hand"},
    {v1::REASON_CODE_E_HOLD,
     "ask quality assurance about the hold or quarantine named in the detail"},
    {v1::REASON_CODE_E_POLICY, "meet the row of the policy, or use another container"},
    {v1::REASON_CODE_E_EXPIRED, "use another container or lot"},
    {v1::REASON_CODE_E_REGIME, "use a product that is released for the regime of this site"},
    {v1::REASON_CODE_E_SITE_LICENCE, "record a licence of the site that is valid at this moment"},
    {v1::REASON_CODE_E_CASE_OPEN, "let quality assurance close the case, then try again"},
    {v1::REASON_CODE_E_EXCURSION, "have the excursion assessed"},
    {v1::REASON_CODE_E_NOT_EVALUATED, "install a version that has the rules of this event"},
    {v1::REASON_CODE_E_UNKNOWN_SUBJECT, "check the identifier; record the subject first"},
    {v1::REASON_CODE_E_SUBJECT_EXISTS,
     "choose a new random id, or look whether the event is recorded already"},
    {v1::REASON_CODE_E_MISSING, "record what is missing first"},
    {v1::REASON_CODE_E_GROUP_INCOMPLETE, "record the missing parts of the act"},
    {v1::REASON_CODE_E_AMOUNT, "check the amounts and count again"},
    {v1::REASON_CODE_E_ALLOCATION,
     "release the reservation first, or use a container of this order"},
    {v1::REASON_CODE_E_NOT_AUTHORISED, "obtain a valid authorisation for these containers"},
    {v1::REASON_CODE_E_POST_THAW_QC, "record the quality control after thaw"},
    {v1::REASON_CODE_E_OOS_OPEN, "close the investigation first"},
    {v1::REASON_CODE_E_DEVIATION_OPEN, "classify and close the deviation first"},
    {v1::REASON_CODE_E_NOT_RELEASED, "wait for the release of the lot"},
    {v1::REASON_CODE_E_MATERIAL, "use a material that is released and not expired"},
    {v1::REASON_CODE_E_RECALLED, "do not use it; follow the recall"},
    {v1::REASON_CODE_E_REJECTED, "do not use it; discard it"},
    {v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE,
     "have the donor physician determine the eligibility of the donation"},
    {v1::REASON_CODE_E_OUTCOME_BETTER_THAN_PROPOSED,
     "state the proposed outcome or a worse one, or record the missing evidence"},
    {v1::REASON_CODE_WRONG_SUBJECT, "draw and test a specimen of the right person"},
    {v1::REASON_CODE_E_CONSENT, "record a consent that covers this purpose"},
    {v1::REASON_CODE_E_DONOR_DEFERRED, "the donor may not donate until the deferral is lifted"},
    {v1::REASON_CODE_SPECIMEN_WINDOW, "test a specimen that was drawn inside the window"},
    {v1::REASON_CODE_REACTIVE_RESULT, "have the donor physician assess the result"},
    {v1::REASON_CODE_ELIGIBILITY_REOPENED, "have the eligibility determined again"},
    {v1::REASON_CODE_ASSAY_STATUS, "test with an assay and a laboratory that the regime accepts"},
    {v1::REASON_CODE_E_PATIENT_MISMATCH, "stop; identify the patient again with two identifiers"},
    {v1::REASON_CODE_E_MATCH, "choose a container that matches, or ask the treating physician"},
    {v1::REASON_CODE_E_LABEL_CONFLICT, "put the container aside and have the label investigated"},
    {v1::REASON_CODE_E_CONTAINER_MISMATCH, "scan the container again; use the one that is named"},
    {v1::REASON_CODE_E_NOT_FOR_HUMAN_USE, "do not give it to a patient"},
    {v1::REASON_CODE_E_MATCH_REQUIRED, "verify the match again with two persons"},
    {v1::REASON_CODE_E_FOUR_EYES, "let a second person who holds the role sign"},
    {v1::REASON_CODE_E_SAME_PERSON, "let another natural person sign"},
    {v1::REASON_CODE_E_AUTHORITY,
     "let somebody sign who holds the role at this site, or have the role granted"},
    {v1::REASON_CODE_E_CERT_EXPIRED, "enrol a new key for the signer; have the event attested"},
    {v1::REASON_CODE_KEY_SUSPECT, "have the events of this key reviewed by quality assurance"},
    {v1::REASON_CODE_E_UNKNOWN_KEY, "enrol the key first"},
    {v1::REASON_CODE_E_BAD_SIGNATURE, "sign the exact bytes of the event again"},
    {v1::REASON_CODE_E_KEY_REVOKED, "sign with a key that is valid; have the event attested"},
    {v1::REASON_CODE_E_CONFLICT_OF_INTEREST,
     "let a person sign who took no other part in this lot"},
    {v1::REASON_CODE_E_SIGNATURE_WINDOW, "sign again now"},
    {v1::REASON_CODE_E_TRAINING, "record the training, or let a trained person act"},
    {v1::REASON_CODE_E_PERMISSION, "ask the administrator for the permission"},
    {v1::REASON_CODE_E_CLOCK,
     "wait until the clock of the ledger is synchronised; observations can still be recorded"},
    {v1::REASON_CODE_TIME_FUTURE, "check the clock of the recorder"},
    {v1::REASON_CODE_TIME_SUSPECT, "check the clock"},
    {v1::REASON_CODE_E_ROLLBACK, "do not write; ask the operator to restore the newest state"},
    {v1::REASON_CODE_E_NOT_AUTHORITATIVE,
     "send the call to the ledger that is authoritative for this subject"},
    {v1::REASON_CODE_LATE_ENTRY, "state why it is recorded late"},
    {v1::REASON_CODE_E_REASON_MISSING, "state a reason"},
    {v1::REASON_CODE_E_POLICY_HASH, "read the policy in force and decide on it"},
    {v1::REASON_CODE_E_POLICY_MISSING, "publish and activate a policy for the product and regime"},
    {v1::REASON_CODE_E_HEAD_MOVED, "read the subject again and decide again"},
    {v1::REASON_CODE_E_STORE, "try again with the same event id"},
    {v1::REASON_CODE_E_OVERLOADED, "try again later with the same event id"},
    {v1::REASON_CODE_E_STOPPING, "try again with the same event id"},
    {v1::REASON_CODE_E_DISK_FULL, "ask the operator to free space, then try again"},
    {v1::REASON_CODE_E_DAMAGED,
     "keep the dose; the operator repairs the entry (custodyd repair), then ask again"},
    {v1::REASON_CODE_E_SCAN_UNKNOWN_DI, "scan a label that the ledger understands"},
    {v1::REASON_CODE_E_SCAN_COUNT, "scan the whole compound label again"},
    {v1::REASON_CODE_E_DIN_CHARSET, "scan the donation number again"},
    {v1::REASON_CODE_E_DIN_CHECK, "type the donation number with its check character again"},
    {v1::REASON_CODE_E_DIN_CHECKSUM, "scan the donation number again"},
    {v1::REASON_CODE_E_GRID_CHECKSUM, "scan the donor identifier again"},
    {v1::REASON_CODE_E_DIVISION_REQUIRED, "scan the product divisions as well"},
    {v1::REASON_CODE_E_CHECK_DIGIT, "scan the label again"},
    {v1::REASON_CODE_E_DIN_REUSED, "assign another donation number"},
    {v1::REASON_CODE_E_SCAN_MALFORMED, "scan the label again"},
    {v1::REASON_CODE_E_PERSONAL_DATA,
     "replace what identifies the person by its token before recording"},
    {v1::REASON_CODE_E_SEC_FORMAT, "scan the Single European Code again"},
    {v1::REASON_CODE_E_GS1_FORMAT, "scan the GS1 label again"},
    {v1::REASON_CODE_E_REFREEZE, "put the container aside; a thawed dose is not frozen again"},
    {v1::REASON_CODE_E_MULTI_DONOR_POOL, "do not pool several donors"},
    {v1::REASON_CODE_RETRO_EXCURSION, "have the excursion assessed"},
    {v1::REASON_CODE_DEVICE_OUT_OF_CAL, "use a calibrated device, or record its calibration"},
    {v1::REASON_CODE_SENSOR_SUSPECT, "check the sensor"},
    {v1::REASON_CODE_CUSTODY_GAP, "document where the shipment was"},
    {v1::REASON_CODE_TEMPERATURE_EXCURSION, "have the excursion assessed"},
    {v1::REASON_CODE_TEMPERATURE_GAP, "supply the missing readings"},
    {v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION, "investigate the result"},
    {v1::REASON_CODE_DISCARD_REQUIRED, "discard the container and record it"},
    {v1::REASON_CODE_INCONSISTENT, "have quality assurance look at the record and correct it"},
    {v1::REASON_CODE_E_DUP_CONFLICT, "choose a new event id; find out who used this one"},
    {v1::REASON_CODE_E_MALFORMED, "fix the program that made the event"},
    {v1::REASON_CODE_E_TOO_LARGE, "split the act into parts of one group"},
    {v1::REASON_CODE_E_WRONG_LEDGER, "make and sign the event for this ledger"},
    {v1::REASON_CODE_E_SUBJECTS, "fill the subjects from the body before signing"},
    {v1::REASON_CODE_E_FIELD, "correct the field"},
    {v1::REASON_CODE_UNIMPLEMENTED, "install a version that has the rules of this decision"},
    {v1::REASON_CODE_E_SYSTEM_EVENT, "do not record it; the ledger does when its rules require it"},
    {v1::REASON_CODE_E_ALREADY_SIGNED, "nothing; the signature is recorded"},
};

}  // namespace

std::string_view DefaultRemedy(v1::ReasonCode code) {
  for (const Remedy& remedy : kRemedies) {
    if (remedy.code == code) return remedy.text;
  }
  return kUnknown;
}

}  // namespace custody
