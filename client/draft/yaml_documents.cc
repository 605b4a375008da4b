#include "client/draft/yaml_documents.h"

#include <yaml-cpp/eventhandler.h>

#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

absl::Status ErrorAt(std::string_view file, const YAML::Mark& mark, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s:%d:%d: %s", file, mark.line + 1, mark.column + 1, what));
}

// Sees only where documents begin.
class Beginnings final : public YAML::EventHandler {
 public:
  // The last document begins where the one before began: the parser does not get on.
  bool stands_still() const { return stands_still_; }
  const YAML::Mark& last() const { return last_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    stands_still_ = begun_ && mark.pos <= last_.pos;
    begun_ = true;
    last_ = mark;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  bool begun_ = false;
  bool stands_still_ = false;
  YAML::Mark last_;
};

// yaml-cpp 0.7 finds documents without end where one begins with a comma, and keeps them all.
absl::Status CheckThatItEnds(const std::string& text, std::string_view file) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Beginnings beginnings;
  while (parser.HandleNextDocument(beginnings)) {
    if (beginnings.stands_still()) {
      return ErrorAt(file, beginnings.last(), "no document begins like this");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<YAML::Node>> LoadDocuments(std::string_view text,
                                                      std::string_view file) {
  const std::string owned(text);
  try {
    CUSTODY_RETURN_IF_ERROR(CheckThatItEnds(owned, file));
    return YAML::LoadAll(owned);
  } catch (const YAML::Exception& error) {
    return ErrorAt(file, error.mark, error.msg);
  }
}

}  // namespace custody
