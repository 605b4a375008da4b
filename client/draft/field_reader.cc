#include "client/draft/field_reader.h"

#include <limits>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/document.h"
#include "client/draft/time_text.h"
#include "crypto/commitment.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "custody/v1/types.pb.h"
#include "lifecycle/decimal.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Field names that hold a moment; other *_ms fields hold a duration.
bool HoldsMoment(std::string_view name) {
  for (const std::string_view suffix :
       {"_at_ms", "_from_ms", "_to_ms", "_until_ms", "_before_ms", "not_after_ms", "_start_ms",
        "_since_ms", "_by_ms", "utc_ms", "_arrival_ms", "_departure_ms", "_date_ms"}) {
    if (name.ends_with(suffix)) return true;
  }
  return name == "until_ms" || name == "at_ms" || name == "use_by_ms";
}

std::vector<std::string> FieldNames(const Descriptor& type) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(type.field_count()));
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

std::vector<std::string> ValueNames(const EnumDescriptor& type) {
  const std::string unspecified = type.value(0)->name();
  const std::size_t prefix = unspecified.size() - std::string_view("UNSPECIFIED").size();
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i)
    names.push_back(type.value(i)->name().substr(prefix));
  return names;
}

}  // namespace

absl::Status FieldReader::ErrorAt(const YAML::Node& node, std::string_view message) const {
  const YAML::Mark mark = node.Mark();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s:%d:%d: %s", file_, mark.line + 1, mark.column + 1, message));
}

absl::Status FieldReader::UnknownKey(const YAML::Node& key, std::string_view where,
                                     const std::vector<std::string>& known) const {
  const std::string word = key.IsScalar() ? key.Scalar() : "(no word)";
  const std::string nearest = NearestWord(word, known);
  return ErrorAt(key, nearest.empty() ? absl::StrFormat("%s has no field '%s'; it has %s", where,
                                                        word, absl::StrJoin(known, ", "))
                                      : absl::StrFormat("%s has no field '%s'; did you mean '%s'?",
                                                        where, word, nearest));
}

absl::StatusOr<std::string> FieldReader::Scalar(const YAML::Node& node) const {
  if (!node.IsScalar()) return ErrorAt(node, "a single value is expected here");
  return node.Scalar();
}

absl::Status FieldReader::ReadMessage(const YAML::Node& node, Message* message) {
  const Descriptor& type = *message->GetDescriptor();
  if (node.IsScalar()) {
    const absl::Status status = ReadShortForm(node, node.Scalar(), message);
    if (!absl::IsNotFound(status)) return status;
  }
  if (!node.IsMap()) {
    return ErrorAt(node, absl::StrFormat("%s needs fields (%s)", type.name(),
                                         absl::StrJoin(FieldNames(type), ", ")));
  }
  for (const auto& item : node) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string name, Scalar(item.first));
    const FieldDescriptor* field = type.FindFieldByName(name);
    if (field == nullptr) field = type.FindFieldByCamelcaseName(name);  // protobuf's JSON names.
    if (field == nullptr) return UnknownKey(item.first, type.name(), FieldNames(type));
    CUSTODY_RETURN_IF_ERROR(ReadField(item.second, *field, message));
  }
  return absl::OkStatus();
}

absl::Status FieldReader::ReadField(const YAML::Node& node, const Field& field, Message* message) {
  if (!field.is_repeated()) return ReadOne(node, field, message);
  if (!node.IsSequence())
    return ReadOne(node, field, message);  // A list of one may leave out the brackets.
  for (const auto& item : node) CUSTODY_RETURN_IF_ERROR(ReadOne(item, field, message));
  return absl::OkStatus();
}

absl::Status FieldReader::ReadOne(const YAML::Node& node, const Field& field, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return ReadMessage(node, field.is_repeated() ? reflection.AddMessage(message, &field)
                                                 : reflection.MutableMessage(message, &field));
  }
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    CUSTODY_ASSIGN_OR_RETURN(std::string bytes, ReadBytes(node));
    field.is_repeated() ? reflection.AddString(message, &field, std::move(bytes))
                        : reflection.SetString(message, &field, std::move(bytes));
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, Scalar(node));
  return ReadScalar(node, field, text, message);
}

