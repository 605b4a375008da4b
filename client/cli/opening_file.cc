#include "client/cli/opening_file.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "nlohmann/json.hpp"

namespace custody {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kPrintedNameSuffix = ".name.json";

// The member as bytes: `name` in hexadecimal. nullopt: absent or malformed.
std::optional<std::string> HexMember(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  absl::StatusOr<std::string> bytes = FromHex(found->get<std::string>());
  if (!bytes.ok()) return std::nullopt;
  return *std::move(bytes);
}

// {"commitment","salt","value_hex"}, or "value" as text in place of the last.
absl::StatusOr<v1::Opening> ParseOpening(std::string_view text, std::string_view where) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  std::optional<std::string> value;
  std::optional<std::string> commitment;
  std::optional<std::string> salt;
  if (json.is_object()) {
    commitment = HexMember(json, "commitment");
    salt = HexMember(json, "salt");
    value = HexMember(json, "value_hex");
    const auto plain = json.find("value");
    if (!value && plain != json.end() && plain->is_string()) value = plain->get<std::string>();
  }
  if (!commitment || !salt || !value) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s is no opening, want {\"commitment\":hex,\"salt\":hex,\"value_hex\":hex}", where));
  }
  v1::Opening opening;
  opening.set_commitment(*commitment);
  opening.set_salt(*salt);
  opening.set_value(*value);
  return opening;
}

absl::Status AddLines(const std::string& path, std::vector<v1::Opening>* openings) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  int number = 0;
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (const std::string& line : lines) {
    ++number;
    if (line.empty()) continue;
    CUSTODY_ASSIGN_OR_RETURN(v1::Opening opening,
                             ParseOpening(line, absl::StrFormat("%s:%d", path, number)));
    openings->push_back(std::move(opening));
  }
  return absl::OkStatus();
}

absl::Status AddPrintedNames(const std::string& folder, std::vector<v1::Opening>* openings) {
  std::error_code error;
  for (fs::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    const std::string path = file->path().string();
    if (!path.ends_with(kPrintedNameSuffix)) continue;
    CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    CUSTODY_ASSIGN_OR_RETURN(v1::Opening opening, ParseOpening(text, path));
    openings->push_back(std::move(opening));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> OwnFile(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const Context* where, session.context());
  return where->names + ".openings.jsonl";
}

}  // namespace

absl::Status KeepOpenings(Session& session, DraftContext* context) {
  if (context->openings.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::string path, OwnFile(session));
  const absl::StatusOr<std::string> known = ReadFile(path);
  if (!known.ok() && !absl::IsNotFound(known.status())) return known.status();
  std::string text = known.ok() ? *known : "";
  for (const v1::Opening& opening : context->openings) {
    text +=
        absl::StrFormat("{\"commitment\":\"%s\",\"salt\":\"%s\",\"value_hex\":\"%s\"}\n",
                        ToHex(opening.commitment()), ToHex(opening.salt()), ToHex(opening.value()));
  }
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(path, text, /*secret=*/true));
  context->openings.clear();
  if (!known.ok()) session.terminal().Note("openings of commitments are kept in " + path);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::Opening>> KeptOpenings(
    Session& session, const std::vector<std::string>& further_files) {
  std::vector<v1::Opening> openings;
  CUSTODY_ASSIGN_OR_RETURN(const std::string own, OwnFile(session));
  const absl::Status read = AddLines(own, &openings);
  if (!read.ok() && !absl::IsNotFound(read)) return read;
  CUSTODY_ASSIGN_OR_RETURN(const Keyring* keyring, session.keyring());
  CUSTODY_RETURN_IF_ERROR(AddPrintedNames(keyring->folder(), &openings));
  for (const std::string& file : further_files) {
    CUSTODY_RETURN_IF_ERROR(AddLines(file, &openings));
  }
  return openings;
}

}  // namespace custody
