#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/question.h"
#include "client/cli/verdict_text.h"

namespace custody {
namespace {

absl::StatusOr<int> VerifyDose(Session& session, const Question& question) {
  if (question.containers.empty() && question.order.empty()) {
    return absl::InvalidArgumentError("name a container or --order");
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::VerifyDoseRequest request, BuildQuestion(session, question));
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const v1::VerifyDoseResponse response, client->VerifyDose(request));
  if (session.terminal().json()) {
    session.terminal().Json(response.verdict());
  } else {
    PrintVerdict(session, response.verdict());
  }
  return ExitCodeOfVerdict(response.verdict());
}

}  // namespace

void AddDoseCommands(Commands* commands) {
  CLI::App* dose =
      commands->app.add_subcommand("dose", "May these containers go into this patient, now?");
  dose->require_subcommand(1);
  CLI::App* verify = commands->Add<Question>(
      dose, "verify", "Every check for an act, and GO or NO-GO", BindQuestion, VerifyDose);
  verify->footer(
      "GO supports and never replaces the check at the bedside; the authorisation is the event "
      "CLN-06.\n"
      "Exit 0 GO, 1 NO-GO, 3 cannot verify.");
}

}  // namespace custody
