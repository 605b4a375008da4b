#include "client/cli/terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "base/bytes.h"
#include "custody/refusal.h"
#include "google/protobuf/descriptor.h"

namespace custody {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Json = nlohmann::ordered_json;

Json ToJson(const Message& message);

std::string StringToJson(const FieldDescriptor& field, const std::string& text) {
  return field.type() == FieldDescriptor::TYPE_BYTES ? ToHex(text) : text;
}

std::string EnumToJson(const FieldDescriptor& field, const EnumValueDescriptor& value) {
  const std::string& first = field.enum_type()->value(0)->name();
  const std::size_t prefix = first.size() - std::string_view("UNSPECIFIED").size();
  return value.name().substr(std::min(prefix, value.name().size()));
}

Json SingleToJson(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringToJson(field, reflection.GetString(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, *reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetUInt64(message, &field);
    default:
      return nullptr;
  }
}

Json ElementToJson(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(reflection.GetRepeatedMessage(message, &field, i));
    case FieldDescriptor::CPPTYPE_STRING:
      return StringToJson(field, reflection.GetRepeatedString(message, &field, i));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetRepeatedBool(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumToJson(field, *reflection.GetRepeatedEnum(message, &field, i));
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.GetRepeatedInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.GetRepeatedUInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.GetRepeatedInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.GetRepeatedUInt64(message, &field, i);
    default:
      return nullptr;
  }
}

Json ToJson(const Message& message) {
  Json out = Json::object();
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      out[field->name()] = SingleToJson(message, *field);
      continue;
    }
    Json list = Json::array();
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      list.push_back(ElementToJson(message, *field, i));
    }
    out[field->name()] = std::move(list);
  }
  return out;
}

Json TableJson(const std::vector<std::string>& header,
               const std::vector<std::vector<std::string>>& rows) {
  const bool pairs = header == std::vector<std::string>{"KEY", "VALUE"};
  Json out = pairs ? Json::object() : Json::array();
  for (const auto& row : rows) {
    if (pairs) {
      out[row[0]] = row[1];
      continue;
    }
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size() && i < header.size(); ++i) {
      object[absl::AsciiStrToLower(header[i])] = row[i];
    }
    out.push_back(std::move(object));
  }
  return out;
}

void Print(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fputc('\n', stream);
  std::fflush(stream);
}

}  // namespace

std::string MessageToJson(const Message& message, int indent) {
  return ToJson(message).dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
  }
  return width;
}

Terminal::Terminal() {
  const char* term = std::getenv("TERM");
  colour_ = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
            std::string_view(term) != "dumb";
}

void Terminal::Line(std::string_view text) const { Print(stdout, text); }

void Terminal::Note(std::string_view text) const {
  if (!quiet_) Print(stderr, text);
}

void Terminal::Json(const Message& message) const { Print(stdout, MessageToJson(message)); }
void Terminal::Fields(const std::vector<std::pair<std::string, std::string>>& fields) const {
  if (!json_) return;
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [key, value] : fields) out[key] = value;
  Print(stdout, out.dump(2));
}

void Terminal::JsonLine(const Message& message) const { Print(stdout, MessageToJson(message, -1)); }

void Terminal::JsonList(const std::vector<std::string>& items) const {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() == 1 ? "\n" : ",\n") + item;
  Print(stdout, text + (items.empty() ? "]" : "\n]"));
}

void Terminal::JsonText(std::string_view json) const { Print(stdout, json); }

std::string Terminal::Paint(Tone tone, std::string_view text) const {
  if (!colour_ || tone == Tone::kPlain) return std::string(text);
  const char* code = "";
  switch (tone) {
    case Tone::kGood:
      code = "\033[1;32m";
      break;
    case Tone::kWarn:
      code = "\033[1;33m";
      break;
    case Tone::kBad:
      code = "\033[1;31m";
      break;
    case Tone::kDim:
      code = "\033[2m";
      break;
    default:
      code = "\033[1m";
      break;
  }
  return code + std::string(text) + "\033[0m";
}

void Terminal::Table(const std::vector<std::string>& header,
                     const std::vector<std::vector<std::string>>& rows) const {
  if (json_) {
    Print(stdout,
          TableJson(header, rows).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
    return;
  }
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const std::string& cell : header) widths.push_back(DisplayWidth(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  const auto print = [&](const std::vector<std::string>& row, Tone tone) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - DisplayWidth(row[i]) + 2, ' ');
    }
    Line(Paint(tone, line));
  };
  print(header, Tone::kDim);
  for (const auto& row : rows) print(row, Tone::kPlain);
}

void Terminal::Error(const absl::Status& status) const {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  const std::string code(StdView(absl::StatusCodeToString(status.code())));
  if (json_) {
    nlohmann::ordered_json out = {{"error", code}, {"message", StdView(status.message())}};
    if (refusal) out["refusal"] = nlohmann::ordered_json::parse(MessageToJson(*refusal));
    Line(out.dump(2));
  }
  if (!refusal || refusal->reasons().empty()) {
    Print(stderr,
          Paint(Tone::kBad, "error[" + code + "]: ") + std::string(StdView(status.message())));
    return;
  }
  for (const v1::RefusalReason& reason : refusal->reasons()) {
    const std::string name(ReasonName(reason.code()));
    Print(stderr, Paint(Tone::kBad, "error[" + name + "]: ") + reason.message());
    if (!reason.remedy().empty()) Print(stderr, Paint(Tone::kDim, "  help: ") + reason.remedy());
  }
}

}  // namespace custody
