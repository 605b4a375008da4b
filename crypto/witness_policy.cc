// C2SP tlog-policy. Grammar, one statement a line, words separated by spaces or tabs:
//
//   log <vkey> [url] | witness <name> <vkey> [url] | group <name> all|any|<k> <member>... |
//   quorum <name>|none
//
// '#' at the start of a line begins a comment.

#include "crypto/witness_policy.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

absl::Status CheckBytes(std::string_view text) {
  std::size_t line = 1;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte != 0x09 && byte != 0x0A && (byte < 0x20 || byte == 0x7F)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("line %d: byte 0x%02x is not allowed", line, byte));
    }
    line += byte == 0x0A ? 1U : 0U;
  }
  return absl::OkStatus();
}

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : line) {
    if (c != ' ' && c != '\t') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) {
    words.push_back(std::move(word));
  }
  return words;
}

class PolicyParser {
 public:
  absl::Status TakeLine(const std::vector<std::string>& words);
  absl::StatusOr<WitnessPolicy> Finish();

 private:
  absl::StatusOr<NoteVerifier> TakeKey(const std::string& vkey, NoteKeyType type);
  absl::Status TakeLog(const std::vector<std::string>& words);
  absl::Status TakeWitness(const std::vector<std::string>& words);
  absl::Status TakeGroup(const std::vector<std::string>& words);
  absl::Status TakeQuorum(const std::vector<std::string>& words);
  absl::Status DefineName(const std::string& name);
  static absl::StatusOr<std::size_t> Threshold(const std::string& word, std::size_t members);

  WitnessPolicy policy_;
  std::set<std::string> names_;
  std::set<std::string> used_members_;
  std::set<std::string> keys_;
  bool quorum_seen_ = false;
};

absl::StatusOr<NoteVerifier> PolicyParser::TakeKey(const std::string& vkey, NoteKeyType type) {
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier, ParseVkey(vkey));
  if (verifier.type() != type) {
    return absl::InvalidArgumentError(absl::StrFormat("%s is of the wrong type of key", vkey));
  }
  if (!keys_.insert(verifier.key().spki()).second) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: the same key stands twice", vkey));
  }
  return verifier;
}

absl::Status PolicyParser::DefineName(const std::string& name) {
  if (name == "none" || !names_.insert(name).second) {
    return absl::InvalidArgumentError(absl::StrFormat("the name %s is taken", name));
  }
  return absl::OkStatus();
}

absl::Status PolicyParser::TakeLog(const std::vector<std::string>& words) {
  if (words.size() < 2 || words.size() > 3) {
    return absl::InvalidArgumentError("want 'log <vkey> [url]'");
  }
  if (policy_.logs.size() == kPolicyLogsMax) {
    return absl::InvalidArgumentError(absl::StrFormat("more than %d logs", kPolicyLogsMax));
  }
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier, TakeKey(words[1], NoteKeyType::kEd25519));
  policy_.logs.push_back(std::move(verifier));
  return absl::OkStatus();
}

absl::Status PolicyParser::TakeWitness(const std::vector<std::string>& words) {
  if (words.size() < 3 || words.size() > 4) {
    return absl::InvalidArgumentError("want 'witness <name> <vkey> [url]'");
  }
  if (policy_.witnesses.size() == kPolicyWitnessesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("more than %d witnesses", kPolicyWitnessesMax));
  }
  CUSTODY_RETURN_IF_ERROR(DefineName(words[1]));
  CUSTODY_ASSIGN_OR_RETURN(NoteVerifier verifier, TakeKey(words[2], NoteKeyType::kCosignature));
  policy_.witnesses.push_back(
      {words[1], std::move(verifier), words.size() == 4 ? words[3] : std::string()});
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> PolicyParser::Threshold(const std::string& word, std::size_t members) {
  if (word == "all") {
    return members;
  }
  if (word == "any") {
    return std::size_t{1};
  }
  std::size_t value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9' || value > kPolicyMembersMax) {
      return absl::InvalidArgumentError(
          absl::StrFormat("'%s' is neither all, any nor a number", word));
    }
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  if (word.empty() || word.front() == '0' || value > members) {
    return absl::InvalidArgumentError(
        absl::StrFormat("threshold %s, want 1..%d (the members)", word, members));
  }
  return value;
}

