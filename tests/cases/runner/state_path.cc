#include "tests/cases/runner/state_path.h"

#include <cstdint>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/time_text.h"
#include "custody/v1/types.pb.h"
#include "google/protobuf/descriptor.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using NameOf = std::function<std::string(std::string_view)>;

std::string EnumText(const google::protobuf::EnumDescriptor& type, int number) {
  const auto* value = type.FindValueByNumber(number);
  if (value == nullptr) return absl::StrFormat("%d", number);
  const std::string first = type.value(0)->name();
  const std::size_t prefix = first.size() - std::string_view("UNSPECIFIED").size();
  return value->name().substr(prefix);
}

std::string DecimalText(const v1::Decimal& value) {
  std::string digits = absl::StrFormat("%d", value.coefficient());
  if (value.decimals() == 0) return digits;
  while (digits.size() <= value.decimals()) digits.insert(0, "0");
  digits.insert(digits.size() - value.decimals(), ".");
  return digits;
}

// A number of the message: a moment, a duration, or itself.
std::string NumberText(const FieldDescriptor& field, std::int64_t number) {
  if (!field.name().ends_with("_at_ms")) return absl::StrFormat("%d", number);
  return number == 0 ? "none" : FormatTimeMs(number);
}

std::string MessageText(const Message& message) {
  if (const auto* decimal = dynamic_cast<const v1::Decimal*>(&message)) {
    return DecimalText(*decimal);
  }
  return "set";
}

std::string BytesText(const std::string& bytes, const NameOf& name_of) {
  return bytes.empty() ? std::string("none") : name_of(bytes);
}

absl::StatusOr<std::string> CannotBeShown(const FieldDescriptor& field) {
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' cannot be shown as one value", field.name()));
}

absl::StatusOr<std::string> ItemText(const Message& message, const FieldDescriptor& field,
                                     int index, const NameOf& name_of) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*field.enum_type(), reflection.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetRepeatedString(message, &field, index);
      return field.type() == FieldDescriptor::TYPE_BYTES ? BytesText(text, name_of) : text;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      return NumberText(field, reflection.GetRepeatedInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrFormat("%d", reflection.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrFormat("%d", reflection.GetRepeatedUInt64(message, &field, index));
    default:
      return CannotBeShown(field);
  }
}

absl::StatusOr<std::string> SingleText(const Message& message, const FieldDescriptor& field,
                                       const NameOf& name_of) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*field.enum_type(), reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return std::string(reflection.GetBool(message, &field) ? "true" : "false");
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(message, &field);
      return field.type() == FieldDescriptor::TYPE_BYTES ? BytesText(text, name_of) : text;
    }
    case FieldDescriptor::CPPTYPE_INT64:
      return NumberText(field, reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return NumberText(field, reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrFormat("%d", reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrFormat("%d", reflection.GetUInt64(message, &field));
    default:
      return CannotBeShown(field);
  }
}

// One value, of a list when `index` is not negative.
absl::StatusOr<std::string> ValueText(const Message& message, const FieldDescriptor& field,
                                      int index, const NameOf& name_of) {
  return index >= 0 ? ItemText(message, field, index, name_of)
                    : SingleText(message, field, name_of);
}

absl::Status NoField(const Message& message, std::string_view name) {
  std::vector<std::string> fields;
  fields.reserve(static_cast<std::size_t>(message.GetDescriptor()->field_count()));
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    fields.push_back(message.GetDescriptor()->field(i)->name());
  }
  return absl::InvalidArgumentError(absl::StrFormat("%s has no field '%s'; it has %s",
                                                    message.GetDescriptor()->name(), name,
                                                    absl::StrJoin(fields, ", ")));
}

// "name[2]" as name and 2; -1 without brackets.
absl::StatusOr<int> TakeIndex(std::string_view* part) {
  const std::size_t bracket = part->find('[');
  if (bracket == std::string_view::npos) return -1;
  int index = -1;
  const std::string_view digits = part->substr(bracket + 1);
  if (!digits.ends_with("]") ||
      !absl::SimpleAtoi(AbslView(digits.substr(0, digits.size() - 1)), &index) || index < 0) {
    return absl::InvalidArgumentError(absl::StrFormat("'%s' is no place in a list", *part));
  }
  *part = part->substr(0, bracket);
  return index;
}

// What a list without an index can say: its size.
absl::StatusOr<std::string> ListText(const Message& message, const FieldDescriptor& field,
                                     std::string_view rest) {
  if (rest == "size") {
    return absl::StrFormat("%d", message.GetReflection()->FieldSize(message, &field));
  }
  return absl::InvalidArgumentError(absl::StrFormat("'%s' is a list; write %s.size or %s[0]",
                                                    field.name(), field.name(), field.name()));
}

}  // namespace

absl::StatusOr<std::string> ReadPath(const Message& message, std::string_view path,
                                     const NameOf& name_of) {
  const std::size_t dot = path.find('.');
  std::string_view part = path.substr(0, dot);
  const std::string_view rest = dot == std::string_view::npos ? "" : path.substr(dot + 1);
  CUSTODY_ASSIGN_OR_RETURN(const int index, TakeIndex(&part));
  const auto* field = message.GetDescriptor()->FindFieldByName(std::string(part));
  if (field == nullptr) return NoField(message, part);
  const auto& reflection = *message.GetReflection();
  if (field->is_repeated() && index < 0) return ListText(message, *field, rest);
  if (!field->is_repeated() && index >= 0) {
    return absl::InvalidArgumentError(absl::StrFormat("'%s' is no list", part));
  }
  if (index >= 0 && index >= reflection.FieldSize(message, field)) return std::string("none");
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return ValueText(message, *field, index, name_of);
  }
  if (index < 0 && !reflection.HasField(message, field)) return std::string("none");
  const Message& inner = index >= 0 ? reflection.GetRepeatedMessage(message, field, index)
                                    : reflection.GetMessage(message, field);
  return rest.empty() ? MessageText(inner) : ReadPath(inner, rest, name_of);
}

}  // namespace custody
