#include "client/draft/names.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/random.h"

namespace custody {
namespace {

constexpr std::size_t kNameBytesMax = 100;

absl::Status CheckName(std::string_view name) {
  const bool well_formed = !name.empty() && name.size() <= kNameBytesMax &&
                           std::all_of(name.begin(), name.end(), [](char c) {
                             return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' ||
                                    c == '-' || c == '_' || c == '.';
                           });
  if (well_formed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is no name: 1 to 100 letters, digits, '/', '-', '_', '.'", name));
}

}  // namespace

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

absl::StatusOr<NameBook> NameBook::Parse(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return absl::InvalidArgumentError("a name book is a JSON object");
  NameBook book;
  for (const auto& [name, value] : parsed.items()) {
    if (!value.is_string()) {
      return absl::InvalidArgumentError(absl::StrFormat("name '%s' has no hexadecimal id", name));
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::string id, FromHex(value.get_ref<const std::string&>()));
    CUSTODY_RETURN_IF_ERROR(book.Define(name, id));
  }
  return book;
}

std::string NameBook::ToJson() const {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [name, id] : entries_) out[name] = ToHex(id);
  return out.dump(2) + "\n";
}

absl::StatusOr<std::string> NameBook::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return found->second;
  std::vector<std::string> names;
  names.reserve(entries_.size());
  for (const auto& entry : entries_) names.push_back(entry.first);
  const std::string nearest = NearestWord(name, names);
  return absl::NotFoundError(absl::StrFormat(
      "no name '%s' in the name book%s; write '@+%s' where it is created", name,
      nearest.empty() ? "" : absl::StrFormat(" (did you mean '%s'?)", nearest), name));
}

absl::StatusOr<std::string> NameBook::Create(std::string_view name) {
  CUSTODY_RETURN_IF_ERROR(CheckName(name));
  if (entries_.contains(name)) {
    return absl::AlreadyExistsError(
        absl::StrFormat("the name '%s' exists already; write '@%s' to refer to it", name, name));
  }
  std::string id = RandomBytes(16);
  entries_.emplace(name, id);
  return id;
}

absl::Status NameBook::Define(std::string_view name, std::string_view id) {
  CUSTODY_RETURN_IF_ERROR(CheckName(name));
  const auto [entry, inserted] = entries_.emplace(name, id);
  if (!inserted && entry->second != id) {
    return absl::AlreadyExistsError(absl::StrFormat("the name '%s' is bound to another id", name));
  }
  return absl::OkStatus();
}

std::string NameBook::NameOf(std::string_view id) const {
  for (const auto& [name, bytes] : entries_) {
    if (bytes == id) return name;
  }
  return "";
}

}  // namespace custody
