#include "client/cli/event_file.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/event_text.h"
#include "client/cli/files.h"
#include "client/cli/opening_file.h"
#include "client/cli/signing.h"
#include "crypto/random.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/text_format.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

// Keeps the first error, with its place.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrFormat("%d:%d: %s", line + 1, column + 1, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::StatusOr<Draft> ReadTextProto(const std::string& text, const std::string& path,
                                    const DraftContext& context) {
  Draft draft;
  draft.source = path;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, &draft.event)) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s:%s (want a custody.v1.Event in protobuf text format)", path, error.text()));
  }
  const CatalogueEntry* entry = FindCatalogueEntry(draft.event);
  if (entry == nullptr) return absl::InvalidArgumentError(path + ": the event has no body");
  if (draft.event.ledger().empty()) draft.event.set_ledger(context.ledger);
  if (draft.event.event_id().empty()) draft.event.set_event_id(NewUuidV7(context.now_ms));
  draft.policy_wanted = entry->is_decision() && draft.event.policy_hash().empty();
  draft.event.clear_subjects();
  FillSubjects(&draft.event);
  return draft;
}

}  // namespace

void BindFormat(CLI::App* command, std::string* format) {
  command
      ->add_option("--format", *format,
                   "draft (YAML or JSON), textproto or event (default: by the file's ending)")
      ->check(CLI::IsMember({"draft", "yaml", "json", "textproto", "event"}));
}

EventFormat FormatOf(std::string_view format, std::string_view path) {
  if (format == "event") return EventFormat::kFinished;
  if (format == "textproto") return EventFormat::kTextProto;
  if (!format.empty()) return EventFormat::kDraft;
  if (path.ends_with(".event")) return EventFormat::kFinished;
  if (path.ends_with(".textproto") || path.ends_with(".txtpb")) return EventFormat::kTextProto;
  return EventFormat::kDraft;
}

absl::StatusOr<EventFile> ReadEventFile(Session& session, const std::string& path,
                                        EventFormat format) {
  EventFile file;
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  if (format == EventFormat::kFinished) {
    CUSTODY_RETURN_IF_ERROR(ParseEvent(text, path).status());
    file.event_bytes = text;
    return file;
  }
  CUSTODY_ASSIGN_OR_RETURN(DraftContext context, session.MakeDraftContext(path));
  if (format == EventFormat::kDraft) {
    CUSTODY_ASSIGN_OR_RETURN(file.drafts, ReadDrafts(text, path, &context));
    CUSTODY_RETURN_IF_ERROR(KeepOpenings(session, &context));
    return file;
  }
  CUSTODY_ASSIGN_OR_RETURN(Draft draft, ReadTextProto(text, path, context));
  file.drafts.push_back(std::move(draft));
  return file;
}

absl::StatusOr<v1::Signature> ReadSignatureFile(const std::string& path,
                                                std::string_view event_digest) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  v1::Signature signature;
  v1::SignatureStatement statement;
  if (!signature.ParseFromString(bytes) || signature.statement().empty() ||
      !statement.ParseFromString(signature.statement())) {
    return absl::InvalidArgumentError(
        path + " is no detached signature; make one with: custody event sign");
  }
  if (statement.event_digest() != event_digest) {
    return absl::InvalidArgumentError(absl::StrFormat("%s signs the event %s, not this one (%s)",
                                                      path, ToHex(statement.event_digest()),
                                                      ToHex(event_digest)));
  }
  return signature;
}

}  // namespace custody
