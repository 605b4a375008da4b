#include "daemon/ledger/entry_projection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/container/flat_hash_map.h"
#include "custody/v1/options.pb.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The subject whose id stands first in `message`, or `outer` if there is none.
SubjectKey OwnerOf(const Message& message, const SubjectKey& outer) {
  const google::protobuf::Descriptor& descriptor = *message.GetDescriptor();
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const FieldDescriptor& field = *descriptor.field(i);
    if (field.is_repeated() || field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    if (!field.options().HasExtension(v1::touches)) continue;
    const v1::Touch& touch = field.options().GetExtension(v1::touches);
    const bool makes =
        touch.role() == v1::SUBJECT_ROLE_PRIMARY || touch.role() == v1::SUBJECT_ROLE_PRODUCT;
    std::string id = reflection.GetString(message, &field);
    if (makes && !id.empty()) return SubjectKey{touch.kind(), std::move(id)};
  }
  return outer;
}

// Types of messages in which a number of another system can stand, however deep: found once, since
// most events hold none and need not be walked.
class ExternalHolders {
 public:
  ExternalHolders() { Visit(v1::Event::descriptor()); }
  bool Contains(const google::protobuf::Descriptor* type) const { return holds_.at(type); }

 private:
  // Message types do not contain themselves, so this ends.
  bool Visit(const google::protobuf::Descriptor* type) {
    if (const auto known = holds_.find(type); known != holds_.end()) return known->second;
    bool holds = type == v1::ExternalIdentifier::descriptor();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->message_type() != nullptr && Visit(field->message_type())) holds = true;
    }
    holds_[type] = holds;
    return holds;
  }

  absl::flat_hash_map<const google::protobuf::Descriptor*, bool> holds_;
};

const ExternalHolders& Holders() {
  static const auto& holders = *new ExternalHolders();
  return holders;
}

void CollectExternal(const Message& message, const SubjectKey& outer,
                     std::vector<ExternalName>* names) {
  if (message.GetDescriptor() == v1::ExternalIdentifier::descriptor()) {
    const auto& external = static_cast<const v1::ExternalIdentifier&>(message);
    if (!outer.id.empty()) names->push_back({external.scheme(), external.value(), outer});
    return;
  }
  const SubjectKey owner = OwnerOf(message, outer);
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || !Holders().Contains(field->message_type())) continue;
    if (!field->is_repeated()) {
      CollectExternal(reflection.GetMessage(message, field), owner, names);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      CollectExternal(reflection.GetRepeatedMessage(message, field, i), owner, names);
    }
  }
}

std::vector<SubjectKey> WithRole(const ParsedEvent& event, v1::SubjectRole role) {
  std::vector<SubjectKey> keys;
  for (const v1::SubjectRef& ref : event.event.subjects()) {
    if (ref.role() == role && ref.kind() != v1::SUBJECT_KIND_IDENTIFIER) keys.push_back(KeyOf(ref));
  }
  return keys;
}

void AddClinicalEdges(const ParsedEvent& event,
                      std::vector<std::pair<SubjectKey, SubjectKey>>* edges) {
  const std::vector<SubjectKey> primary = WithRole(event, v1::SUBJECT_ROLE_PRIMARY);
  if (primary.empty() || primary.front().kind != v1::SUBJECT_KIND_ORDER) return;
  // Only acts that bind: a refused attempt or a follow-up makes no edge.
  const v1::Event::BodyCase body = event.event.body_case();
  if (body != v1::Event::kTreatmentOrdered && body != v1::Event::kDoseReserved &&
      body != v1::Event::kAdministrationStarted && body != v1::Event::kAdministrationEnded) {
    return;
  }
  for (const SubjectKey& related : WithRole(event, v1::SUBJECT_ROLE_RELATED)) {
    if (related.kind == v1::SUBJECT_KIND_CONTAINER) edges->emplace_back(related, primary.front());
    if (related.kind == v1::SUBJECT_KIND_PATIENT) edges->emplace_back(primary.front(), related);
  }
}

}  // namespace

std::vector<std::pair<SubjectKey, SubjectKey>> EdgesOf(const ParsedEvent& event) {
  std::vector<std::pair<SubjectKey, SubjectKey>> edges;
  const std::vector<SubjectKey> sources = WithRole(event, v1::SUBJECT_ROLE_SOURCE);
  std::vector<SubjectKey> products = WithRole(event, v1::SUBJECT_ROLE_PRODUCT);
  if (products.empty()) products = WithRole(event, v1::SUBJECT_ROLE_PRIMARY);
  for (const SubjectKey& source : sources) {
    for (const SubjectKey& product : products) {
      if (!(source == product)) edges.emplace_back(source, product);
    }
  }
  AddClinicalEdges(event, &edges);
  return edges;
}

std::vector<ExternalName> ExternalNamesOf(const v1::Event& event) {
  std::vector<ExternalName> names;
  CollectExternal(event, SubjectKey{}, &names);
  return names;
}

void ProjectEntry(Projection projection, const ParsedEvent& event, std::uint64_t index,
                  std::string_view entry_bytes,
                  const google::protobuf::RepeatedPtrField<v1::Link>& links, WriteBatch* writes,
                  EntryLists* lists) {
  writes->Put(KeyOfEntry(index), entry_bytes);
  writes->Put(KeyOfEventId(event.event.event_id()), EncodeEventIdRecord({event.digest, index}));
  writes->Put(KeyOfEventDigest(event.digest), EncodeU64(index));
  if (projection == Projection::kReplay) return;
  for (std::size_t i = 0; i < event.subjects.size(); ++i) {
    writes->Put(KeyOfChain(event.subjects[i], links.Get(static_cast<int>(i)).position()),
                EncodeU64(index));
  }
  for (const auto& [parent, child] : EdgesOf(event)) {
    writes->Put(KeyOfEdge(Table::kEdgeForward, parent, child), "");
    writes->Put(KeyOfEdge(Table::kEdgeBack, child, parent), "");
  }
  for (const ExternalName& name : ExternalNamesOf(event.event)) {
    writes->Put(KeyOfExternal(name.scheme, name.value, name.subject), "");
  }
  lists->Add(PrefixOfCode(event.code()), index);
  if (!event.event.site_id().empty()) lists->Add(PrefixOfSite(event.event.site_id()), index);
  for (const ParsedSignature& signature : event.signatures) {
    lists->Add(PrefixOfSigner(signature.signer), index);
  }
}

void ProjectState(Projection projection, const SubjectKey& subject, const v1::SubjectState& state,
                  WriteBatch* writes) {
  writes->Put(KeyOfState(subject), EncodeMessage(state));
  if (projection == Projection::kReplay) return;
  if (state.has_case_()) {
    const std::string key = KeyOfOpenCase(subject.id);
    state.case_().closed() ? writes->Delete(key) : writes->Put(key, "");
  }
  if (state.has_order() && state.order().administered_at_ms() != 0) {
    const std::string key = KeyOfRunningOrder(subject.id);
    state.order().phase() == v1::ORDER_PHASE_CLOSED ? writes->Delete(key) : writes->Put(key, "");
  }
}

}  // namespace custody
