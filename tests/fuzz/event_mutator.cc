#include "tests/fuzz/event_mutator.h"

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.h"
#include "crypto/pae.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kDepthMax = 5;
constexpr std::int64_t kDayMs = 86'400'000;

std::int64_t NumberIn(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return static_cast<std::int64_t>(reflection.GetUInt64(message, &field));
    default:
      return 0;
  }
}

void Learn(const Message& message, KnownValues* known);

// One value of a list.
void LearnItem(const Message& message, const FieldDescriptor* field, int i, KnownValues* known) {
  const Reflection& reflection = *message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    Learn(reflection.GetRepeatedMessage(message, field, i), known);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    known->texts[field].push_back(reflection.GetRepeatedString(message, field, i));
  }
}

void LearnSingle(const Message& message, const FieldDescriptor* field, KnownValues* known) {
  const Reflection& reflection = *message.GetReflection();
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    Learn(reflection.GetMessage(message, field), known);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    known->texts[field].push_back(reflection.GetString(message, field));
  } else {
    known->numbers[field].push_back(NumberIn(message, *field));
  }
}

void Learn(const Message& message, KnownValues* known) {
  const Reflection& reflection = *message.GetReflection();
  known->messages[message.GetDescriptor()].push_back(message.SerializeAsString());
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      LearnSingle(message, field, known);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      LearnItem(message, field, i, known);
    }
  }
}

const KnownValues& KnownIn(const RecordWorld& world) {
  static const auto* const values = [&world] {
    auto* const known = new KnownValues();
    for (const v1::Event& event : world.events()) Learn(event, known);
    for (const auto& [key, state] : world.ledger().states()) known->names.push_back(key.id);
    for (const RecordedEntry& entry : world.ledger().log()) {
      known->names.emplace_back(entry.event_digest.view());
    }
    known->names.push_back(world.policy_hash());
    return known;
  }();
  return *values;
}

}  // namespace

EventMutator::EventMutator(RecordWorld& world, std::uint64_t seed)
    : world_(world), known_(KnownIn(world)), random_(seed) {}

std::string EventMutator::Id() {
  std::string id(16, '\0');
  for (char& byte : id) byte = static_cast<char>(random_());
  return id;
}

std::string EventMutator::EventId() {
  // RFC 9562, version 7.
  std::string id = Id();
  const std::int64_t now = world_.ledger().now_ms();
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<char>(now >> (40 - 8 * i));
  id[6] = static_cast<char>(0x70 | (id[6] & 0x0F));
  id[8] = static_cast<char>(0x80 | (id[8] & 0x3F));
  return id;
}

std::string EventMutator::Text(const Field& field, const std::string& now) {
  const auto seen = known_.texts.find(&field);
  const bool bytes = field.type() == FieldDescriptor::TYPE_BYTES;
  switch (Below(8)) {
    case 0:
    case 1:
    case 2:
      if (seen != known_.texts.end()) return Any(seen->second);
      return bytes ? Any(known_.names) : "text";
    case 3:
      return bytes ? Any(known_.names) : "N/A";
    case 4:
      return bytes ? Id() : std::string(1 + Below(300), 'x');
    case 5:
      return std::string();
    case 6:
      return now + now;
    default: {
      std::string changed = now.empty() ? "0" : now;
      changed[Below(changed.size())] = static_cast<char>(bytes ? random_() : ' ' + Below(95));
      return changed;
    }
  }
}

