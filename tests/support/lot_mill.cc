#include "tests/support/lot_mill.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "custody/v1/event.pb.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kIdBytes = 16;
// The bytes of an id that a copy replaces: behind the parts of a UUID that have a meaning.
constexpr std::size_t kIdKept = 9;
// Where the six digits of a donation begin behind the year.
constexpr std::size_t kDonationSerial = 7;

void CollectIds(const Message& message, std::set<std::string>* ids);

// Of one value of a field.
void CollectIdsOfValue(const Message& message, const FieldDescriptor* field, int i,
                       std::set<std::string>* ids) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  if (field->type() == FieldDescriptor::TYPE_BYTES) {
    std::string value = field->is_repeated() ? reflection.GetRepeatedString(message, field, i)
                                             : reflection.GetString(message, field);
    if (value.size() == kIdBytes) ids->insert(std::move(value));
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    CollectIds(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                    : reflection.GetMessage(message, field),
               ids);
  }
}

void CollectIds(const Message& message, std::set<std::string>* ids) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) CollectIdsOfValue(message, field, i, ids);
  }
}

std::vector<std::size_t> PlacesOf(std::string_view word, std::string_view text) {
  std::vector<std::size_t> places;
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + word.size())) {
    places.push_back(at);
  }
  return places;
}

void PutDigits(std::uint64_t number, std::size_t digits, char* end) {
  for (std::size_t i = 0; i < digits; ++i, number /= 10) {
    *--end = static_cast<char>('0' + number % 10);
  }
}

bool IsCultureObservation(const v1::Event& event) {
  return event.has_in_process_check() || event.has_environment_monitored();
}

}  // namespace

std::set<std::string> IdsIn(const v1::Event& event) {
  std::set<std::string> ids;
  CollectIds(event, &ids);
  return ids;
}

absl::StatusOr<LotMill> LotMill::Create(std::vector<v1::SignedEvent> model,
                                        const std::set<std::string>& shared, SignersByKey signers,
                                        std::size_t further_observations) {
  LotMill mill;
  for (auto& [key_id, signer] : signers) {
    mill.signers_.emplace(key_id, std::make_shared<const Signer>(std::move(signer)));
  }
  std::set<std::pair<v1::SubjectKind, std::string>> subjects;
  for (const v1::SignedEvent& signed_event : model) {
    v1::Event event;
    if (!event.ParseFromString(signed_event.event())) {
      return absl::InvalidArgumentError("an event of the model cannot be read");
    }
    for (const v1::SubjectRef& subject : event.subjects()) {
      if (!shared.contains(subject.id())) subjects.emplace(subject.kind(), subject.id());
    }
    CUSTODY_RETURN_IF_ERROR(mill.Add(signed_event, shared, further_observations));
  }
  mill.subjects_ = subjects.size();
  for (const v1::SignedEvent& signed_event : mill.Make(1)) {
    mill.bytes_ += signed_event.ByteSizeLong();
  }
  return mill;
}

absl::StatusOr<LotMill::ModelSignature> LotMill::PlaceOf(const v1::Signature& signature) const {
  v1::SignatureStatement statement;
  if (!statement.ParseFromString(signature.statement())) {
    return absl::InvalidArgumentError("a statement of the model cannot be read");
  }
  const auto signer = signers_.find(statement.key_id());
  if (signer == signers_.end()) {
    return absl::InvalidArgumentError("a signer of the model has no key here");
  }
  ModelSignature place;
  place.signer = signer->second.get();
  place.terms.role = statement.role();
  place.terms.meaning = statement.meaning();
  place.terms.authentication = statement.authentication();
  return place;
}

