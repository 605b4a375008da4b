#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/draft/time_text.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

struct SubjectOptions {
  std::string subject;
};

struct CaseOptions {
  std::string subject;
  bool closed = false;
};

struct ClockOptions {
  std::string subject;
  bool met = false;
};

absl::StatusOr<int> ShowSubject(Session& session, const SubjectOptions& options) {
  v1::GetSubjectRequest request;
  CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetSubjectResponse response, client->GetSubject(request));
  const Terminal& terminal = session.terminal();
  if (!terminal.json()) {
    terminal.Note(absl::StrFormat(
        "%s %s: %d entries, %d holds, %d open cases", KindName(request.subject().kind()),
        session.NameOf(request.subject()), response.state().event_count(),
        response.state().holds_size(), response.state().open_cases_size()));
    if (response.effective_quality() != v1::QUALITY_UNSPECIFIED) {
      terminal.Note(absl::StrFormat(
          "effective quality %s, expires %s", EnumLabel(response.effective_quality()),
          response.effective_expiry_ms() == 0 ? "never stated"
                                              : FormatTimeMs(response.effective_expiry_ms())));
    }
  }
  terminal.Json(response.state());
  return kExitOk;
}

absl::StatusOr<int> FindSubject(Session& session, const SubjectOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectRef subject, session.ResolveSubject(options.subject));
  const std::string kind(KindName(subject.kind()));
  const std::string id =
      subject.kind() == v1::SUBJECT_KIND_IDENTIFIER ? subject.id() : ToHex(subject.id());
  const std::string name = session.NameOf(subject);
  session.terminal().Fields({{"kind", kind}, {"id", id}, {"name", name}});
  if (!session.terminal().json())
    session.terminal().Line(absl::StrFormat("%s:%s  %s", kind, id, name));
  return kExitOk;
}

absl::StatusOr<int> ListCases(Session& session, const CaseOptions& options) {
  v1::ListCasesRequest request;
  if (!options.subject.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  }
  request.set_include_closed(options.closed);
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListCasesResponse response, client->ListCases(request));
  std::vector<std::vector<std::string>> rows;
  for (const v1::SubjectState& state : response.cases()) {
    std::string codes;
    for (const std::string& code : state.case_().codes())
      codes += (codes.empty() ? "" : ", ") + code;
    rows.push_back({ToHex(state.id()), EnumLabel(state.case_().severity()),
                    EnumLabel(state.case_().kind()), state.case_().closed() ? "closed" : "open",
                    codes});
  }
  if (session.terminal().json()) {
    session.terminal().Json(response);
  } else {
    session.terminal().Table({"CASE", "SEVERITY", "KIND", "STATUS", "CODES"}, rows);
  }
  return kExitOk;
}

absl::StatusOr<int> ListClocks(Session& session, const ClockOptions& options) {
  v1::ListClocksRequest request;
  if (!options.subject.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_subject(), session.ResolveSubject(options.subject));
  }
  request.set_include_met(options.met);
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::ListClocksResponse response, client->ListClocks(request));
  if (session.terminal().json()) {
    session.terminal().Json(response);
    return kExitOk;
  }
  std::vector<std::vector<std::string>> rows;
  for (const v1::Clock& clock : response.clocks()) {
    rows.push_back({clock.kind(), session.NameOf(clock.subject()), FormatTimeMs(clock.due_at_ms()),
                    clock.met()        ? "met"
                    : clock.breached() ? "BREACHED"
                                       : "running"});
  }
  session.terminal().Table({"CLOCK", "SUBJECT", "DUE", "STATUS"}, rows);
  return kExitOk;
}

void BindSubject(CLI::App* command, SubjectOptions* options) {
  command
      ->add_option("subject", options->subject,
                   "kind:@name, kind:hex, a label scan or key, scheme=value")
      ->required();
}

}  // namespace

void AddSubjectCommands(Commands* commands) {
  CLI::App* subject =
      commands->app.add_subcommand("subject", "Donors, lots, containers, orders and the rest");
  subject->require_subcommand(1);
  commands->Add<SubjectOptions>(subject, "show", "The state of a subject", BindSubject,
                                ShowSubject);
  commands->Add<SubjectOptions>(subject, "find", "Which subject a label or number names",
                                BindSubject, FindSubject);
  commands->Add<CaseOptions>(
      subject, "cases", "Open cases, of one subject or all",
      [](CLI::App* command, CaseOptions* options) {
        command->add_option("subject", options->subject, "Subject (default: all)");
        command->add_flag("--closed", options->closed, "Closed ones too");
      },
      ListCases);
  commands->Add<ClockOptions>(
      subject, "clocks", "What is due: follow-ups and notifications",
      [](CLI::App* command, ClockOptions* options) {
        command->add_option("subject", options->subject, "Subject (default: all)");
        command->add_flag("--met", options->met, "Those that were met, too");
      },
      ListClocks);
}

}  // namespace custody