std::int64_t EventMutator::Number(const Field& field, std::int64_t now) {
  const auto seen = known_.numbers.find(&field);
  const std::int64_t clock = world_.ledger().now_ms();
  switch (Below(8)) {
    case 0:
    case 1:
      if (seen != known_.numbers.end()) return Any(seen->second);
      return clock;
    case 2:
      return clock - static_cast<std::int64_t>(Below(400)) * kDayMs;
    case 3:
      return clock + static_cast<std::int64_t>(Below(400)) * kDayMs;
    case 4: {
      constexpr std::array<std::int64_t, 8> kEdges = {0,
                                                      1,
                                                      -1,
                                                      std::numeric_limits<std::int32_t>::max(),
                                                      std::numeric_limits<std::int32_t>::min(),
                                                      std::numeric_limits<std::int64_t>::max(),
                                                      std::numeric_limits<std::int64_t>::min(),
                                                      std::numeric_limits<std::int64_t>::max() - 1};
      return kEdges[Below(kEdges.size())];
    }
    case 5:
      return static_cast<std::int64_t>(Below(1'000));
    case 6:
      return static_cast<std::int64_t>(random_() >> Below(64));
    default:
      // Wraps at the end of the range, which is a value like any other.
      return static_cast<std::int64_t>(static_cast<std::uint64_t>(now) + Below(21) - 10);
  }
}

void EventMutator::SetScalar(const Field& field, Message* message, bool append) {
  const Reflection& reflection = *message->GetReflection();
  const std::int64_t number = Number(field, NumberIn(*message, field));
  const auto put = [&](auto set, auto add, auto value) {
    if (append) {
      (reflection.*add)(message, &field, value);
    } else {
      (reflection.*set)(message, &field, value);
    }
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return put(&Reflection::SetInt32, &Reflection::AddInt32, static_cast<std::int32_t>(number));
    case FieldDescriptor::CPPTYPE_INT64:
      return put(&Reflection::SetInt64, &Reflection::AddInt64, number);
    case FieldDescriptor::CPPTYPE_UINT32:
      return put(&Reflection::SetUInt32, &Reflection::AddUInt32,
                 static_cast<std::uint32_t>(number));
    case FieldDescriptor::CPPTYPE_UINT64:
      return put(&Reflection::SetUInt64, &Reflection::AddUInt64,
                 static_cast<std::uint64_t>(number));
    case FieldDescriptor::CPPTYPE_BOOL:
      return put(&Reflection::SetBool, &Reflection::AddBool, Chance(2));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      return put(&Reflection::SetEnumValue, &Reflection::AddEnumValue,
                 type.value(static_cast<int>(Below(static_cast<std::uint64_t>(type.value_count()))))
                     ->number());
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string now = append ? std::string() : reflection.GetString(*message, &field);
      return put(&Reflection::SetString, &Reflection::AddString, Text(field, now));
    }
    default:
      return;  // No floating point in what is signed.
  }
}

void EventMutator::ChangeRepeated(const Field& field, Message* message, int depth) {
  const Reflection& reflection = *message->GetReflection();
  const int count = reflection.FieldSize(*message, &field);
  const bool of_messages = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (count > 0 && Chance(4)) return reflection.RemoveLast(message, &field);
  if (count > 1 && Chance(4)) {
    return reflection.SwapElements(message, &field, 0,
                                   static_cast<int>(Below(static_cast<std::uint64_t>(count))));
  }
  if (!of_messages) return SetScalar(field, message, /*append=*/true);
  if (count > 0 && !Chance(3)) {
    const int which = static_cast<int>(Below(static_cast<std::uint64_t>(count)));
    return ChangeMessage(reflection.MutableRepeatedMessage(message, &field, which), depth + 1);
  }
  if (count > 0 && Chance(2)) {
    const std::string copy = reflection.GetRepeatedMessage(*message, &field, 0).SerializeAsString();
    reflection.AddMessage(message, &field)->ParseFromString(copy);
    return;
  }
  FillMessage(reflection.AddMessage(message, &field), depth + 1);
}

void EventMutator::ChangeField(const Field& field, Message* message, int depth) {
  const Reflection& reflection = *message->GetReflection();
  if (field.is_repeated()) return ChangeRepeated(field, message, depth);
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return SetScalar(field, message, /*append=*/false);
  }
  if (reflection.HasField(*message, &field)) {
    if (Chance(8)) return reflection.ClearField(message, &field);
    return ChangeMessage(reflection.MutableMessage(message, &field), depth + 1);
  }
  FillMessage(reflection.MutableMessage(message, &field), depth + 1);
}

void EventMutator::ChangeMessage(Message* message, int depth) {
  const auto& type = *message->GetDescriptor();
  if (type.field_count() == 0 || depth > kDepthMax) return;
  // A field that is there is the likelier choice.
  std::vector<const Field*> there;
  message->GetReflection()->ListFields(*message, &there);
  const Field* const field =
      !there.empty() && !Chance(3)
          ? Any(there)
          : type.field(static_cast<int>(Below(static_cast<std::uint64_t>(type.field_count()))));
  ChangeField(*field, message, depth);
}

