// Steps that record something.

#include <algorithm>
#include <cctype>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/draft.h"
#include "client/draft/time_text.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/refusal.h"
#include "tests/cases/runner/case_steps.h"
#include "tests/cases/runner/expectation.h"
#include "tests/cases/runner/state_path.h"

namespace custody {
namespace {

const std::vector<std::string>& ExpectationKeys() {
  static const auto* keys = new std::vector<std::string>{
      "refused", "findings", "consequences", "recorded", "signed", "call", "denied", "why"};
  return *keys;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string SeverityWord(v1::Severity severity) {
  return Lower(v1::Severity_Name(severity).substr(std::string("SEVERITY_").size()));
}

// "E_REFREEZE critical authority: detail".
std::vector<std::string> FindingTexts(const RecordedEntry& entry, const CaseWorld& world) {
  std::vector<std::string> texts;
  for (const v1::Finding& finding : entry.findings) {
    texts.push_back(world.NameIds(
        absl::StrFormat("%s %s%s: %s", ReasonName(finding.code()), SeverityWord(finding.severity()),
                        finding.authority() ? " authority" : "", finding.detail())));
  }
  return texts;
}

// "CaseOpened critical DONOR: codes", "OosOpened: VI-02", "HoldPlaced: donation @donation/cord".
std::string ConsequenceText(const RecordedEntry& entry, const CaseWorld& world) {
  const absl::StatusOr<ParsedEvent> read = ReadRecordedEvent(entry.signed_event);
  if (!read.ok()) return std::string(read.status().message());
  const v1::Event& event = read->event;
  std::string text = read->catalogue->name;
  std::string about;
  if (event.has_case_opened()) {
    const v1::CaseOpened& body = event.case_opened();
    absl::StrAppendFormat(&text, " %s %s", SeverityWord(body.severity()),
                          v1::CaseKind_Name(body.kind()).substr(std::string("CASE_KIND_").size()));
  } else if (event.has_oos_opened()) {
    about = event.oos_opened().test_id() + " ";
  }
  for (const SubjectKey& subject : read->subjects)
    absl::StrAppendFormat(&about, "%s ", Describe(subject));
  return world.NameIds(absl::StrFormat("%s: %s", text, about));
}

std::vector<std::string> ConsequenceTexts(const RecordedEntry& entry, const CaseWorld& world) {
  std::vector<std::string> texts;
  for (const RecordedEntry& consequence : entry.consequences) {
    texts.push_back(ConsequenceText(consequence, world));
  }
  return texts;
}

std::vector<std::string> ReasonTexts(const absl::Status& refusal, const CaseWorld& world) {
  std::vector<std::string> texts;
  const std::optional<v1::Refusal> details = RefusalOf(refusal);
  if (!details.has_value()) return {refusal.ToString()};
  for (const v1::RefusalReason& reason : details->reasons()) {
    const std::string about =
        reason.has_subject() ? " (" + Describe(KeyOf(reason.subject())) + ")" : "";
    texts.push_back(world.NameIds(
        absl::StrFormat("%s: %s%s", ReasonName(reason.code()), reason.message(), about)));
  }
  return texts;
}

void CompareTo(const CaseNode& node, std::string_view what,
               const std::vector<std::string>& expected, const std::vector<std::string>& actual,
               Counting counting, StepResult* result) {
  const std::string difference = Compare(what, expected, actual, counting);
  if (!difference.empty()) result->Fail(node, difference);
}

// The AttemptDenied that a refused act at the bedside left.
absl::Status JudgeDenied(const CaseNode& node, CaseWorld* world, StepResult* result) {
  if (!node.Has("denied")) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent last,
                           ReadRecordedEvent(world->ledger().log().back().signed_event));
  if (!last.event.has_attempt_denied()) {
    result->Fail(node, "denied: the refusal left no AttemptDenied");
    return absl::OkStatus();
  }
  const auto name_of = [world](std::string_view id) { return world->NameOf(id); };
  for (const auto& item : node.At("denied").yaml()) {
    const CaseNode line(node.file(), item.first);
    CUSTODY_ASSIGN_OR_RETURN(const std::string path, line.Text());
    CUSTODY_ASSIGN_OR_RETURN(const std::string expected, CaseNode(node.file(), item.second).Text());
    const absl::StatusOr<std::string> actual = ReadPath(last.event.attempt_denied(), path, name_of);
    if (!actual.ok()) return line.Error(StdView(actual.status().message()));
    if (*actual != expected) {
      result->Fail(line,
                   absl::StrFormat("denied, %s: expected %s, got %s", path, expected, *actual));
    }
  }
  return absl::OkStatus();
}

// What came of recording against what the step says.
absl::Status Judge(const CaseNode& node, const absl::StatusOr<RecordedEntry>& recorded,
                   const std::string& what, CaseWorld* world, StepResult* result) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> refused, node.Texts("refused"));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> findings, node.Texts("findings"));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> consequences, node.Texts("consequences"));
  if (node.Has("refused") && (node.Has("findings") || node.Has("consequences"))) {
    return node.Error("a refused event is not recorded: it has no findings and no consequences");
  }
  if (!recorded.ok()) {
    if (node.Has("refused")) {
      CompareTo(node, what + " is refused", refused, ReasonTexts(recorded.status(), *world),
                Counting::kSet, result);
      return JudgeDenied(node, world, result);
    }
    CompareTo(node, what + " should be recorded; reasons of the refusal", {},
              ReasonTexts(recorded.status(), *world), Counting::kSet, result);
    result->stop = true;
    return absl::OkStatus();
  }
  if (node.Has("refused")) {
    CompareTo(node, what + " should be refused, and was recorded; findings", refused,
              FindingTexts(*recorded, *world), Counting::kEach, result);
    if (result->failures.empty()) result->Fail(node, what + " should be refused, and was recorded");
    result->stop = true;
    return absl::OkStatus();
  }
  CompareTo(node, "findings of " + what, findings, FindingTexts(*recorded, *world), Counting::kEach,
            result);
  CompareTo(node, "consequences of " + what, consequences, ConsequenceTexts(*recorded, *world),
            Counting::kEach, result);
  return absl::OkStatus();
}