absl::Status FieldReader::ReadScalar(const YAML::Node& node, const Field& field,
                                     std::string_view text, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      absl::StatusOr<std::string> value = FillLabelTimes(text, context_->now_ms);
      if (!value.ok()) return ErrorAt(node, StdView(value.status().message()));
      if (!IsUtf8(*value)) return ErrorAt(node, "the text is not UTF-8");
      field.is_repeated() ? reflection.AddString(message, &field, *std::move(value))
                          : reflection.SetString(message, &field, *std::move(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return ErrorAt(node, "write true or false");
      reflection.SetBool(message, &field, text == "true");
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = FindEnumValue(*field.enum_type(), text);
      if (value == nullptr) {
        return ErrorAt(node, absl::StrFormat("%s is none of %s", text,
                                             absl::StrJoin(ValueNames(*field.enum_type()), ", ")));
      }
      field.is_repeated() ? reflection.AddEnum(message, &field, value)
                          : reflection.SetEnum(message, &field, value);
      return absl::OkStatus();
    }
    default:
      return ReadNumber(node, field, text, message);
  }
}

absl::StatusOr<std::int64_t> FieldReader::ReadInteger(const YAML::Node& node, const Field& field,
                                                      std::string_view text) {
  if (field.name().ends_with("_ms")) {
    if (HoldsMoment(field.name())) {
      const absl::StatusOr<TimeText> time = ParseTimeText(text, context_->now_ms);
      if (!time.ok()) return ErrorAt(node, StdView(time.status().message()));
      return time->utc_ms;
    }
    const absl::StatusOr<std::int64_t> duration = ParseDurationText(text);
    if (!duration.ok()) return ErrorAt(node, StdView(duration.status().message()));
    return *duration;
  }
  std::int64_t number = 0;
  if (!absl::SimpleAtoi(AbslView(text), &number)) {
    return ErrorAt(node, absl::StrFormat("'%s' is no whole number (%s)", text, field.name()));
  }
  return number;
}

absl::Status FieldReader::ReadNumber(const YAML::Node& node, const Field& field,
                                     std::string_view text, Message* message) {
  const Reflection& reflection = *message->GetReflection();
  CUSTODY_ASSIGN_OR_RETURN(const std::int64_t number, ReadInteger(node, field, text));
  const auto in_range = [&](std::int64_t least, std::int64_t most) {
    return number >= least && number <= most;
  };
  const absl::Status out_of_range =
      ErrorAt(node, absl::StrFormat("%s is out of range for %s", text, field.name()));
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32: {
      if (!in_range(std::numeric_limits<std::int32_t>::min(),
                    std::numeric_limits<std::int32_t>::max())) {
        return out_of_range;
      }
      reflection.SetInt32(message, &field, static_cast<std::int32_t>(number));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      if (!in_range(0, std::numeric_limits<std::uint32_t>::max())) return out_of_range;
      const auto value = static_cast<std::uint32_t>(number);
      field.is_repeated() ? reflection.AddUInt32(message, &field, value)
                          : reflection.SetUInt32(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64:
      reflection.SetInt64(message, &field, number);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT64: {
      if (number < 0) return out_of_range;
      const auto value = static_cast<std::uint64_t>(number);
      field.is_repeated() ? reflection.AddUInt64(message, &field, value)
                          : reflection.SetUInt64(message, &field, value);
      return absl::OkStatus();
    }
    default:
      return ErrorAt(node,
                     absl::StrFormat("the field %s cannot be written in a draft", field.name()));
  }
}

absl::StatusOr<std::string> FieldReader::ReadBytes(const YAML::Node& node) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, Scalar(node));
  if (text.empty() || text.front() != '@') {
    absl::StatusOr<std::string> bytes = FromHex(text);
    if (!bytes.ok()) bytes = FromBase64(text);  // As protobuf's own JSON writes bytes.
    if (!bytes.ok()) {
      return ErrorAt(node, absl::StrFormat("'%s' is neither a name (@name) nor hexadecimal", text));
    }
    return *bytes;
  }
  std::string_view name = std::string_view(text).substr(1);
  if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    if (!context_->resolve)
      return ErrorAt(node, absl::StrFormat("'%s' cannot be resolved here", text));
    absl::StatusOr<std::string> bytes =
        context_->resolve(name.substr(0, colon), name.substr(colon + 1));
    if (!bytes.ok()) return ErrorAt(node, StdView(bytes.status().message()));
    return bytes;
  }
  std::string_view suffix;
  if (const std::size_t bar = name.find('|'); bar != std::string_view::npos) {
    suffix = name.substr(bar + 1);
    name = name.substr(0, bar);
  }
  const bool create = !name.empty() && name.front() == '+';
  absl::StatusOr<std::string> id =
      create ? context_->names->Create(name.substr(1)) : context_->names->Find(name);
  if (!id.ok()) return ErrorAt(node, StdView(id.status().message()));
  return *id + std::string(suffix);
}