void EventMutator::FillMessage(Message* message, int depth) {
  const auto seen = known_.messages.find(message->GetDescriptor());
  if (seen != known_.messages.end() && !Chance(4)) {
    message->ParseFromString(Any(seen->second));
    if (Chance(2)) ChangeMessage(message, depth);
    return;
  }
  if (depth > kDepthMax) return;
  const auto& type = *message->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    if (!Chance(4)) ChangeField(*type.field(i), message, depth);
  }
}

void EventMutator::PutBody(v1::Event* event) {
  const auto rows = Catalogue();
  const CatalogueEntry& row = rows[Below(rows.size())];
  event->clear_body();
  FillMessage(event->GetReflection()->MutableMessage(event, row.body_field), 1);
}

// So that most events are refused by a rule and not for their header.
void EventMutator::RepairHeader(v1::Event* event) {
  const CatalogueEntry* const row = FindCatalogueEntry(*event);
  event->set_ledger(world_.ledger().origin());
  event->set_event_id(EventId());
  if (!Chance(8)) event->mutable_occurred_at()->set_utc_ms(world_.ledger().now_ms());
  if (event->occurred_at().source() == v1::TIME_SOURCE_UNSPECIFIED) {
    event->mutable_occurred_at()->set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  }
  if (row != nullptr && !Chance(16)) {
    event->clear_site_id();
    event->clear_policy_hash();
    if (!row->is_governance()) event->set_site_id(Any(world_.site_ids()));
    if (row->is_decision()) event->set_policy_hash(world_.policy_hash());
  }
  FillSubjects(event);
}

std::vector<SignAs> EventMutator::SignersOf(const v1::SignedEvent& signed_event) {
  std::vector<SignAs> signers;
  for (const v1::Signature& signature : signed_event.signatures()) {
    v1::SignatureStatement statement;
    if (!statement.ParseFromString(signature.statement())) continue;
    SignAs as;
    as.id = statement.person_id().empty() ? statement.device_id() : statement.person_id();
    as.role = statement.role();
    as.meaning = statement.meaning();
    if (world_.CanSign(as.id)) signers.push_back(std::move(as));
  }
  return signers;
}

std::vector<SignAs> EventMutator::SignersRequired(const v1::Event& event) {
  std::vector<SignAs> signers;
  const CatalogueEntry* const row = FindCatalogueEntry(event);
  if (row == nullptr) return signers;
  std::map<v1::Role, std::size_t> used;
  for (const v1::SignaturePlace& place : row->row.signatures()) {
    if (place.any_of().empty()) continue;
    const v1::SignerRule& rule =
        place.any_of(static_cast<int>(Below(static_cast<std::uint64_t>(place.any_of_size()))));
    const std::string id = world_.ActorOf(rule.role(), event.site_id(), used[rule.role()]++);
    if (world_.CanSign(id)) signers.push_back({id, rule.role(), rule.meaning()});
  }
  return signers;
}

v1::SignedEvent EventMutator::Fresh() {
  v1::Event event = Any(world_.events());
  if (Chance(3)) PutBody(&event);
  RepairHeader(&event);
  return world_.Sign(event, SignersRequired(event));
}

v1::SignedEvent EventMutator::Mutate(const v1::SignedEvent& from) {
  v1::Event event;
  if (!event.ParseFromString(from.event())) return Fresh();
  const CatalogueEntry* const row = FindCatalogueEntry(event);
  if (row == nullptr || Chance(24)) PutBody(&event);
  for (std::uint64_t changes = 1 + Below(3); changes > 0 && row != nullptr; --changes) {
    if (Chance(10)) {
      ChangeMessage(&event, 0);
    } else if (const CatalogueEntry* body = FindCatalogueEntry(event)) {
      ChangeMessage(event.GetReflection()->MutableMessage(&event, body->body_field), 1);
    }
  }
  RepairHeader(&event);
  std::vector<SignAs> signers = Chance(4) ? SignersOf(from) : SignersRequired(event);
  if (!signers.empty() && Chance(10)) signers.pop_back();
  return world_.Sign(event, signers);
}

}  // namespace custody
