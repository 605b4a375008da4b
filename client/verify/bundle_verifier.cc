#include "client/verify/bundle_verifier.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/verify/bundle_contents.h"
#include "client/verify/bundle_openings.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

// The worst outcome of a level; a level of which nothing was judged cannot be checked.
Outcome LevelOf(const VerificationReport& report, char level) {
  bool judged = false;
  Outcome worst = Outcome::kVerified;
  for (const VerificationStep& step : report.steps) {
    if (step.level == level && step.outcome != Outcome::kNotYetProven) {
      judged = true;
      worst = std::max(worst, step.outcome);
    }
  }
  return judged ? worst : Outcome::kCannotBeChecked;
}

// D rests on A, B and C, C on A.
void JudgeLevels(VerificationReport* report) {
  report->level_a = LevelOf(*report, 'A');
  report->level_b = LevelOf(*report, 'B');
  report->level_c = LevelOf(*report, 'C');
  bool asks = false;
  for (const VerificationStep& step : report->steps) {
    asks = asks || (step.level == 'D' && step.outcome != Outcome::kNotYetProven);
  }
  report->level_d = asks ? LevelOf(*report, 'D') : Outcome::kNotYetProven;
  report->outcome = std::max({report->level_a, report->level_b, report->level_c});
  if (asks) {
    report->outcome = std::max(report->outcome, report->level_d);
  }
}

std::string JsonText(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += absl::StrFormat("\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

// Ids that are no ids are shown in hexadecimal, so nothing of the bundle reaches the terminal raw.
std::string SubjectText(const v1::SubjectRef& subject) {
  const SubjectKey key = KeyOf(subject);
  return key.id.empty() ? "none" : Describe(key);
}

// Words that come from a bundle must not steer the terminal that shows them.
std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out;
}

// A disclosed value is text, or else shown in hexadecimal.
std::string ValueText(const std::string& value) {
  return IsUtf8(value) ? Printable(value) : "hex:" + ToHex(value);
}

}  // namespace

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kVerified:
      return "verified";
    case Outcome::kNotYetProven:
      return "not yet proven";
    case Outcome::kCannotBeChecked:
      return "cannot be checked";
    case Outcome::kProofFalse:
      return "proof false";
  }
  return "cannot be checked";
}

std::string VerificationReport::ToText() const {
  std::string text;
  for (const VerificationStep& step : steps) {
    text += absl::StrFormat("%c  %-17s  %-12s %s\n", step.level, OutcomeName(step.outcome), step.id,
                            Printable(step.detail));
  }
  text += absl::StrFormat(
      "\nA included: %s\nB gap-free: %s\nC complete: %s\nD recomputed: %s\nresult: %s\n",
      OutcomeName(level_a), OutcomeName(level_b), OutcomeName(level_c), OutcomeName(level_d),
      OutcomeName(outcome));
  text += absl::StrFormat("subject: %s\n", SubjectText(subject));
  for (const std::string& id : container_ids) {
    text += absl::StrFormat("asked about: container %s\n", ToHex(id));
  }
  if (as_of_ms != 0) {
    text += absl::StrFormat("as of: %s\n", UtcText(as_of_ms));
    text += absl::StrFormat("judged for: %s (%s)\n", UtcText(judged_at_ms),
                            moment_was_given ? "as asked for" : "now");
  }
  for (const DisclosedValue& each : disclosed) {
    text += absl::StrFormat("disclosed: entry %d %s: %s\n", each.index, each.field,
                            ValueText(each.value));
  }
  if (verdict.value() != v1::VERDICT_VALUE_UNSPECIFIED) {
    text += absl::StrFormat("verdict (computed here): %s\n", EnumLabel(verdict.value()));
  }
  return text;
}