absl::Status FieldReader::ReadShortForm(const YAML::Node& node, std::string_view text,
                                        Message* message) {
  if (auto* decimal = dynamic_cast<v1::Decimal*>(message)) {
    return ReadDecimal(node, text, decimal);
  }
  if (auto* document = dynamic_cast<v1::Document*>(message);
      document != nullptr && text.starts_with("@file:")) {
    return ReadDocument(node, text.substr(6), document);
  }
  if (auto* subject = dynamic_cast<v1::SubjectRef*>(message)) {
    return ReadSubject(node, text, subject);
  }
  if (auto* commitment = dynamic_cast<v1::Commitment*>(message);
      commitment != nullptr && text.starts_with("@commit:")) {
    v1::Opening opening;
    opening.set_salt(RandomBytes(32));
    opening.set_value(std::string(text.substr(8)));
    opening.set_commitment(std::string(Sha256(opening.salt() + opening.value()).view()));
    commitment->set_sha256(opening.commitment());
    context_->openings.push_back(std::move(opening));
    return absl::OkStatus();
  }
  return absl::NotFoundError("no short form");
}

absl::Status FieldReader::ReadDecimal(const YAML::Node& node, std::string_view text,
                                      v1::Decimal* decimal) {
  const absl::StatusOr<Decimal> value = Decimal::Parse(text);
  if (!value.ok()) return ErrorAt(node, StdView(value.status().message()));
  decimal->set_coefficient(value->coefficient());
  decimal->set_decimals(value->decimals());
  return absl::OkStatus();
}

absl::Status FieldReader::ReadDocument(const YAML::Node& node, std::string_view path,
                                       v1::Document* document) {
  if (!context_->read_file) return ErrorAt(node, "files cannot be read here");
  const absl::StatusOr<std::string> content = context_->read_file(path);
  if (!content.ok()) return ErrorAt(node, StdView(content.status().message()));
  *document = DescribeDocument(path, *content);
  return absl::OkStatus();
}

absl::Status FieldReader::ReadSubject(const YAML::Node& node, std::string_view text,
                                      v1::SubjectRef* subject) {
  const std::size_t colon = text.find(':');
  const auto* kind = colon == std::string_view::npos
                         ? nullptr
                         : FindEnumValue(*v1::SubjectKind_descriptor(), text.substr(0, colon));
  if (kind == nullptr)
    return ErrorAt(node, "a subject is written kind:@name, for example donation:@donation/d1");
  YAML::Node id(std::string(text.substr(colon + 1)));
  subject->set_kind(static_cast<v1::SubjectKind>(kind->number()));
  CUSTODY_ASSIGN_OR_RETURN(*subject->mutable_id(), ReadBytes(id));
  subject->set_role(v1::SUBJECT_ROLE_SCOPE);
  return absl::OkStatus();
}

}  // namespace custody
