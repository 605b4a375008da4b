#include "client/draft/draft.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/field_reader.h"
#include "client/draft/time_text.h"
#include "client/draft/yaml_documents.h"
#include "crypto/random.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

const std::vector<std::string>& DraftKeys() {
  static const auto* keys = new std::vector<std::string>{
      "event",  "site",     "at",     "reason", "devices", "scans",       "sign",           "body",
      "policy", "corrects", "annuls", "group",  "id",      "attachments", "expected_heads", "name"};
  return *keys;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) {
    return static_cast<char>(c == '-' || c == ' ' ? '_' : std::toupper(c));
  });
  return upper;
}

// The keys of the header that are fields of Event under the same rules.
absl::Status ReadHeader(const YAML::Node& node, FieldReader& reader, Draft* draft) {
  v1::Event& event = draft->event;
  for (const char* key : {"reason", "scans", "group", "attachments", "expected_heads"}) {
    if (!node[key]) continue;
    YAML::Node part;
    part[key] = node[key];
    CUSTODY_RETURN_IF_ERROR(reader.ReadMessage(part, &event));
  }
  if (node["site"]) {
    CUSTODY_ASSIGN_OR_RETURN(*event.mutable_site_id(), reader.ReadBytes(node["site"]));
  }
  for (const auto& device : node["devices"]) {
    CUSTODY_ASSIGN_OR_RETURN(*event.add_device_ids(), reader.ReadBytes(device));
  }
  if (node["id"]) {
    CUSTODY_ASSIGN_OR_RETURN(*event.mutable_event_id(), reader.ReadBytes(node["id"]));
  }
  if (node["corrects"]) {
    CUSTODY_ASSIGN_OR_RETURN(*event.mutable_corrects(), reader.ReadBytes(node["corrects"]));
  }
  if (node["annuls"]) {
    CUSTODY_ASSIGN_OR_RETURN(*event.mutable_annuls(), reader.ReadBytes(node["annuls"]));
  }
  if (node["policy"] && node["policy"].Scalar() != "auto") {
    CUSTODY_ASSIGN_OR_RETURN(*event.mutable_policy_hash(), reader.ReadBytes(node["policy"]));
  }
  return absl::OkStatus();
}

absl::Status ReadTime(const YAML::Node& node, FieldReader& reader, const DraftContext& context,
                      v1::Event* event) {
  std::string text = "now";
  if (node["at"]) {
    CUSTODY_ASSIGN_OR_RETURN(text, reader.Scalar(node["at"]));
  }
  const absl::StatusOr<TimeText> time = ParseTimeText(text, context.now_ms);
  if (!time.ok()) return reader.ErrorAt(node["at"], StdView(time.status().message()));
  v1::OccurredAt& occurred = *event->mutable_occurred_at();
  occurred.set_utc_ms(time->utc_ms);
  occurred.set_offset_minutes(time->offset_minutes);
  occurred.set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  return absl::OkStatus();
}

absl::Status ReadSigners(const YAML::Node& node, FieldReader& reader, Draft* draft) {
  if (!node) return absl::OkStatus();
  if (!node.IsSequence()) return reader.ErrorAt(node, "sign is a list of signers");
  for (const auto& item : node) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string text, reader.Scalar(item));
    const absl::StatusOr<DraftSigner> signer = ParseDraftSigner(text);
    if (!signer.ok()) return reader.ErrorAt(item, StdView(signer.status().message()));
    draft->signers.push_back(*signer);
  }
  return absl::OkStatus();
}

absl::StatusOr<const CatalogueEntry*> ReadType(const YAML::Node& node, FieldReader& reader) {
  if (!node.IsMap() || !node["event"]) return reader.ErrorAt(node, "a draft needs the key 'event'");
  CUSTODY_ASSIGN_OR_RETURN(const std::string type, reader.Scalar(node["event"]));
  const CatalogueEntry* entry = FindCatalogueEntry(type);
  if (entry != nullptr) return entry;
  std::vector<std::string> names;
  for (const CatalogueEntry& candidate : Catalogue()) names.push_back(candidate.name);
  const std::string nearest = NearestWord(type, names);
  return reader.ErrorAt(node["event"],
                        absl::StrFormat("there is no event '%s'%s", type,
                                        nearest.empty() ? "; docs/event-catalogue.md lists them"
                                                        : "; did you mean " + nearest + "?"));
}

}  // namespace

const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor& type, std::string_view text) {
  const std::string upper = Upper(text);
  const std::string first = type.value(0)->name();
  const std::string prefix = first.substr(0, first.size() - std::string_view("UNSPECIFIED").size());
  for (const std::string& name : {upper, prefix + upper}) {
    const auto* value = type.FindValueByName(name);
    if (value != nullptr && value->number() != 0) return value;
  }
  return nullptr;
}

std::string EnumWords(const google::protobuf::EnumDescriptor& type, std::string_view separator) {
  const std::size_t prefix = type.value(0)->name().size() - std::string_view("UNSPECIFIED").size();
  std::string words;
  for (int i = 1; i < type.value_count(); ++i) {
    if (i > 1) words += separator;
    words += type.value(i)->name().substr(prefix);
  }
  return words;
}

