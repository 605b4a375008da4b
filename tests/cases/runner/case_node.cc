#include "tests/cases/runner/case_node.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/draft/names.h"

namespace custody {

std::string CaseNode::Place() const {
  return absl::StrFormat("%s:%d", file_, node_.Mark().line + 1);
}

absl::Status CaseNode::Error(std::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrFormat("%s:%d:%d: %s", file_, node_.Mark().line + 1, node_.Mark().column + 1, what));
}

absl::Status CaseNode::CheckKeys(std::string_view what,
                                 const std::vector<std::string>& known) const {
  if (!node_.IsMap()) return Error(absl::StrFormat("%s is written as 'key: value'", what));
  for (const auto& item : node_) {
    const std::string key = item.first.IsScalar() ? item.first.Scalar() : "(no word)";
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = NearestWord(key, known);
    return CaseNode(file_, item.first)
        .Error(nearest.empty()
                   ? absl::StrFormat("%s has no key '%s'; it has %s", what, key,
                                     absl::StrJoin(known, ", "))
                   : absl::StrFormat("%s has no key '%s'; did you mean '%s'?", what, key, nearest));
  }
  return absl::OkStatus();
}

bool CaseNode::Has(const std::string& key) const {
  return node_.IsMap() && static_cast<bool>(node_[key]);
}

absl::StatusOr<std::string> CaseNode::Text() const {
  if (!node_.IsScalar()) return Error("a single value is expected here");
  return node_.Scalar();
}

absl::StatusOr<std::vector<std::string>> CaseNode::Texts(const std::string& key) const {
  std::vector<std::string> texts;
  if (!Has(key)) return texts;
  const CaseNode list = At(key);
  if (!list.yaml().IsSequence()) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, list.Text());
    texts.push_back(std::move(text));
    return texts;
  }
  for (const auto& item : list.yaml()) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, CaseNode(file_, item).Text());
    texts.push_back(std::move(text));
  }
  return texts;
}

absl::StatusOr<std::string> CaseNode::TextOr(const std::string& key) const {
  if (!Has(key)) return std::string();
  return At(key).Text();
}

}  // namespace custody
