#include "client/cli/verdict_text.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/cli/exit_code.h"
#include "client/draft/time_text.h"
#include "custody/refusal.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

struct Mark {
  const char* text;
  Tone tone;
};

// Word and shape, never colour alone.
Mark MarkOf(v1::CheckResultValue result) {
  switch (result) {
    case v1::CHECK_RESULT_VALUE_PASS:
      return {"[ok]     ", Tone::kGood};
    case v1::CHECK_RESULT_VALUE_WARN:
      return {"[WARN]   ", Tone::kWarn};
    case v1::CHECK_RESULT_VALUE_FAIL:
      return {"[FAIL]   ", Tone::kBad};
    case v1::CHECK_RESULT_VALUE_UNKNOWN:
      return {"[UNKNOWN]", Tone::kBad};
    case v1::CHECK_RESULT_VALUE_NOT_APPLICABLE:
      return {"[n/a]    ", Tone::kDim};
    default:
      return {"[at sign]", Tone::kDim};
  }
}

Mark WordOf(v1::VerdictValue value) {
  switch (value) {
    case v1::VERDICT_VALUE_GO:
      return {"GO", Tone::kGood};
    case v1::VERDICT_VALUE_GO_WITH_WARNINGS:
      return {"GO, with warnings", Tone::kWarn};
    case v1::VERDICT_VALUE_NO_GO:
      return {"NO-GO", Tone::kBad};
    default:
      return {"CANNOT VERIFY", Tone::kBad};
  }
}

bool IsAgainst(const v1::Check& check) {
  return check.result() == v1::CHECK_RESULT_VALUE_FAIL ||
         check.result() == v1::CHECK_RESULT_VALUE_UNKNOWN;
}

// What speaks against the dose first, then the warnings, then the rest; each in its own order.
std::vector<const v1::Check*> InOrderOfWeight(const v1::Verdict& verdict) {
  std::vector<const v1::Check*> checks;
  for (const v1::Check& check : verdict.checks()) checks.push_back(&check);
  std::stable_sort(checks.begin(), checks.end(), [](const v1::Check* a, const v1::Check* b) {
    const auto weight = [](const v1::Check& check) {
      if (IsAgainst(check)) return 0;
      return check.result() == v1::CHECK_RESULT_VALUE_WARN ? 1 : 2;
    };
    return weight(*a) < weight(*b);
  });
  return checks;
}

void PrintCheck(Session& session, const v1::Check& check) {
  const Terminal& terminal = session.terminal();
  const Mark mark = MarkOf(check.result());
  std::string line = terminal.Paint(mark.tone, mark.text) + " " + check.title();
  if (check.code() != v1::REASON_CODE_UNSPECIFIED &&
      check.result() != v1::CHECK_RESULT_VALUE_PASS) {
    line += absl::StrFormat("  %s", ReasonName(check.code()));
  }
  if (check.has_subject() && !check.subject().id().empty()) {
    line += terminal.Paint(Tone::kDim, "  (" + session.NameOf(check.subject()) + ")");
  }
  terminal.Line(line);
  if (!check.detail().empty()) {
    terminal.Line(terminal.Paint(Tone::kDim, "            " + check.detail()));
  }
  if (IsAgainst(check) && !check.remedy().empty()) {
    terminal.Line("            help: " + check.remedy());
  }
}

}  // namespace

int ExitCodeOfVerdict(const v1::Verdict& verdict) {
  switch (verdict.value()) {
    case v1::VERDICT_VALUE_GO:
    case v1::VERDICT_VALUE_GO_WITH_WARNINGS:
      return kExitOk;
    case v1::VERDICT_VALUE_NO_GO:
      return kExitRefused;
    default:
      return kExitCannotVerify;
  }
}

void PrintVerdict(Session& session, const v1::Verdict& verdict) {
  const Terminal& terminal = session.terminal();
  const Mark word = WordOf(verdict.value());
  terminal.Line(absl::StrFormat("%s   %s", terminal.Paint(word.tone, word.text),
                                EnumLabel(verdict.request().stage())));
  terminal.Line(absl::StrFormat(
      "as of %s, %d entries%s", FormatTimeMs(verdict.as_of_ms()), verdict.tree_size(),
      verdict.valid_until_ms() == 0
          ? ""
          : ", until " + FormatTimeMs(verdict.valid_until_ms()) + " at the latest"));
  for (const v1::Check* check : InOrderOfWeight(verdict)) PrintCheck(session, *check);
}

}  // namespace custody