absl::StatusOr<DraftSigner> ParseDraftSigner(std::string_view text) {
  DraftSigner signer;
  const std::size_t as = text.find(" as ");
  signer.name = std::string(text.substr(0, as));
  if (as == std::string_view::npos) return signer;
  std::string_view part = text.substr(as + 4);
  const std::size_t slash = part.find('/');
  const auto* role = FindEnumValue(*v1::Role_descriptor(), part.substr(0, slash));
  if (role == nullptr) {
    return absl::InvalidArgumentError(absl::StrFormat("'%s' is no role; there are %s",
                                                      part.substr(0, slash),
                                                      EnumWords(*v1::Role_descriptor(), ", ")));
  }
  signer.role = static_cast<v1::Role>(role->number());
  if (slash == std::string_view::npos) return signer;
  const auto* meaning = FindEnumValue(*v1::Meaning_descriptor(), part.substr(slash + 1));
  if (meaning == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s' is no meaning of a signature; there are %s", part.substr(slash + 1),
                        EnumWords(*v1::Meaning_descriptor(), ", ")));
  }
  signer.meaning = static_cast<v1::Meaning>(meaning->number());
  return signer;
}

absl::StatusOr<Draft> ReadDraft(const YAML::Node& node, std::string_view file,
                                DraftContext* context, const std::vector<std::string>& extra) {
  FieldReader reader(file, context);
  CUSTODY_ASSIGN_OR_RETURN(const CatalogueEntry* entry, ReadType(node, reader));
  for (const auto& item : node) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string key, reader.Scalar(item.first));
    const auto known = [&](const std::vector<std::string>& keys) {
      return std::find(keys.begin(), keys.end(), key) != keys.end();
    };
    if (known(DraftKeys()) || known(extra)) continue;
    std::vector<std::string> all = DraftKeys();
    all.insert(all.end(), extra.begin(), extra.end());
    return reader.UnknownKey(item.first, "a draft", all);
  }
  Draft draft;
  draft.source = absl::StrFormat("%s:%d", file, node.Mark().line + 1);
  draft.event.set_ledger(context->ledger);
  CUSTODY_RETURN_IF_ERROR(ReadTime(node, reader, *context, &draft.event));
  CUSTODY_RETURN_IF_ERROR(ReadHeader(node, reader, &draft));
  CUSTODY_RETURN_IF_ERROR(ReadSigners(node["sign"], reader, &draft));
  google::protobuf::Message* body =
      draft.event.GetReflection()->MutableMessage(&draft.event, entry->body_field);
  if (node["name"]) {
    CUSTODY_ASSIGN_OR_RETURN(draft.name, reader.Scalar(node["name"]));
  }
  if (node["body"]) CUSTODY_RETURN_IF_ERROR(reader.ReadMessage(node["body"], body));
  if (draft.event.event_id().empty()) draft.event.set_event_id(NewUuidV7(context->now_ms));
  draft.policy_wanted = entry->is_decision() && draft.event.policy_hash().empty();
  FillSubjects(&draft.event);
  return draft;
}

struct DraftFile::Impl {
  std::string file;
  DraftContext* context;
  std::vector<YAML::Node> documents;
  std::size_t next = 0;
};

DraftFile::DraftFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DraftFile::~DraftFile() = default;
DraftFile::DraftFile(DraftFile&&) noexcept = default;
DraftFile& DraftFile::operator=(DraftFile&&) noexcept = default;

absl::StatusOr<DraftFile> DraftFile::Open(std::string_view text, std::string_view file,
                                          DraftContext* context) {
  CUSTODY_ASSIGN_OR_RETURN(std::vector<YAML::Node> nodes, LoadDocuments(text, file));
  auto impl = std::make_unique<Impl>(Impl{std::string(file), context, {}, 0});
  YAML::Node defaults;
  for (YAML::Node& node : nodes) {
    if (node.IsNull()) continue;
    if (node.IsMap() && node["defaults"]) {
      defaults = node["defaults"];
      continue;
    }
    for (const auto& item : defaults) {
      if (node.IsMap() && !node[item.first.Scalar()]) node[item.first.Scalar()] = item.second;
    }
    impl->documents.push_back(node);
  }
  if (impl->documents.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: no event in it", file));
  }
  return DraftFile(std::move(impl));
}

bool DraftFile::done() const { return impl_->next == impl_->documents.size(); }
int DraftFile::next_line() const { return impl_->documents[impl_->next].Mark().line + 1; }
void DraftFile::Skip() { ++impl_->next; }

absl::StatusOr<Draft> DraftFile::Next() {
  const YAML::Node node = impl_->documents[impl_->next++];
  return ReadDraft(node, impl_->file, impl_->context);
}

absl::StatusOr<std::vector<Draft>> ReadDrafts(std::string_view text, std::string_view file,
                                              DraftContext* context) {
  CUSTODY_ASSIGN_OR_RETURN(DraftFile documents, DraftFile::Open(text, file, context));
  std::vector<Draft> drafts;
  while (!documents.done()) {
    CUSTODY_ASSIGN_OR_RETURN(Draft draft, documents.Next());
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

absl::Status FillMessage(const YAML::Node& node, std::string_view file, DraftContext* context,
                         google::protobuf::Message* message) {
  return FieldReader(file, context).ReadMessage(node, message);
}

}  // namespace custody
