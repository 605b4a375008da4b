// Steps that ask: verdicts, states, scans.

#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/draft.h"
#include "client/draft/time_text.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/labels/din.h"
#include "lifecycle/labels/scan.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"
#include "lifecycle/verdict.h"
#include "tests/cases/runner/case_steps.h"
#include "tests/cases/runner/expectation.h"
#include "tests/cases/runner/state_path.h"

namespace custody {
namespace {

absl::StatusOr<std::string> IdUnder(const CaseNode& node, const std::string& key,
                                    CaseWorld* world) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.TextOr(key));
  if (text.empty()) return text;
  if (!text.starts_with("@")) return node.At(key).Error("a name is written @name");
  const absl::StatusOr<std::string> id = world->names().Find(std::string_view(text).substr(1));
  if (!id.ok()) return node.At(key).Error(StdView(id.status().message()));
  return *id;
}

template <typename Enum>
absl::Status EnumUnder(const CaseNode& node, const std::string& key,
                       const google::protobuf::EnumDescriptor& type, Enum* value) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.TextOr(key));
  if (text.empty()) return absl::OkStatus();
  const auto* found = FindEnumValue(type, text);
  if (found == nullptr) {
    return node.At(key).Error(absl::StrFormat("'%s' is no %s", text, type.name()));
  }
  *value = static_cast<Enum>(found->number());
  return absl::OkStatus();
}

// The containers of a question: by name, or by the scans of their labels.
absl::Status AddContainers(const CaseNode& node, CaseWorld* world, v1::VerdictRequest* request) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> names, node.Texts("containers"));
  for (const std::string& name : names) {
    const absl::StatusOr<std::string> id =
        world->names().Find(std::string_view(name).substr(name.starts_with("@") ? 1 : 0));
    if (!id.ok()) return node.At("containers").Error(StdView(id.status().message()));
    request->add_container_ids(*id);
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> scans, node.Texts("scans"));
  for (const std::string& text : scans) {
    const absl::StatusOr<Scan> scan = ParseScan(text);
    if (!scan.ok()) return node.At("scans").Error(StdView(scan.status().message()));
    if (!scan->container_key.has_value()) {
      return node.At("scans").Error(absl::StrFormat("'%s' names no container", text));
    }
    const v1::IdentifierState* known = world->ledger().Identifier(*scan->container_key);
    if (known == nullptr || known->bound().empty()) {
      return node.At("scans").Error(
          absl::StrFormat("no container has the label %s", *scan->container_key));
    }
    request->add_container_ids(known->bound(0).id());
    request->add_scanned_keys(*scan->container_key);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::VerdictRequest> ReadQuestion(const CaseNode& node, CaseWorld* world) {
  v1::VerdictRequest request;
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  CUSTODY_RETURN_IF_ERROR(EnumUnder(node, "verify", *v1::Stage_descriptor(), &stage));
  request.set_stage(stage);
  CUSTODY_RETURN_IF_ERROR(AddContainers(node, world, &request));
  CUSTODY_ASSIGN_OR_RETURN(*request.mutable_order_id(), IdUnder(node, "order", world));
  CUSTODY_ASSIGN_OR_RETURN(*request.mutable_patient_token(), IdUnder(node, "patient", world));
  CUSTODY_ASSIGN_OR_RETURN(*request.mutable_site_id(), IdUnder(node, "site", world));
  v1::Route route = v1::ROUTE_UNSPECIFIED;
  CUSTODY_RETURN_IF_ERROR(EnumUnder(node, "route", *v1::Route_descriptor(), &route));
  request.set_route(route);
  request.set_at_ms(world->now_ms());
  CUSTODY_ASSIGN_OR_RETURN(const std::string duration, node.TextOr("duration"));
  if (!duration.empty()) {
    const absl::StatusOr<std::int64_t> ms = ParseDurationText(duration);
    if (!ms.ok()) return node.At("duration").Error(StdView(ms.status().message()));
    request.set_planned_duration_ms(*ms);
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string at, node.TextOr("at"));
  if (!at.empty()) {
    const absl::StatusOr<TimeText> time = ParseTimeText(at, world->now_ms());
    if (!time.ok()) return node.At("at").Error(StdView(time.status().message()));
    request.set_at_ms(time->utc_ms);
  }
  return request;
}

// "expiry E_EXPIRED: detail" of the checks with a result.
std::vector<std::string> CheckTexts(const v1::Verdict& verdict, v1::CheckResultValue result,
                                    const CaseWorld& world) {
  std::vector<std::string> texts;
  for (const v1::Check& check : verdict.checks()) {
    if (check.result() != result) continue;
    const std::string about =
        check.has_subject() ? " (" + Describe(KeyOf(check.subject())) + ")" : "";
    texts.push_back(world.NameIds(absl::StrFormat(
        "%s %s: %s%s", check.id(), ReasonName(check.code()), check.detail(), about)));
  }
  return texts;
}

absl::Status CompareChecks(const CaseNode& node, const std::string& key, std::string_view what,
                           const std::vector<std::string>& actual, StepResult* result) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> expected, node.Texts(key));
  const std::string difference = Compare(what, expected, actual, Counting::kSet);
  if (!difference.empty()) result->Fail(node, difference);
  return absl::OkStatus();
}

