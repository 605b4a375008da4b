// The options by which a person asks for a verdict; shared by `dose verify` and `export`.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_QUESTION_H_
#define CUSTODY_CLIENT_CLI_QUESTION_H_

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/session.h"
#include "custody/v1/provenance_service.pb.h"

namespace custody {

struct Question {
  std::vector<std::string> containers;
  std::string stage = "ADMINISTER";
  std::string order;
  std::string patient;
  std::string route;
  std::string duration;
  std::string site;
  std::string at;
};

void BindQuestion(CLI::App* command, Question* question);

// Errors: kInvalidArgument naming the option.
absl::StatusOr<v1::VerifyDoseRequest> BuildQuestion(Session& session, const Question& question);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_QUESTION_H_