absl::Status LotMill::Add(const v1::SignedEvent& signed_event, const std::set<std::string>& shared,
                          std::size_t further_observations) {
  v1::Event event;
  CUSTODY_CHECK(event.ParseFromString(signed_event.event()));
  ModelEvent added;
  added.bytes = signed_event.event();
  for (const std::string& id : IdsIn(event)) {
    if (shared.contains(id)) continue;
    const PatchKind kind = id == event.event_id() ? PatchKind::kEventId : PatchKind::kId;
    for (const std::size_t at : PlacesOf(id, added.bytes)) added.patches.push_back({at, kind});
  }
  for (const std::size_t at : PlacesOf(kModelDonationNumber, added.bytes)) {
    added.patches.push_back({at, PatchKind::kDonation});
  }
  for (const std::size_t at : PlacesOf(kModelLotDigits, added.bytes)) {
    added.patches.push_back({at, PatchKind::kLot});
  }
  for (const v1::Signature& signature : signed_event.signatures()) {
    CUSTODY_ASSIGN_OR_RETURN(added.signatures.emplace_back(), PlaceOf(signature));
  }
  added.observation = IsCultureObservation(event) && added.signatures.size() == 1;
  const std::size_t copies = added.observation ? 1 + further_observations : 1;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    added.copy = static_cast<std::uint32_t>(copy);
    model_.push_back(added);
  }
  return absl::OkStatus();
}

std::string LotMill::Fill(const ModelEvent& event, std::uint64_t number, std::uint32_t copy) {
  std::string bytes = event.bytes;
  for (const Patch& patch : event.patches) {
    char* const at = bytes.data() + patch.offset;
    switch (patch.kind) {
      case PatchKind::kEventId:
      case PatchKind::kId: {
        // Thirty-two bits of the lot, twenty-four of the copy.
        const std::uint64_t value =
            number << 24U | (patch.kind == PatchKind::kEventId ? copy & 0xFF'FFFFU : 0U);
        for (std::size_t i = 0; i < kIdBytes - kIdKept; ++i) {
          at[kIdBytes - 1 - i] = static_cast<char>(value >> (8 * i) & 0xFFU);
        }
        break;
      }
      case PatchKind::kDonation:
        // The year holds what six digits cannot.
        PutDigits(26 + number / 1'000'000, 2, at + kDonationSerial);
        PutDigits(number % 1'000'000, 6, at + kModelDonationNumber.size());
        break;
      case PatchKind::kLot:
        PutDigits(number, kModelLotDigits.size(), at + kModelLotDigits.size());
        break;
    }
  }
  return bytes;
}

v1::SignedEvent LotMill::Sign(const ModelEvent& event, std::uint64_t number) const {
  v1::SignedEvent signed_event;
  signed_event.set_event(Fill(event, number, event.copy));
  for (const ModelSignature& place : event.signatures) {
    absl::StatusOr<v1::Signature> signature =
        place.signer->SignEvent(signed_event.event(), place.terms);
    CUSTODY_CHECK(signature.ok());
    *signed_event.add_signatures() = *std::move(signature);
  }
  return signed_event;
}

std::vector<v1::SignedEvent> LotMill::Make(std::uint64_t number) const {
  std::vector<v1::SignedEvent> events;
  events.reserve(model_.size());
  for (const ModelEvent& event : model_) events.push_back(Sign(event, number));
  return events;
}

std::size_t LotMill::FirstObservation() const {
  const auto found = std::find_if(model_.begin(), model_.end(), [](const ModelEvent& event) {
    return event.observation && event.signatures.front().terms.role != v1::ROLE_DEVICE;
  });
  CUSTODY_CHECK(found != model_.end());
  return static_cast<std::size_t>(found - model_.begin());
}

std::vector<v1::SignedEvent> LotMill::MakeUntilCulture(std::uint64_t number) const {
  std::vector<v1::SignedEvent> events;
  events.reserve(FirstObservation());
  for (std::size_t i = 0; i < FirstObservation(); ++i) events.push_back(Sign(model_[i], number));
  return events;
}

std::vector<std::string> LotMill::MakeObservations(std::uint64_t number, std::uint32_t serial,
                                                   std::size_t count) const {
  const ModelEvent& event = model_[FirstObservation()];
  std::vector<std::string> observations;
  observations.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    observations.push_back(Fill(event, number, serial + static_cast<std::uint32_t>(i)));
  }
  return observations;
}

const Signer& LotMill::observer() const {
  return *model_[FirstObservation()].signatures.front().signer;
}

const SignatureTerms& LotMill::observer_terms() const {
  return model_[FirstObservation()].signatures.front().terms;
}

std::size_t LotMill::signatures_per_lot() const {
  std::size_t count = 0;
  for (const ModelEvent& event : model_) count += event.signatures.size();
  return count;
}

}  // namespace custody