// Gives names to what the ledger made: the first field of a consequence's body is its id.
absl::Status NameConsequences(const CaseNode& node, const RecordedEntry& recorded,
                              CaseWorld* world) {
  if (!node.Has("call")) return absl::OkStatus();
  for (const auto& item : node.At("call").yaml()) {
    const CaseNode line(node.file(), item.first);
    CUSTODY_ASSIGN_OR_RETURN(const std::string name, line.Text());
    CUSTODY_ASSIGN_OR_RETURN(const std::string wanted, CaseNode(node.file(), item.second).Text());
    std::string id;
    for (const RecordedEntry& consequence : recorded.consequences) {
      if (!id.empty() || !Fits(wanted, ConsequenceText(consequence, *world))) continue;
      CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent read, ReadRecordedEvent(consequence.signed_event));
      const auto& body =
          read.event.GetReflection()->GetMessage(read.event, read.catalogue->body_field);
      const auto* field = body.GetDescriptor()->FindFieldByNumber(1);
      if (field->type() != google::protobuf::FieldDescriptor::TYPE_BYTES) continue;
      id = body.GetReflection()->GetString(body, field);
    }
    if (id.empty()) {
      return line.Error(absl::StrFormat("no consequence with an id of its own fits '%s'", wanted));
    }
    const absl::Status bound = world->names().Define(name, id);
    if (!bound.ok()) return line.Error(StdView(bound.message()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> TimeOf(const CaseNode& node, const std::string& key,
                                    std::int64_t now_ms) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.At(key).Text());
  const absl::StatusOr<TimeText> time = ParseTimeText(text, now_ms);
  if (!time.ok()) return node.At(key).Error(StdView(time.status().message()));
  return time->utc_ms;
}

// An event is recorded when it happens, unless `recorded` says when it arrives.
absl::Status MoveClock(const CaseNode& node, CaseWorld* world) {
  if (node.Has("recorded")) {
    CUSTODY_ASSIGN_OR_RETURN(const std::int64_t moment, TimeOf(node, "recorded", world->now_ms()));
    const absl::Status moved = world->MoveTo(moment);
    return moved.ok() ? moved : node.At("recorded").Error(StdView(moved.message()));
  }
  if (!node.Has("at")) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::int64_t moment, TimeOf(node, "at", world->now_ms()));
  return moment > world->now_ms() ? world->MoveTo(moment) : absl::OkStatus();
}

