#include "tests/cases/runner/case_runner.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "tests/cases/runner/case_node.h"
#include "tests/cases/runner/case_steps.h"
#include "tests/cases/runner/case_world.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

struct StepKind {
  const char* key;
  absl::Status (*play)(const CaseNode& node, CaseWorld* world, StepResult* result);
};

constexpr StepKind kSteps[] = {
    {"event", PlayEvent},   {"verify", PlayVerify},     {"state", PlayState},
    {"scan", PlayScan},     {"keyboard", PlayKeyboard}, {"cosign", PlayCosign},
    {"attest", PlayAttest}, {"people", PlayPeople},     {"devices", PlayDevices},
    {"policy", PlayPolicy}, {"clock", PlayClock},       {"advance", PlayAdvance},
};

// A draft has a key `policy` too, so `event` comes first in the table.
const StepKind* FindStep(const CaseNode& node) {
  for (const StepKind& kind : kSteps) {
    if (node.Has(kind.key)) return &kind;
  }
  return nullptr;
}

absl::Status UnknownStep(const CaseNode& node) {
  std::vector<std::string> keys = {"play"};
  for (const StepKind& kind : kSteps) keys.emplace_back(kind.key);
  return node.Error(absl::StrFormat("a step has one of the keys %s", absl::StrJoin(keys, ", ")));
}

absl::StatusOr<std::string> ReadWhole(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrFormat("%s: there is no such file", path));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class CasePlay {
 public:
  // `outer`: the case itself; otherwise a part that it starts from.
  absl::Status PlayText(std::string_view text, const std::string& file, bool outer);
  CaseReport TakeReport() { return std::move(report_); }

 private:
  absl::Status PlayHeader(const CaseNode& node, bool outer);
  // The files under a key of the document.
  absl::Status PlayFiles(const CaseNode& node, const std::string& key);
  absl::Status PlayStep(const CaseNode& node, const YAML::Node& defaults);

  CaseWorld world_;
  CaseReport report_;
  std::set<std::string> played_;
  bool stopped_ = false;
};

absl::Status CasePlay::PlayText(std::string_view text, const std::string& file, bool outer) {
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrFormat("%s:%d:%d: %s", file, error.mark.line + 1,
                                                      error.mark.column + 1, error.msg));
  }
  bool first = true;
  YAML::Node defaults;
  for (const YAML::Node& document : documents) {
    if (document.IsNull()) continue;
    const CaseNode node(file, document);
    if (first) {
      CUSTODY_RETURN_IF_ERROR(PlayHeader(node, outer));
      first = false;
    } else if (node.Has("defaults")) {
      CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this document", {"defaults"}));
      defaults = document["defaults"];
    } else {
      CUSTODY_RETURN_IF_ERROR(PlayStep(node, defaults));
    }
    if (stopped_) return absl::OkStatus();
  }
  if (first) return absl::InvalidArgumentError(file + ":1:1: the file is empty");
  return absl::OkStatus();
}

absl::Status CasePlay::PlayHeader(const CaseNode& node, bool outer) {
  const std::string title = outer ? "case" : "part";
  CUSTODY_RETURN_IF_ERROR(
      node.CheckKeys("the head of a file", {title, "about", "source", "start"}));
  for (const std::string& key : outer ? std::vector<std::string>{title, "about", "source"}
                                      : std::vector<std::string>{title}) {
    if (!node.Has(key)) {
      return node.Error(absl::StrFormat("the head of a file needs the key '%s'", key));
    }
  }
  if (outer) {
    CUSTODY_ASSIGN_OR_RETURN(report_.title, node.TextOr(title));
  }
  return PlayFiles(node, "start");
}

absl::Status CasePlay::PlayFiles(const CaseNode& node, const std::string& key) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> files, node.Texts(key));
  for (const std::string& file : files) {
    const std::string path = (fs::path(node.file()).parent_path() / file).lexically_normal();
    if (!played_.insert(path).second) {
      return node.At(key).Error(absl::StrFormat("%s was played already", file));
    }
    const absl::StatusOr<std::string> text = ReadWhole(path);
    if (!text.ok()) return node.At(key).Error(StdView(text.status().message()));
    CUSTODY_RETURN_IF_ERROR(PlayText(*text, path, /*outer=*/false));
    if (stopped_) break;
  }
  return absl::OkStatus();
}

absl::Status CasePlay::PlayStep(const CaseNode& node, const YAML::Node& defaults) {
  if (node.Has("play")) {
    CUSTODY_RETURN_IF_ERROR(node.CheckKeys("this step", {"play", "why"}));
    return PlayFiles(node, "play");
  }
  const StepKind* kind = FindStep(node);
  if (kind == nullptr) return UnknownStep(node);
  if (node.Has("event") && defaults.IsDefined()) {
    YAML::Node filled = node.yaml();
    for (const auto& item : defaults) {
      if (!filled[item.first.Scalar()]) filled[item.first.Scalar()] = item.second;
    }
  }
  StepResult result;
  CUSTODY_RETURN_IF_ERROR(kind->play(node, &world_, &result));
  ++report_.steps;
  stopped_ = result.stop;
  for (std::string& failure : result.failures) report_.failures.push_back(std::move(failure));
  return absl::OkStatus();
}

}  // namespace

void StepResult::Fail(const CaseNode& node, const std::string& what) {
  failures.push_back(absl::StrFormat("%s: %s", node.Place(), what));
}

absl::StatusOr<CaseReport> RunCaseText(std::string_view text, const std::string& file) {
  CasePlay play;
  CUSTODY_RETURN_IF_ERROR(play.PlayText(text, file, /*outer=*/true));
  return play.TakeReport();
}

absl::StatusOr<CaseReport> RunCaseFile(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path));
  return RunCaseText(text, path);
}

}  // namespace custody