absl::Status PolicyParser::TakeGroup(const std::vector<std::string>& words) {
  if (words.size() < 4 || words.size() > 3 + kPolicyMembersMax) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "want 'group <name> all|any|<k> <member>...' with at most %d members", kPolicyMembersMax));
  }
  if (policy_.groups.size() == kPolicyGroupsMax) {
    return absl::InvalidArgumentError(absl::StrFormat("more than %d groups", kPolicyGroupsMax));
  }
  PolicyGroup group{.name = words[1], .threshold = 0, .members = {}};
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (names_.count(words[i]) == 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s is not defined on an earlier line", words[i]));
    }
    if (!used_members_.insert(words[i]).second) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s is a member of two groups, or twice of one", words[i]));
    }
    group.members.push_back(words[i]);
  }
  CUSTODY_RETURN_IF_ERROR(DefineName(words[1]));
  CUSTODY_ASSIGN_OR_RETURN(group.threshold, Threshold(words[2], group.members.size()));
  policy_.groups.push_back(std::move(group));
  return absl::OkStatus();
}

absl::Status PolicyParser::TakeQuorum(const std::vector<std::string>& words) {
  if (words.size() != 2) {
    return absl::InvalidArgumentError("want 'quorum <name>|none'");
  }
  if (quorum_seen_) {
    return absl::InvalidArgumentError("a second quorum");
  }
  quorum_seen_ = true;
  if (words[1] == "none") {
    return absl::OkStatus();
  }
  if (names_.count(words[1]) == 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s is not defined on an earlier line", words[1]));
  }
  policy_.quorum = words[1];
  return absl::OkStatus();
}

absl::Status PolicyParser::TakeLine(const std::vector<std::string>& words) {
  if (words[0] == "log") {
    return TakeLog(words);
  }
  if (words[0] == "witness") {
    return TakeWitness(words);
  }
  if (words[0] == "group") {
    return TakeGroup(words);
  }
  if (words[0] == "quorum") {
    return TakeQuorum(words);
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("'%s' is none of log, witness, group, quorum", words[0]));
}

absl::StatusOr<WitnessPolicy> PolicyParser::Finish() {
  if (!quorum_seen_) {
    return absl::InvalidArgumentError("no quorum line");
  }
  return std::move(policy_);
}

std::optional<std::uint64_t> NewestCosignature(
    const PolicyWitness& witness, const std::vector<VerifiedNoteSignature>& cosignatures) {
  std::optional<std::uint64_t> newest;
  for (const VerifiedNoteSignature& signature : cosignatures) {
    if (signature.name == witness.verifier.name() &&
        signature.key_id == witness.verifier.key_id() &&
        signature.type == NoteKeyType::kCosignature) {
      // An absent time is less than every time.
      newest = std::max(newest, std::optional(signature.timestamp_seconds));
    }
  }
  return newest;
}

std::optional<std::uint64_t> TimeOf(const WitnessPolicy& policy, const std::string& name,
                                    const std::vector<VerifiedNoteSignature>& cosignatures);

// Of a group: the threshold-th newest of its members.
std::optional<std::uint64_t> TimeOfGroup(const WitnessPolicy& policy, const PolicyGroup& group,
                                         const std::vector<VerifiedNoteSignature>& cosignatures) {
  std::vector<std::uint64_t> times;
  for (const std::string& member : group.members) {
    if (const auto time = TimeOf(policy, member, cosignatures); time.has_value()) {
      times.push_back(*time);
    }
  }
  if (times.size() < group.threshold) {
    return std::nullopt;
  }
  std::sort(times.begin(), times.end(), std::greater<>());
  return times[group.threshold - 1];
}

// The time at which a named part stood. The members of a group stand on earlier lines than the
// group, so this ends.
std::optional<std::uint64_t> TimeOf(const WitnessPolicy& policy, const std::string& name,
                                    const std::vector<VerifiedNoteSignature>& cosignatures) {
  for (const PolicyWitness& witness : policy.witnesses) {
    if (witness.name == name) {
      return NewestCosignature(witness, cosignatures);
    }
  }
  for (const PolicyGroup& group : policy.groups) {
    if (group.name == name) {
      return TimeOfGroup(policy, group, cosignatures);
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<WitnessPolicy> ParseWitnessPolicy(std::string_view text) {
  if (text.size() > kPolicyBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the policy has %d bytes, at most %d", text.size(), kPolicyBytesMax));
  }
  CUSTODY_RETURN_IF_ERROR(CheckBytes(text));
  PolicyParser parser;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::vector<std::string> words = SplitWords(line);
    if (words.empty() || words[0].front() == '#') {
      continue;
    }
    if (const absl::Status status = parser.TakeLine(words); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("line %d: %s", number, std::string(status.message())));
    }
  }
  return parser.Finish();
}

std::optional<std::uint64_t> QuorumTime(const WitnessPolicy& policy,
                                        const std::vector<VerifiedNoteSignature>& cosignatures) {
  if (policy.quorum.empty()) {
    return 0;
  }
  return TimeOf(policy, policy.quorum, cosignatures);
}

}  // namespace custody