absl::StatusOr<SubjectKey> ReadSubject(const CaseNode& node, CaseWorld* world) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.Text());
  const std::size_t colon = text.find(':');
  const auto* kind = colon == std::string::npos
                         ? nullptr
                         : FindEnumValue(*v1::SubjectKind_descriptor(), text.substr(0, colon));
  if (kind == nullptr) return node.Error("a subject is written kind:@name, or identifier:text");
  SubjectKey key{static_cast<v1::SubjectKind>(kind->number()), text.substr(colon + 1)};
  if (!key.id.starts_with("@")) return key;
  const absl::StatusOr<std::string> id = world->names().Find(std::string_view(key.id).substr(1));
  if (!id.ok()) return node.Error(StdView(id.status().message()));
  key.id = *id;
  return key;
}

// What follows from the whole genealogy: "effective_quality", "effective_expiry"; nullopt for the
// paths that stand in the state itself.
absl::StatusOr<std::optional<std::string>> ReadDerived(const SubjectKey& key, std::string_view path,
                                                       v1::Regime regime, CaseWorld* world) {
  const StateView& view = world->ledger().view();
  if (path == "effective_quality") {
    CUSTODY_ASSIGN_OR_RETURN(const EffectiveQuality quality,
                             ComputeEffectiveQuality(view, key.id, regime, world->now_ms()));
    return v1::Quality_Name(quality.quality).substr(std::string("QUALITY_").size());
  }
  if (path != "effective_expiry") return std::nullopt;
  const v1::ContainerState* container = world->ledger().Container(key.id);
  const v1::BatchState* lot =
      container == nullptr ? nullptr : world->ledger().Batch(container->batch_id());
  v1::Policy policy;
  if (lot != nullptr) {
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> found,
                             FindPolicyInForce(view, lot->product_id(), regime, world->now_ms()));
    if (found.has_value()) policy = *found->policy;
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::int64_t expiry,
                           ComputeEffectiveExpiryMs(view, key.id, policy));
  return FormatTimeMs(expiry);
}

// A path is one of the kind's state, of what all subjects have, or derived.
absl::StatusOr<std::string> ReadValue(const SubjectKey& key, const v1::SubjectState& state,
                                      const std::string& path, v1::Regime regime,
                                      CaseWorld* world) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::string> derived,
                           ReadDerived(key, path, regime, world));
  if (derived.has_value()) return *derived;
  const auto name_of = [world](std::string_view id) { return world->NameOf(id); };
  const std::string first = path.substr(0, path.find_first_of(".["));
  if (state.GetDescriptor()->FindFieldByName(first) != nullptr) {
    return ReadPath(state, path, name_of);
  }
  const auto* of_kind =
      state.GetReflection()->GetOneofFieldDescriptor(state, state.GetDescriptor()->oneof_decl(0));
  if (of_kind == nullptr) return absl::InvalidArgumentError("the state is empty");
  return ReadPath(state.GetReflection()->GetMessage(state, of_kind), path, name_of);
}

// Times are compared as moments, everything else as text.
bool SameValue(const std::string& expected, const std::string& actual, std::int64_t now_ms) {
  if (expected == actual) return true;
  const absl::StatusOr<TimeText> a = ParseTimeText(expected, now_ms);
  const absl::StatusOr<TimeText> b = ParseTimeText(actual, now_ms);
  return a.ok() && b.ok() && a->utc_ms == b->utc_ms;
}

// Compares the code of an error of the label parsers; `status` may be OK.
absl::Status JudgeLabel(const CaseNode& node, const absl::Status& status, StepResult* result) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> refused, node.Texts("refused"));
  std::vector<std::string> actual;
  if (!status.ok()) actual.emplace_back(status.message());
  const std::string difference = Compare("the label is refused", refused, actual, Counting::kSet);
  if (!difference.empty()) result->Fail(node, difference);
  return absl::OkStatus();
}

