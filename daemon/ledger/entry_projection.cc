#include "daemon/ledger/entry_projection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <utility>
#include <vector>

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

// Fields in which a number of another system can stand, however deep, by type of message: found
// once, since most events hold none and need not be walked.
class ExternalHolders {
 public:
  struct Fields {
    std::vector<const FieldDescriptor*> plain;
    std::vector<const google::protobuf::OneofDescriptor*> choices;  // Some of whose fields hold.
  };

  ExternalHolders() { Visit(v1::Event::descriptor()); }
  // Null: none.
  const Fields* Find(const google::protobuf::Descriptor* type) const {
    const auto found = holders_.find(type);
    return found == holders_.end() || found->second == nullptr ? nullptr : found->second.get();
  }

 private:
  // Message types do not contain themselves, so this ends.
  bool Visit(const google::protobuf::Descriptor* type) {
    if (type == v1::ExternalIdentifier::descriptor()) return true;
    if (const auto known = holders_.find(type); known != holders_.end()) {
      return known->second != nullptr;
    }
    auto fields = std::make_unique<Fields>();
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->message_type() == nullptr || !Visit(field->message_type())) continue;
      const google::protobuf::OneofDescriptor* choice = field->real_containing_oneof();
      if (choice == nullptr) {
        fields->plain.push_back(field);
      } else if (fields->choices.empty() || fields->choices.back() != choice) {
        fields->choices.push_back(choice);
      }
    }
    const bool holds = !fields->plain.empty() || !fields->choices.empty();
    holders_[type] = holds ? std::move(fields) : nullptr;
    return holds;
  }

  absl::flat_hash_map<const google::protobuf::Descriptor*, std::unique_ptr<Fields>> holders_;
};

const ExternalHolders& Holders() {
  static const auto& holders = *new ExternalHolders();
  return holders;
}

// The messages within `message` in which a number can stand.
std::vector<const Message*> HoldersIn(const Message& message) {
  std::vector<const Message*> found;
  const ExternalHolders::Fields* fields = Holders().Find(message.GetDescriptor());
  if (fields == nullptr) return found;
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : fields->plain) {
    if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        found.push_back(&reflection.GetRepeatedMessage(message, field, i));
      }
    } else if (reflection.HasField(message, field)) {
      found.push_back(&reflection.GetMessage(message, field));
    }
  }
  for (const google::protobuf::OneofDescriptor* choice : fields->choices) {
    const FieldDescriptor* field = reflection.GetOneofFieldDescriptor(message, choice);
    if (field != nullptr && field->message_type() != nullptr) {
      found.push_back(&reflection.GetMessage(message, field));
    }
  }
  return found;
}

void CollectExternal(const Message& message, const SubjectKey& outer,
                     std::vector<ExternalName>* names) {
  if (message.GetDescriptor() == v1::ExternalIdentifier::descriptor()) {
    const auto& external = static_cast<const v1::ExternalIdentifier&>(message);
    if (!outer.id.empty()) names->push_back({external.scheme(), external.value(), outer});
    return;
  }
  const std::vector<const Message*> holders = HoldersIn(message);
  if (holders.empty()) return;
  const SubjectKey owner = OwnerOf(message, outer);
  for (const Message* holder : holders) CollectExternal(*holder, owner, names);
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

void ProjectEntry(const ParsedEvent& event, std::uint64_t index, std::string_view entry_bytes,
                  const google::protobuf::RepeatedPtrField<v1::Link>& links, WriteBatch* writes,
                  EntryLists* lists) {
  writes->Put(KeyOfEntry(index), entry_bytes);
  writes->Put(KeyOfEventId(event.event.event_id()), EncodeEventIdRecord({event.digest, index}));
  writes->Put(KeyOfEventDigest(event.digest), EncodeU64(index));
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

void ProjectState(const SubjectKey& subject, const v1::SubjectState& state, WriteBatch* writes) {
  writes->Put(KeyOfState(subject), EncodeMessage(state));
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
