#include "client/verify/trust.h"

// Compiled in here: the library of Debian is built with exceptions and lacks the parser without.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
// A key that begins with no letter is a mistake in the file and not in the program: without its
// assertion toml++ reports it like any other.
#define TOML_ASSERT(expression) static_assert(true)
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/text_rules.h"
#include "crypto/timestamp.h"

namespace custody {
namespace {

constexpr std::array<std::string_view, 8> kKeys = {
    "ledger", "entry0_leaf_hash", "log_keys", "retired_log_keys",
    "policy", "maximum_age",      "auditors", "timestamp_ca"};
using ReadFile = std::function<absl::StatusOr<std::string>(const std::string& path)>;

std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string Suggestion(std::string_view key) {
  constexpr std::size_t kFar = 5;
  std::string_view nearest;
  std::size_t least = kFar;
  for (const std::string_view known : kKeys) {
    const std::size_t distance = EditDistance(key.substr(0, 64), known);
    if (distance < least) {
      least = distance;
      nearest = known;
    }
  }
  return nearest.empty() ? std::string() : absl::StrFormat("; did you mean '%s'?", nearest);
}

// Reads the values of one parsed file.
class TrustReader {
 public:
  TrustReader(std::string_view file, const toml::table& table, const ReadFile& read_file)
      : file_(file), table_(table), read_file_(read_file) {}

  absl::StatusOr<Trust> Read();

 private:
  absl::Status ErrorAt(const toml::source_region& where, std::string_view message) const {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s:%d:%d: %s", file_, where.begin.line, where.begin.column, message));
  }
  absl::Status CheckKeys() const;
  // The text of a key; nullopt when it is absent.
  absl::StatusOr<std::optional<std::string>> Text(std::string_view key) const;
  absl::StatusOr<std::string> RequiredText(std::string_view key) const;
  absl::Status ReadLogKeys(Trust* trust) const;
  // A log key of the ledger that stands in neither list yet.
  absl::StatusOr<NoteVerifier> ReadLogKey(const toml::node& item, const Trust& trust) const;
  absl::Status ReadRetiredLogKeys(Trust* trust) const;
  absl::StatusOr<RetiredLogKey> ReadRetiredLogKey(const toml::node& item, const Trust& trust) const;
  absl::Status ReadPolicy(Trust* trust) const;
  absl::Status ReadMaximumAge(Trust* trust) const;
  absl::Status ReadAuditors(Trust* trust) const;
  absl::Status ReadTimestampCa(Trust* trust) const;