absl::StatusOr<Draft> ReadStepDraft(const CaseNode& node, CaseWorld* world) {
  std::int64_t happened = 0;
  if (node.Has("at")) {
    CUSTODY_ASSIGN_OR_RETURN(happened, TimeOf(node, "at", world->now_ms()));
  }
  CUSTODY_RETURN_IF_ERROR(MoveClock(node, world));
  DraftContext context = world->MakeContext();
  CUSTODY_ASSIGN_OR_RETURN(Draft draft,
                           ReadDraft(node.yaml(), node.file(), &context, ExpectationKeys()));
  // "now+5min" means five minutes after the step before, also now that the clock has moved.
  if (happened != 0) draft.event.mutable_occurred_at()->set_utc_ms(happened);
  CUSTODY_RETURN_IF_ERROR(world->FillPolicy(&draft));
  return draft;
}

}  // namespace

absl::Status PlayEvent(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_ASSIGN_OR_RETURN(const Draft draft, ReadStepDraft(node, world));
  std::int64_t signed_at_ms = 0;
  if (node.Has("signed")) {
    CUSTODY_ASSIGN_OR_RETURN(signed_at_ms, TimeOf(node, "signed", world->now_ms()));
  }
  const absl::StatusOr<std::vector<SignAs>> signers =
      world->SignersOf(draft.event, draft.signers, signed_at_ms);
  if (!signers.ok()) return node.Error(StdView(signers.status().message()));
  const absl::StatusOr<RecordedEntry> recorded = world->Record(draft.event, *signers);
  if (recorded.ok() && !draft.name.empty()) {
    const absl::Status bound =
        world->names().Define("event/" + draft.name, recorded->event_digest.view());
    if (!bound.ok()) return node.At("name").Error(StdView(bound.message()));
    world->Remember(draft.name, *recorded);
  }
  if (recorded.ok()) CUSTODY_RETURN_IF_ERROR(NameConsequences(node, *recorded, world));
  return Judge(node, recorded, FindCatalogueEntry(draft.event)->name, world, result);
}

absl::Status PlayCosign(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(
      node.CheckKeys("cosign", {"cosign", "sign", "findings", "consequences", "refused", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string name, node.At("cosign").Text());
  CUSTODY_ASSIGN_OR_RETURN(const std::string sign, node.TextOr("sign"));
  const absl::StatusOr<const RecordedEntry*> entry = world->FindEntry(name);
  if (!entry.ok()) return node.At("cosign").Error(StdView(entry.status().message()));
  const absl::StatusOr<DraftSigner> signer = ParseDraftSigner(sign);
  if (!signer.ok() || !signer->role || !signer->meaning) {
    return node.Error("cosign needs the key sign: 'name as ROLE/MEANING'");
  }
  const absl::StatusOr<const CaseSigner*> found = world->FindSigner(signer->name);
  if (!found.ok()) return node.At("sign").Error(StdView(found.status().message()));
  const CaseSigner* known = *found;
  SignAs as;
  as.id = known->id;
  as.key = known->key;
  as.role = *signer->role;
  as.meaning = *signer->meaning;
  return Judge(node, world->ledger().Cosign(**entry, as), "SignatureAdded", world, result);
}

absl::Status PlayAttest(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(
      node.CheckKeys("attest", {"attest", "sign", "findings", "consequences", "refused", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string name, node.At("attest").Text());
  CUSTODY_ASSIGN_OR_RETURN(const std::string sign, node.TextOr("sign"));
  const absl::StatusOr<const RecordedEntry*> entry = world->FindEntry(name);
  if (!entry.ok()) return node.At("attest").Error(StdView(entry.status().message()));
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent held, ReadRecordedEvent((*entry)->signed_event));
  v1::Event event;
  event.mutable_attested()->add_events(std::string((*entry)->event_digest.view()));
  *event.mutable_attested()->mutable_targets() = held.event.subjects();
  event.mutable_attested()->set_statement("seen and true");
  event.set_site_id(held.event.site_id());
  const absl::StatusOr<DraftSigner> signer = ParseDraftSigner(sign);
  if (!signer.ok()) return node.At("sign").Error(StdView(signer.status().message()));
  const absl::StatusOr<std::vector<SignAs>> signers = world->SignersOf(event, {*signer}, 0);
  if (!signers.ok()) return node.Error(StdView(signers.status().message()));
  return Judge(node, world->Record(event, *signers), "Attested", world, result);
}

}  // namespace custody
