#include "lifecycle/tools/catalogue_page.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptorProto;

constexpr std::string_view kIntroduction =
    R"(# Event catalogue

Generated from `proto/custody/v1/` by `custody_catalogue`; a test fails when it is stale. Do not
edit.

Class: an *observation* is always recorded, with findings when it breaks a rule; a *decision* and a
*governance* event are refused when a rule is broken. Each line of *signs* is a place that another
natural person fills. *Waivable* places may be waived by the product's policy. A *protective* event
takes effect on one authorised signature, whatever clock and window. The *system* events are written
by the ledger itself.

)";

// Comments by full name of the message, or of the field.
using Comments = std::map<std::string, std::string>;

std::string OneLine(std::string_view comment) {
  std::string text(absl::StripAsciiWhitespace(AbslView(comment)));
  text = absl::StrReplaceAll(text, {{"\n", " "}, {"|", "\\|"}});
  std::string line;
  for (const char c : text) {
    if (c != ' ' || line.empty() || line.back() != ' ') line.push_back(c);
  }
  return line;
}

void AddComments(const FileDescriptorProto& file, Comments* comments) {
  constexpr int kMessageType = 4;  // FileDescriptorProto.message_type
  constexpr int kField = 2;        // DescriptorProto.field
  for (const auto& location : file.source_code_info().location()) {
    const auto& path = location.path();
    if (path.size() < 2 || path[0] != kMessageType || location.leading_comments().empty()) continue;
    const auto& message = file.message_type(path[1]);
    const std::string name = file.package() + "." + message.name();
    if (path.size() == 2) {
      (*comments)[name] = OneLine(location.leading_comments());
    } else if (path.size() == 4 && path[2] == kField) {
      (*comments)[name + "." + message.field(path[3]).name()] =
          OneLine(location.leading_comments());
    }
  }
}

// "MEANING_VERIFIED" -> "verified", with spaces for underscores.
template <typename Enum>
std::string Words(Enum value) {
  std::string text = absl::AsciiStrToLower(EnumLabel(value));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

std::string PlaceText(const v1::SignaturePlace& place) {
  std::string text;
  for (const v1::SignerRule& rule : place.any_of()) {
    if (!text.empty()) text += ", or ";
    text += absl::StrFormat("%s (%s)", Words(rule.role()), Words(rule.meaning()));
  }
  if (place.waivable()) text += "; waivable";
  return text;
}

std::string TypeText(const FieldDescriptor& field) {
  std::string type = field.type_name();
  if (field.message_type() != nullptr) type = field.message_type()->name();
  if (field.enum_type() != nullptr) type = field.enum_type()->name();
  return field.is_repeated() ? "repeated " + type : type;
}

std::string TouchText(const FieldDescriptor& field) {
  if (field.options().GetExtension(v1::touches_refs)) return "each, in its own role";
  if (!field.options().HasExtension(v1::touches)) return "";
  const v1::Touch& touch = field.options().GetExtension(v1::touches);
  return absl::StrFormat("%s, %s", KindName(touch.kind()), Words(touch.role()));
}

std::vector<const FieldDescriptor*> FieldsByNumber(const Descriptor& message) {
  std::vector<const FieldDescriptor*> fields;
  fields.reserve(static_cast<std::size_t>(message.field_count()));
  for (int i = 0; i < message.field_count(); ++i) fields.push_back(message.field(i));
  std::sort(fields.begin(), fields.end(), [](const FieldDescriptor* a, const FieldDescriptor* b) {
    return a->number() < b->number();
  });
  return fields;
}

std::string Marks(const v1::CatalogueRow& row) {
  std::string marks;
  if (row.protective()) marks += " · protective";
  if (row.system()) marks += " · system";
  if (row.bedside()) marks += " · bedside";
  if (!row.evaluated()) marks += " · **rules not in this version**";
  return marks;
}

std::string Section(const CatalogueEntry& entry, const Comments& comments) {
  const v1::CatalogueRow& row = entry.row;
  const Descriptor& message = *entry.body_field->message_type();
  const auto comment_of = [&](const std::string& name) {
    const auto found = comments.find(name);
    return found == comments.end() ? std::string() : found->second;
  };
  std::string text = absl::StrFormat("### %s %s\n\n", row.code(), entry.name);
  const std::string comment = comment_of(message.full_name());
  if (!comment.empty()) text += comment + "\n\n";
  text += absl::StrFormat("*%s*%s\n\n", Words(row.admission()), Marks(row));
  for (int i = 0; i < row.signatures_size(); ++i) {
    text += absl::StrFormat("- signs %d: %s\n", i + 1, PlaceText(row.signatures(i)));
  }
  if (!entry.is_observation() && !row.protective()) {
    text += row.window_minutes() == 0
                ? std::string("- window: that of the ledger, 24 h unless entry 0 says otherwise\n")
                : absl::StrFormat("- window: %d min\n", row.window_minutes());
  }
  if (!row.source().empty()) text += absl::StrFormat("- source: %s\n", row.source());
  text += "\n| field | type | touches | meaning |\n|---|---|---|---|\n";
  for (const FieldDescriptor* field : FieldsByNumber(message)) {
    text += absl::StrFormat("| `%s` = %d | %s | %s | %s |\n", field->name(), field->number(),
                            TypeText(*field), TouchText(*field),
                            comment_of(message.full_name() + "." + field->name()));
  }
  return text + "\n";
}

}  // namespace

std::string CataloguePage(const google::protobuf::FileDescriptorSet& sources) {
  Comments comments;
  for (const FileDescriptorProto& file : sources.file()) AddComments(file, &comments);
  std::string page(kIntroduction);
  std::string_view file;
  for (const CatalogueEntry& entry : Catalogue()) {
    const std::string& from = entry.body_field->message_type()->file()->name();
    if (from != file) {
      file = from;
      page += absl::StrFormat("## %s\n\n", from.substr(from.rfind('/') + 1));
    }
    page += Section(entry, comments);
  }
  while (page.size() > 1 && page[page.size() - 2] == '\n') page.pop_back();
  return page;
}

}  // namespace custody