absl::Status JudgeReading(const CaseNode& node, const std::string& key, const std::string& actual,
                          std::int64_t now_ms, StepResult* result) {
  if (!node.Has(key)) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::string expected, node.At(key).Text());
  if (!SameValue(expected, actual, now_ms)) {
    result->Fail(node, absl::StrFormat("%s: expected %s, got %s", key, expected, actual));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PlayVerify(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys(
      "this step", {"verify", "containers", "scans", "order", "patient", "route", "duration",
                    "site", "at", "verdict", "failed", "warnings", "unknown", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const v1::VerdictRequest request, ReadQuestion(node, world));
  if (!node.Has("verdict")) return node.Error("a question needs the key 'verdict'");
  v1::VerdictValue expected = v1::VERDICT_VALUE_UNSPECIFIED;
  CUSTODY_RETURN_IF_ERROR(EnumUnder(node, "verdict", *v1::VerdictValue_descriptor(), &expected));
  const absl::StatusOr<v1::Verdict> verdict =
      ComputeVerdict(world->ledger().view(), request, world->ledger().log().size());
  if (!verdict.ok()) return node.Error(StdView(verdict.status().message()));
  if (verdict->value() != expected) {
    const auto name = [](v1::VerdictValue value) {
      return v1::VerdictValue_Name(value).substr(std::string("VERDICT_VALUE_").size());
    };
    result->Fail(node, absl::StrFormat("verdict: expected %s, got %s", name(expected),
                                       name(verdict->value())));
  }
  CUSTODY_RETURN_IF_ERROR(CompareChecks(node, "failed", "failed checks",
                                        CheckTexts(*verdict, v1::CHECK_RESULT_VALUE_FAIL, *world),
                                        result));
  CUSTODY_RETURN_IF_ERROR(
      CompareChecks(node, "unknown", "checks without an answer",
                    CheckTexts(*verdict, v1::CHECK_RESULT_VALUE_UNKNOWN, *world), result));
  return CompareChecks(node, "warnings", "warnings",
                       CheckTexts(*verdict, v1::CHECK_RESULT_VALUE_WARN, *world), result);
}

absl::Status PlayState(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"state", "is", "regime", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const SubjectKey key, ReadSubject(node.At("state"), world));
  v1::Regime regime = v1::REGIME_EU;
  CUSTODY_RETURN_IF_ERROR(EnumUnder(node, "regime", *v1::Regime_descriptor(), &regime));
  const v1::SubjectState* state = world->ledger().State(key.kind, key.id);
  if (state == nullptr) return node.At("state").Error("the ledger knows nothing about it");
  if (!node.Has("is") || !node.At("is").yaml().IsMap()) {
    return node.Error("a state needs the key 'is' with 'path: value'");
  }
  for (const auto& item : node.At("is").yaml()) {
    const CaseNode line(node.file(), item.first);
    CUSTODY_ASSIGN_OR_RETURN(const std::string path, line.Text());
    CUSTODY_ASSIGN_OR_RETURN(const std::string expected, CaseNode(node.file(), item.second).Text());
    const absl::StatusOr<std::string> actual = ReadValue(key, *state, path, regime, world);
    if (!actual.ok()) return line.Error(StdView(actual.status().message()));
    if (!SameValue(expected, *actual, world->now_ms())) {
      result->Fail(line, absl::StrFormat("%s: expected %s, got %s", path, expected, *actual));
    }
  }
  return absl::OkStatus();
}

absl::Status PlayScan(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(node.CheckKeys(
      "this step", {"scan", "refused", "container_key", "donation_key", "expires", "zone", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.At("scan").Text());
  const absl::StatusOr<Scan> scan = ParseScan(text);
  CUSTODY_RETURN_IF_ERROR(JudgeLabel(node, scan.status(), result));
  if (!scan.ok()) return absl::OkStatus();
  CUSTODY_RETURN_IF_ERROR(JudgeReading(node, "container_key", scan->container_key.value_or("none"),
                                       world->now_ms(), result));
  CUSTODY_RETURN_IF_ERROR(JudgeReading(node, "donation_key", scan->donation_key.value_or("none"),
                                       world->now_ms(), result));
  if (!node.Has("expires")) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::string zone, node.TextOr("zone"));
  const absl::StatusOr<absl::Time> expiry = scan->ExpiryInstant(zone);
  if (!expiry.ok()) return node.At("expires").Error(StdView(expiry.status().message()));
  return JudgeReading(node, "expires", FormatTimeMs(absl::ToUnixMillis(*expiry)), world->now_ms(),
                      result);
}

absl::Status PlayKeyboard(const CaseNode& node, CaseWorld* world, StepResult* result) {
  CUSTODY_RETURN_IF_ERROR(
      node.CheckKeys("this step", {"keyboard", "refused", "donation_key", "why"}));
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, node.At("keyboard").Text());
  const absl::StatusOr<Din> din = Din::ParseKeyboard(text);
  CUSTODY_RETURN_IF_ERROR(JudgeLabel(node, din.status(), result));
  if (!din.ok()) return absl::OkStatus();
  return JudgeReading(node, "donation_key", DonationKey(*din), world->now_ms(), result);
}

}  // namespace custody
