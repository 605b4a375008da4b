#include "lifecycle/time_range.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

}  // namespace

absl::Status CheckTimeField(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_INT64 || !absl::EndsWith(field.name(), "_ms")) {
    return absl::OkStatus();
  }
  const int count = field.is_repeated() ? reflection.FieldSize(message, &field) : 1;
  for (int i = 0; i < count; ++i) {
    const std::int64_t ms = field.is_repeated() ? reflection.GetRepeatedInt64(message, &field, i)
                                                : reflection.GetInt64(message, &field);
    if (!IsTimeInRange(ms)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s is %d, beyond the year 9999", field.name(), ms));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTimesInRange(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      CUSTODY_RETURN_IF_ERROR(CheckTimeField(message, *field));
      continue;
    }
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      CUSTODY_RETURN_IF_ERROR(
          CheckTimesInRange(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                 : reflection.GetMessage(message, field)));
    }
  }
  return absl::OkStatus();
}

}  // namespace custody
