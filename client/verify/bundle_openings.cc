#include "client/verify/bundle_openings.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/commitment.h"
#include "crypto/digest.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/types.pb.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Places = std::map<std::string, std::vector<CommitmentPlace>>;

// Adds the commitments within `message`. Types of messages do not contain themselves.
void Collect(const Message& message, std::uint64_t index, const std::string& field,
             Places* places) {
  if (message.GetDescriptor() == v1::Commitment::descriptor()) {
    const auto& commitment = static_cast<const v1::Commitment&>(message);
    (*places)[commitment.sha256()].push_back({index, field});
    return;
  }
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* each : fields) {
    if (each->message_type() == nullptr) continue;
    const std::string name = field.empty() ? each->name() : field + "." + each->name();
    if (!each->is_repeated()) {
      Collect(reflection.GetMessage(message, each), index, name, places);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, each); ++i) {
      Collect(reflection.GetRepeatedMessage(message, each, i), index, name, places);
    }
  }
}

absl::Status CollectFrom(const v1::Entry& entry, Places* places) {
  if (!entry.has_signed_event()) return absl::OkStatus();
  v1::Event event;
  if (!event.ParseFromString(entry.signed_event().event())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the event of entry %d cannot be read", entry.index()));
  }
  Collect(event, entry.index(), "", places);
  return absl::OkStatus();
}

// Empty if the opening is true and opens something; else what is wrong.
std::string FaultOf(const v1::Opening& opening, const Places& places) {
  const absl::StatusOr<Digest> commitment = Digest::FromBytes(opening.commitment());
  if (!commitment.ok()) return "has no commitment of 32 bytes";
  if (opening.value().size() > kOpeningValueBytesMax) return "has a value over the limit";
  if (!CheckCommitment(*commitment, opening.salt(), opening.value()).ok()) {
    return "does not open its commitment";
  }
  return places.contains(opening.commitment()) ? "" : "opens nothing that the entries hold";
}

}  // namespace

absl::StatusOr<Places> CommitmentsIn(const v1::Bundle& bundle) {
  Places places;
  for (const v1::BundleEntry& each : bundle.entries()) {
    v1::Entry entry;
    if (!entry.ParseFromString(each.entry())) {
      return absl::InvalidArgumentError(
          absl::StrFormat("entry %d of the bundle cannot be read", each.index()));
    }
    CUSTODY_RETURN_IF_ERROR(CollectFrom(entry, &places));
  }
  return places;
}

absl::StatusOr<std::size_t> Disclose(std::span<const v1::Opening> kept, v1::Bundle* bundle) {
  CUSTODY_ASSIGN_OR_RETURN(const Places places, CommitmentsIn(*bundle));
  std::set<std::string> known;
  for (const v1::Opening& opening : bundle->openings()) known.insert(opening.commitment());
  std::size_t added = 0;
  for (const v1::Opening& opening : kept) {
    if (!FaultOf(opening, places).empty() || !known.insert(opening.commitment()).second) continue;
    *bundle->add_openings() = opening;
    ++added;
  }
  if (known.size() > kBundleOpeningsMax) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the bundle would disclose %d values, at most %d", known.size(), kBundleOpeningsMax));
  }
  return added;
}

void JudgeOpenings(const BundleContents& contents, VerificationReport* report, StepLog* log) {
  const auto& openings = contents.bundle.openings();
  if (openings.empty()) return;
  if (static_cast<std::size_t>(openings.size()) > kBundleOpeningsMax) {
    log->Add('B', "openings", Outcome::kCannotBeChecked,
             absl::StrFormat("%d openings, at most %d", openings.size(), kBundleOpeningsMax));
    return;
  }
  Places places;
  for (const BundleLeaf& leaf : contents.leaves) {
    if (!CollectFrom(leaf.entry, &places).ok()) continue;  // The step "signatures" says so.
  }
  for (int i = 0; i < openings.size(); ++i) {
    const std::string fault = FaultOf(openings.Get(i), places);
    if (!fault.empty()) {
      log->Add('B', "openings", Outcome::kProofFalse, absl::StrFormat("opening %d %s", i, fault));
      report->disclosed.clear();
      return;
    }
    for (const CommitmentPlace& place : places.at(openings.Get(i).commitment())) {
      report->disclosed.push_back({place.index, place.field, openings.Get(i).value()});
    }
  }
  log->Add(
      'B', "openings", Outcome::kVerified,
      absl::StrFormat("%d of %d commitments are opened, truly", openings.size(), places.size()));
}

}  // namespace custody
