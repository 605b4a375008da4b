#include "client/cli/event_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "client/cli/terminal.h"
#include "client/draft/time_text.h"
#include "custody/refusal.h"
#include "custody/v1/options.pb.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using Json = nlohmann::ordered_json;

constexpr std::size_t kSubjectsShownMax = 4;

std::string SeverityName(v1::Severity severity) {
  std::string name = v1::Severity_Name(severity).substr(9);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

std::string EnumWords(const EnumDescriptor& type) {
  const std::size_t prefix = type.value(0)->name().size() - std::string_view("UNSPECIFIED").size();
  std::vector<std::string> words;
  for (int i = 1; i < type.value_count(); ++i)
    words.push_back(type.value(i)->name().substr(prefix));
  return absl::StrJoin(words, " | ");
}

std::string Placeholder(const FieldDescriptor& field) {
  const bool touched = field.options().HasExtension(v1::touches);
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    return touched ? "\"@name\"   # " +
                         v1::SubjectKind_Name(field.options().GetExtension(v1::touches).kind())
                             .substr(13)
                   : "\"@name\"   # or hexadecimal";
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return "# " + EnumWords(*field.enum_type());
    case FieldDescriptor::CPPTYPE_STRING:
      return "\"\"";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "false";
    default:
      return field.name().ends_with("_at_ms") ? "now" : "0";
  }
}

void AppendFields(const Descriptor& type, int indent, std::string* out) {
  const std::string pad(static_cast<std::size_t>(indent), ' ');
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const std::string& name = field.message_type()->name();
      if (name == "Decimal") {
        *out += pad + field.name() + ": \"0.0\"\n";
      } else if (name == "Document") {
        *out += pad + field.name() + ": \"@file:document.pdf\"\n";
      } else if (name == "SubjectRef") {
        *out += pad + field.name() + ": \"donation:@name\"\n";
      } else if (name == "Commitment") {
        *out += pad + field.name() + ": \"@commit:text that stays here\"\n";
      } else {
        *out += pad + field.name() + ":\n";
        std::string inner;
        AppendFields(*field.message_type(), indent + 2, &inner);
        if (field.is_repeated() && !inner.empty()) inner[static_cast<std::size_t>(indent)] = '-';
        *out += inner;
      }
      continue;
    }
    const std::string value = Placeholder(field);
    *out += pad + field.name() + ": " + (field.is_repeated() ? "[]   # list of " + value : value) +
            "\n";
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

std::vector<std::string> EntryRow(Session& session, std::string_view entry_bytes) {
  v1::Entry entry;
  entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size()));
  std::vector<std::string> row{absl::StrFormat("%d", entry.index()),
                               FormatTimeMs(entry.recorded_at_ms())};
  if (entry.has_seal()) {
    row.push_back(absl::StrFormat("seal    %d subjects", entry.seal().subject_count()));
  } else {
    v1::Event event;
    event.ParseFromString(entry.signed_event().event());
    row.push_back(DescribeEvent(session, event));
  }
  row.push_back(DescribeFindings(entry));
  return row;
}

std::string EntryJson(std::string_view entry_bytes) {
  v1::Entry entry;
  entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size()));
  Json out = Json::parse(MessageToJson(entry));
  if (entry.has_signed_event()) {
    v1::Event event;
    event.ParseFromString(entry.signed_event().event());
    out["event"] = Json::parse(MessageToJson(event));
    Json statements = Json::array();
    for (const v1::Signature& signature : entry.signed_event().signatures()) {
      v1::SignatureStatement statement;
      statement.ParseFromString(signature.statement());
      statements.push_back(Json::parse(MessageToJson(statement)));
    }
    out["statements"] = std::move(statements);
  }
  return out.dump(2);
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
      rules.push_back(v1::Role_Name(rule.role()).substr(5) + "/" +
                      v1::Meaning_Name(rule.meaning()).substr(8));
    }
    out += "# signed by: " + absl::StrJoin(rules, " or ") +
           (place.waivable() ? " (a policy may waive it)" : "") + "\n";
    signers.push_back("\"name as " + rules.front() + "\"");
  }
  out += "event: " + entry.name + "\nsite: \"@site/name\"\nat: now\n";
  out += "sign: [" + absl::StrJoin(signers, ", ") + "]\nbody:\n";
  AppendFields(*entry.body_field->message_type(), 2, &out);
  return out;
}

}  // namespace custody