  std::string_view file_;
  const toml::table& table_;
  const ReadFile& read_file_;
};

absl::Status TrustReader::CheckKeys() const {
  for (const auto& [key, value] : table_) {
    if (std::find(kKeys.begin(), kKeys.end(), key.str()) == kKeys.end()) {
      return ErrorAt(key.source(), absl::StrFormat("unknown key '%s'%s", std::string(key.str()),
                                                   Suggestion(key.str())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> TrustReader::Text(std::string_view key) const {
  const toml::node* node = table_.get(key);
  if (node == nullptr) {
    return std::optional<std::string>();
  }
  const toml::value<std::string>* text = node->as_string();
  if (text == nullptr || text->get().empty()) {
    return ErrorAt(node->source(), absl::StrFormat("%s must be a text", key));
  }
  return std::optional<std::string>(text->get());
}

absl::StatusOr<std::string> TrustReader::RequiredText(std::string_view key) const {
  CUSTODY_ASSIGN_OR_RETURN(std::optional<std::string> text, Text(key));
  if (!text.has_value()) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: the key '%s' is missing", file_, key));
  }
  return *std::move(text);
}

absl::Status TrustReader::ReadLogKeys(Trust* trust) const {
  const toml::node* node = table_.get("log_keys");
  const toml::array* list = node == nullptr ? nullptr : node->as_array();
  if (list == nullptr || list->empty() || list->size() > kTrustLogKeysMax) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: log_keys must be a list of 1 to %d verifier keys", file_, kTrustLogKeysMax));
  }
  for (const toml::node& item : *list) {
    CUSTODY_ASSIGN_OR_RETURN(NoteVerifier key, ReadLogKey(item, *trust));
    trust->log_keys.push_back(std::move(key));
  }
  return absl::OkStatus();
}

absl::Status TrustReader::ReadRetiredLogKeys(Trust* trust) const {
  const toml::node* node = table_.get("retired_log_keys");
  if (node == nullptr) return absl::OkStatus();
  const toml::array* list = node->as_array();
  if (list == nullptr || list->size() > kTrustRetiredKeysMax) {
    return ErrorAt(node->source(),
                   absl::StrFormat("retired_log_keys must be a list of at most %d tables {key = "
                                   "\"...\", last_size = 41233}",
                                   kTrustRetiredKeysMax));
  }
  for (const toml::node& item : *list) {
    CUSTODY_ASSIGN_OR_RETURN(RetiredLogKey key, ReadRetiredLogKey(item, *trust));
    trust->retired_log_keys.push_back(std::move(key));
  }
  return absl::OkStatus();
}

absl::StatusOr<RetiredLogKey> TrustReader::ReadRetiredLogKey(const toml::node& item,
                                                             const Trust& trust) const {
  const toml::table* table = item.as_table();
  const toml::node* key = table == nullptr ? nullptr : table->get("key");
  const toml::node* size = table == nullptr ? nullptr : table->get("last_size");
  const toml::value<std::int64_t>* number = size == nullptr ? nullptr : size->as_integer();
  if (key == nullptr || number == nullptr || number->get() < 1 || table->size() != 2) {
    return ErrorAt(item.source(),
                   "a retired log key wants {key = \"...\", last_size = N}, where N is the number "
                   "of entries of the largest checkpoint that it signed");
  }
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier, ReadLogKey(*key, trust));
  return RetiredLogKey{std::move(verifier), static_cast<std::uint64_t>(number->get())};
}

absl::StatusOr<NoteVerifier> TrustReader::ReadLogKey(const toml::node& item,
                                                     const Trust& trust) const {
  const toml::value<std::string>* text = item.as_string();
  if (text == nullptr) {
    return ErrorAt(item.source(), "a log key must be a text");
  }
  absl::StatusOr<NoteVerifier> key = ParseVkey(text->get());
  if (!key.ok()) {
    return ErrorAt(item.source(),
                   absl::StrFormat("log key: %s", std::string(key.status().message())));
  }
  if (key->name() != trust.ledger || key->type() != NoteKeyType::kEd25519) {
    return ErrorAt(item.source(),
                   absl::StrFormat("this is not a log key of ledger '%s'", trust.ledger));
  }
  const auto is_it = [&](const NoteVerifier& other) { return other.key() == key->key(); };
  const auto& retired = trust.retired_log_keys;
  if (std::any_of(trust.log_keys.begin(), trust.log_keys.end(), is_it) ||
      std::any_of(retired.begin(), retired.end(),
                  [&](const auto& old) { return is_it(old.key); })) {
    return ErrorAt(item.source(), "the same log key stands twice");
  }
  return key;
}

absl::Status TrustReader::ReadPolicy(Trust* trust) const {
  CUSTODY_ASSIGN_OR_RETURN(std::optional<std::string> text, Text("policy"));
  if (!text.has_value()) {
    return absl::OkStatus();
  }
  std::string name = "policy";
  if (text->find('\n') == std::string::npos) {
    name = *text;
    CUSTODY_ASSIGN_OR_RETURN(*text, read_file_(name));
  }
  absl::StatusOr<WitnessPolicy> policy = ParseWitnessPolicy(*text);
  if (!policy.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %s: %s", file_, name, std::string(policy.status().message())));
  }
  // Log lines of a policy do not widen the trust that log_keys states.
  trust->policy = *std::move(policy);
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> ParseAge(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  constexpr std::int64_t kAgeMaxMs = 3'660LL * 86'400'000;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t number, ParseDecimal(text.substr(0, digits)));
  for (const auto& [unit, factor] : kUnits) {
    if (text.substr(digits) == unit && number > 0 &&
        number <= static_cast<std::uint64_t>(kAgeMaxMs / factor)) {
      return static_cast<std::int64_t>(number) * factor;
    }
  }
  return absl::InvalidArgumentError("out of range");
}

absl::Status TrustReader::ReadMaximumAge(Trust* trust) const {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::string> text, Text("maximum_age"));
  if (!text.has_value()) {
    return absl::OkStatus();
  }
  const toml::source_region& where = table_.get("maximum_age")->source();
  const absl::StatusOr<std::int64_t> age = ParseAge(*text);
  if (!age.ok()) {
    return ErrorAt(where, absl::StrFormat("maximum_age is '%s', want for example 90s, 15min, 24h "
                                          "or 7d, at most 10 years",
                                          *text));
  }
  if (!trust->policy.has_value() || trust->policy->quorum.empty()) {
    return ErrorAt(where, "maximum_age needs a policy with a quorum: only witnesses state times");
  }
  trust->maximum_age_ms = *age;
  return absl::OkStatus();
}

absl::Status TrustReader::ReadAuditors(Trust* trust) const {
  const toml::node* node = table_.get("auditors");
  if (node == nullptr) return absl::OkStatus();
  const toml::array* list = node->as_array();
  if (list == nullptr || !trust->policy.has_value()) {
    return ErrorAt(node->source(), "auditors is a list of names of witnesses, and needs a policy");
  }
  for (const toml::node& item : *list) {
    const toml::value<std::string>* name = item.as_string();
    const std::vector<PolicyWitness>& known = trust->policy->witnesses;
    const bool found =
        name != nullptr && std::any_of(known.begin(), known.end(),
                                       [&](const auto& w) { return w.name == name->get(); });
    if (!found) return ErrorAt(item.source(), "this auditor is no witness of the policy");
    trust->auditors.push_back(name->get());
  }
  return absl::OkStatus();
}

absl::Status TrustReader::ReadTimestampCa(Trust* trust) const {
  CUSTODY_ASSIGN_OR_RETURN(std::optional<std::string> text, Text("timestamp_ca"));
  if (!text.has_value()) return absl::OkStatus();
  if (text->find('\n') == std::string::npos) {
    CUSTODY_ASSIGN_OR_RETURN(*text, read_file_(*text));
  }
  const absl::Status good = CheckTimestampAuthorities(*text);
  if (!good.ok()) {
    return ErrorAt(table_.get("timestamp_ca")->source(),
                   absl::StrFormat("timestamp_ca: %s", std::string(good.message())));
  }
  trust->timestamp_authorities_pem = *std::move(text);
  return absl::OkStatus();
}

absl::StatusOr<Trust> TrustReader::Read() {
  CUSTODY_RETURN_IF_ERROR(CheckKeys());
  Trust trust;
  CUSTODY_ASSIGN_OR_RETURN(trust.ledger, RequiredText("ledger"));
  CUSTODY_ASSIGN_OR_RETURN(const std::string hash, RequiredText("entry0_leaf_hash"));
  const absl::StatusOr<Digest> digest = Digest::FromHex(hash);
  if (!digest.ok()) {
    return ErrorAt(table_.get("entry0_leaf_hash")->source(),
                   "entry0_leaf_hash must be 64 hexadecimal digits");
  }
  trust.entry0_leaf_hash = *digest;
  CUSTODY_RETURN_IF_ERROR(ReadLogKeys(&trust));
  CUSTODY_RETURN_IF_ERROR(ReadRetiredLogKeys(&trust));
  CUSTODY_RETURN_IF_ERROR(ReadPolicy(&trust));
  CUSTODY_RETURN_IF_ERROR(ReadMaximumAge(&trust));
  CUSTODY_RETURN_IF_ERROR(ReadAuditors(&trust));
  CUSTODY_RETURN_IF_ERROR(ReadTimestampCa(&trust));
  return trust;
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(absl::StrFormat("%s cannot be read", path));
  }
  std::string bytes(kTrustBytesMax + 1, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(stream.gcount()));
  if (bytes.size() > kTrustBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has more than %d bytes", path, kTrustBytesMax));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<Trust> ParseTrust(std::string_view text, std::string_view file,
                                 const ReadFile& read_file) {
  if (text.size() > kTrustBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has %d bytes, at most %d", file, text.size(), kTrustBytesMax));
  }
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return absl::InvalidArgumentError(absl::StrFormat("%s:%d:%d: %s", file, at.line, at.column,
                                                      std::string(parsed.error().description())));
  }
  return TrustReader(file, parsed.table(), read_file).Read();
}

absl::StatusOr<Trust> ReadTrustFile(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return ParseTrust(text, path, [&](const std::string& name) {
    return ReadSmallFile(name.front() == '/' ? name : folder + name);
  });
}

absl::StatusOr<OpenedCheckpoint> OpenTrustedCheckpoint(std::string_view note, const Trust& trust) {
  std::vector<NoteVerifier> witnesses;
  if (trust.policy.has_value()) {
    for (const PolicyWitness& witness : trust.policy->witnesses) {
      witnesses.push_back(witness.verifier);
    }
  }
  return OpenCheckpointWithRetired(note, trust.ledger, trust.log_keys, trust.retired_log_keys,
                                   witnesses);
}

}  // namespace custody