std::string VerificationReport::ToJson() const {
  std::string json = absl::StrFormat(
      "{\"format_version\":1,\"outcome\":%s,\"ledger\":%s,\"tree_size\":%d,"
      "\"witnessed_at_ms\":%d,\"stamped_at_ms\":%d,\"levels\":{\"A\":%s,\"B\":%s,\"C\":%s,\"D\":%s}"
      ",\"steps\":[",
      JsonText(OutcomeName(outcome)), JsonText(ledger), tree_size, witnessed_at_ms, stamped_at_ms,
      JsonText(OutcomeName(level_a)), JsonText(OutcomeName(level_b)),
      JsonText(OutcomeName(level_c)), JsonText(OutcomeName(level_d)));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    json += absl::StrFormat("%s{\"level\":\"%c\",\"id\":%s,\"outcome\":%s,\"detail\":%s}",
                            i == 0 ? "" : ",", steps[i].level, JsonText(steps[i].id),
                            JsonText(OutcomeName(steps[i].outcome)), JsonText(steps[i].detail));
  }
  json += absl::StrFormat("],\"subject\":%s,\"container_ids\":[", JsonText(SubjectText(subject)));
  for (std::size_t i = 0; i < container_ids.size(); ++i) {
    json += absl::StrFormat("%s%s", i == 0 ? "" : ",", JsonText(ToHex(container_ids[i])));
  }
  json += "],\"attested_by\":[";
  for (std::size_t i = 0; i < attested_by.size(); ++i) {
    json += absl::StrFormat("%s%s", i == 0 ? "" : ",", JsonText(attested_by[i]));
  }
  json += "],\"disclosed\":[";
  for (std::size_t i = 0; i < disclosed.size(); ++i) {
    json += absl::StrFormat("%s{\"index\":%d,\"field\":%s,\"value\":%s}", i == 0 ? "" : ",",
                            disclosed[i].index, JsonText(disclosed[i].field),
                            JsonText(ValueText(disclosed[i].value)));
  }
  json += absl::StrFormat(
      "],\"as_of_ms\":%d,\"valid_until_ms\":%d,\"judged_at_ms\":%d,\"moment_was_given\":%s",
      as_of_ms, valid_until_ms, judged_at_ms, moment_was_given ? "true" : "false");
  std::string verdict_json;
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  if (verdict.value() != v1::VERDICT_VALUE_UNSPECIFIED &&
      google::protobuf::util::MessageToJsonString(verdict, &verdict_json, print).ok()) {
    json += ",\"verdict\":" + verdict_json;
  }
  return json + "}";
}

absl::StatusOr<VerificationReport> VerifyBundle(std::string_view bundle_bytes, const Trust& trust,
                                                std::int64_t now_ms,
                                                std::optional<std::int64_t> at_ms,
                                                std::string_view timestamp) {
  BundleContents contents;
  CUSTODY_ASSIGN_OR_RETURN(contents.bundle, ParseBundle(bundle_bytes));
  VerificationReport report;
  report.ledger = trust.ledger;
  report.subject = contents.bundle.subject();
  report.container_ids.assign(contents.bundle.request().container_ids().begin(),
                              contents.bundle.request().container_ids().end());
  report.as_of_ms = contents.bundle.verdict().as_of_ms();
  report.valid_until_ms = contents.bundle.verdict().valid_until_ms();
  report.judged_at_ms = at_ms.value_or(now_ms);
  report.moment_was_given = at_ms.has_value();
  StepLog log(&report);
  if (contents.bundle.ledger() != trust.ledger) {
    // Nothing in it can be judged by keys and digests that are bound to another ledger.
    log.Add('A', "ledger", Outcome::kCannotBeChecked,
            absl::StrFormat("the bundle is of ledger '%s', the trust file is for '%s'",
                            contents.bundle.ledger(), trust.ledger));
  } else if (ReadContents(&contents, &log)) {
    FoldedStates states;
    JudgeInclusion(contents, trust, now_ms, &report, &log);
    JudgeTimestamp(contents, trust, timestamp, &report, &log);
    JudgeChains(contents, trust, &states, &log);
    JudgeOpenings(contents, &report, &log);
    if (LevelOf(report, 'C') == Outcome::kVerified) JudgeCompleteness(contents, report, &log);
    // The rules are asked only about what was shown to be in the log, unbroken, signed and whole.
    if (LevelOf(report, 'A') == Outcome::kVerified && LevelOf(report, 'B') == Outcome::kVerified &&
        LevelOf(report, 'C') == Outcome::kVerified) {
      JudgeVerdict(contents, states, &report, &log);
    } else {
      log.Add('D', "verdict", Outcome::kCannotBeChecked, "it rests on levels A, B and C");
    }
  }
  JudgeLevels(&report);
  return report;
}

}  // namespace custody
