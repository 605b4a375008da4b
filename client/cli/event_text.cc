#include "client/cli/event_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "client/cli/terminal.h"
#include "client/draft/time_text.h"
#include "custody/refusal.h"
#include "custody/v1/options.pb.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

constexpr std::size_t kSubjectsShownMax = 4;

std::string SeverityName(v1::Severity severity) {
  std::string name = EnumLabel(severity);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string Placeholder(const FieldDescriptor& field) {
  const bool touched = field.options().HasExtension(v1::touches);
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    return touched ? "\"@name\"   # " + EnumLabel(field.options().GetExtension(v1::touches).kind())
                   : "\"@name\"   # or hexadecimal";
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return "# " + EnumWords(*field.enum_type(), " | ");
    case FieldDescriptor::CPPTYPE_STRING:
      return "\"\"";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    default:
      return field.name().ends_with("_at_ms") ? "now" : "0";
  }
}

// The short form of a message that a draft writes as one text; empty when it has none.
std::string_view ShortForm(std::string_view message) {
  if (message == "Decimal") return "\"0.0\"";
  if (message == "Document") return "\"@file:document.pdf\"";
  if (message == "SubjectRef") return "\"donation:@name\"";
  if (message == "Commitment") return "\"@commit:text that stays here\"";
  return "";
}

std::string ValueText(const FieldDescriptor& field) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return std::string(ShortForm(field.message_type()->name()));
  }
  std::string value = Placeholder(field);
  if (!field.is_repeated()) return value;
  if (value.starts_with("# ")) value.erase(0, 2);
  return "[]   # list of " + value;
}

void AppendFields(const Descriptor& type, std::size_t indent, std::string* out) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    out->append(indent, ' ');
    if (const std::string value = ValueText(field); !value.empty()) {
      absl::StrAppend(out, field.name(), ": ", value, "\n");
      continue;
    }
    absl::StrAppend(out, field.name(), ":\n");
    std::string inner;
    AppendFields(*field.message_type(), indent + 2, &inner);
    if (field.is_repeated() && !inner.empty()) inner[indent] = '-';
    *out += inner;
  }
}

}  // namespace

std::string DescribeEvent(Session& session, const v1::Event& event) {
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  std::vector<std::string> names;
  for (const v1::SubjectRef& subject : event.subjects()) {
    if (names.size() == kSubjectsShownMax) {
      names.push_back(absl::StrFormat("and %d more",
                                      event.subjects_size() - static_cast<int>(kSubjectsShownMax)));
      break;
    }
    names.push_back(session.NameOf(subject));
  }
  return absl::StrFormat("%-7s %s  %s", entry == nullptr ? "?" : entry->row.code(),
                         entry == nullptr ? "?" : entry->name, absl::StrJoin(names, ", "));
}

std::string DescribeFindings(const v1::Entry& entry) {
  std::vector<std::string> parts;
  for (const v1::Finding& finding : entry.findings()) {
    parts.push_back(absl::StrFormat("%s %s%s%s", ReasonName(finding.code()),
                                    SeverityName(finding.severity()),
                                    finding.detail().empty() ? "" : ": ", finding.detail()));
  }
  return absl::StrJoin(parts, "; ");
}

absl::StatusOr<v1::Event> ParseEvent(std::string_view bytes, std::string_view where) {
  v1::Event event;
  if (bytes.empty() || !event.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrFormat("%s is no event", where));
  }
  return event;
}

absl::StatusOr<v1::Entry> ParseEntry(std::string_view bytes, std::string_view where) {
  v1::Entry entry;
  if (bytes.empty() || !entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(absl::StrFormat("%s is no entry", where));
  }
  return entry;
}

absl::StatusOr<std::vector<std::string>> EntryRow(Session& session, std::string_view entry_bytes) {
  const absl::StatusOr<v1::Entry> entry = ParseEntry(entry_bytes, "what the server sent");
  if (!entry.ok()) return absl::DataLossError(entry.status().message());
  std::vector<std::string> row{absl::StrFormat("%d", entry->index()),
                               FormatTimeMs(entry->recorded_at_ms())};
  if (entry->has_seal()) {
    row.push_back(absl::StrFormat("seal    %d subjects", entry->seal().subject_count()));
  } else {
    const absl::StatusOr<v1::Event> event =
        ParseEvent(entry->signed_event().event(), "the event of entry " + row[0]);
    if (!event.ok()) return absl::DataLossError(event.status().message());
    row.push_back(DescribeEvent(session, *event));
  }
  row.push_back(DescribeFindings(*entry));
  return row;
}

absl::StatusOr<std::string> EntryJson(std::string_view entry_bytes, int indent) {
  const absl::StatusOr<v1::Entry> entry = ParseEntry(entry_bytes, "what the server sent");
  if (!entry.ok()) return absl::DataLossError(entry.status().message());
  Json out = Json::parse(MessageToJson(*entry));
  // Entry 0 has index 0, which protobuf leaves out.
  out["index"] = entry->index();
  if (entry->has_signed_event()) {
    const absl::StatusOr<v1::Event> event = ParseEvent(
        entry->signed_event().event(), absl::StrFormat("the event of entry %d", entry->index()));
    if (!event.ok()) return absl::DataLossError(event.status().message());
    out["event"] = Json::parse(MessageToJson(*event));
    Json statements = Json::array();
    for (const v1::Signature& signature : entry->signed_event().signatures()) {
      v1::SignatureStatement statement;
      if (!statement.ParseFromString(signature.statement())) {
        return absl::DataLossError(
            absl::StrFormat("a signature of entry %d holds no statement", entry->index()));
      }
      statements.push_back(Json::parse(MessageToJson(statement)));
    }
    out["statements"] = std::move(statements);
  }
  return out.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string EventTemplate(const CatalogueEntry& entry) {
  std::string out =
      absl::StrFormat("# %s %s: %s\n", entry.row.code(), entry.name,
                      entry.is_decision()      ? "a decision; refused when a rule is broken"
                      : entry.is_observation() ? "an observation; always recorded, flagged"
                                               : "governance");
  std::vector<std::string> signers;
  for (const v1::SignaturePlace& place : entry.row.signatures()) {
    std::vector<std::string> rules;
    for (const v1::SignerRule& rule : place.any_of()) {
      rules.push_back(EnumLabel(rule.role()) + "/" + EnumLabel(rule.meaning()));
    }
    out += "# signed by: " + absl::StrJoin(rules, " or ") +
           (place.waivable() ? " (a policy may waive it)" : "") + "\n";
    signers.push_back("\"name as " + rules.front() + "\"");
  }
  out += "# delete the fields that you do not state\n";
  out += "event: " + entry.name + "\nsite: \"@site/name\"\nat: now\n";
  out += "sign: [" + absl::StrJoin(signers, ", ") + "]\nbody:\n";
  AppendFields(*entry.body_field->message_type(), 2, &out);
  return out;
}

}  // namespace custody
