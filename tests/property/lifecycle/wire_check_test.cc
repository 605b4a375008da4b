// The strict check against its definition: an encoding is the one that protobuf itself writes.

#include "lifecycle/wire_check.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "custody/v1/event.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace custody {
namespace {

v1::Event SomeEvent(int choice) {
  v1::Event event;
  event.set_ledger("ledger");
  event.set_event_id(std::string(16, 'e'));
  event.mutable_occurred_at()->set_utc_ms(choice);
  event.mutable_occurred_at()->set_offset_minutes(-choice % 800);
  event.add_device_ids(std::string(16, 'd'));
  if (choice % 2 == 0) {
    event.mutable_product_registered()->set_name("name");
    event.mutable_product_registered()->add_regimes(v1::REGIME_US);
    event.mutable_product_registered()->add_regimes(v1::REGIME_TH);
  } else {
    event.mutable_case_opened()->set_severity(v1::SEVERITY_MAJOR);
    event.mutable_case_opened()->add_scope()->set_id(std::string(16, 's'));
    event.mutable_case_opened()->add_codes("E_HOLD");
  }
  return event;
}

// What protobuf reads and writes again, field by field in order.
bool IsFixedPoint(const std::string& bytes) {
  v1::Event event;
  if (!event.ParseFromString(bytes)) return false;
  event.DiscardUnknownFields();
  std::string again;
  {
    google::protobuf::io::StringOutputStream stream(&again);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    event.SerializeToCodedStream(&coded);
  }
  return again == bytes;
}

bool OnlyKnownEnums(const google::protobuf::Message& message);

// One value of a field, of a list when `i` is not negative.
bool IsKnown(const google::protobuf::Message& message,
             const google::protobuf::FieldDescriptor* field, int i) {
  const auto* reflection = message.GetReflection();
  if (field->enum_type() != nullptr) {
    const int value = i >= 0 ? reflection->GetRepeatedEnumValue(message, field, i)
                             : reflection->GetEnumValue(message, field);
    return field->enum_type()->FindValueByNumber(value) != nullptr;
  }
  if (field->message_type() == nullptr) return true;
  return OnlyKnownEnums(i >= 0 ? reflection->GetRepeatedMessage(message, field, i)
                               : reflection->GetMessage(message, field));
}

// proto3 keeps enum values that it does not know; the strict check does not.
bool OnlyKnownEnums(const google::protobuf::Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  const auto* reflection = message.GetReflection();
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (!field->is_repeated() && !IsKnown(message, field, -1)) return false;
    const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 0;
    for (int i = 0; i < count; ++i) {
      if (!IsKnown(message, field, i)) return false;
    }
  }
  return true;
}

RC_GTEST_PROP(WireCheckProperty, AcceptsExactlyTheEncodingThatProtobufWrites, ()) {
  std::string bytes = SomeEvent(*rc::gen::inRange(1, 1'000)).SerializeAsString();
  const int changes = *rc::gen::inRange(0, 4);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        bytes[at] = static_cast<char>(*rc::gen::inRange(0, 256));
        break;
      case 1:
        bytes.erase(at, *rc::gen::inRange<std::size_t>(1, 8));
        break;
      case 2:
        bytes.insert(at, bytes.substr(at, *rc::gen::inRange<std::size_t>(1, 24)));
        break;
      default:
        bytes.insert(at, 1, static_cast<char>(*rc::gen::inRange(0, 256)));
    }
  }
  v1::Event event;
  const bool expected =
      IsFixedPoint(bytes) && event.ParseFromString(bytes) && OnlyKnownEnums(event);
  RC_ASSERT(CheckStrictEncoding(bytes, *v1::Event::descriptor()).ok() == expected);
}

}  // namespace
}  // namespace custody
