// Events with something missing or made up in their body, for properties.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_DISTURB_H_
#define CUSTODY_TESTS_SUPPORT_DISTURB_H_

#include <google/protobuf/message.h>
#include <rapidcheck.h>

#include <cstdint>
#include <limits>

#include "custody/v1/event.pb.h"

namespace custody {

// Clears a field of a message, or puts something else into it.
inline void DisturbField(std::int64_t now_ms, google::protobuf::Message* message) {
  using google::protobuf::FieldDescriptor;
  constexpr std::int64_t kHourMs = 3'600'000;
  const auto* const descriptor = message->GetDescriptor();
  const auto* const reflection = message->GetReflection();
  if (descriptor->field_count() == 0) return;
  const FieldDescriptor* const field =
      descriptor->field(*rc::gen::inRange(0, descriptor->field_count()));
  if (*rc::gen::arbitrary<bool>() || field->is_repeated()) {
    return reflection->ClearField(message, field);
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->SetInt64(
          message, field,
          *rc::gen::element<std::int64_t>(-1, 1, now_ms - kHourMs, now_ms + kHourMs,
                                          std::numeric_limits<std::int64_t>::max()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection->SetUInt32(
          message, field,
          *rc::gen::element<std::uint32_t>(1, 9'000, std::numeric_limits<std::uint32_t>::max()));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->SetInt32(
          message, field,
          *rc::gen::element<std::int32_t>(std::numeric_limits<std::int32_t>::min(), -1, 40'000,
                                          std::numeric_limits<std::int32_t>::max()));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->SetEnumValue(message, field,
                                      *rc::gen::inRange(1, field->enum_type()->value_count()));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return DisturbField(now_ms, reflection->MutableMessage(message, field));
    default:
      return reflection->ClearField(message, field);
  }
}

// The same with a field of the event's body.
inline void DisturbBody(std::int64_t now_ms, v1::Event* event) {
  const auto* const body = v1::Event::descriptor()->FindFieldByNumber(event->body_case());
  DisturbField(now_ms, event->GetReflection()->MutableMessage(event, body));
}

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DISTURB_H_
