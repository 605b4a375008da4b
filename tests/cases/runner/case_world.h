// The world in which a case plays: a ledger in memory with the real rules and real signatures, a
// clock, a book of names, and the people and devices who sign.
//
// There from the start: the signers `administrator`, `quality` (quality assurance) and `release`
// (release authority), each everywhere. The clock begins on 2026-01-05 at 00:00 UTC and goes
// forward only.
//
// Threads: one.

#ifndef CUSTODY_TESTS_CASES_RUNNER_CASE_WORLD_H_
#define CUSTODY_TESTS_CASES_RUNNER_CASE_WORLD_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/draft/draft.h"
#include "client/draft/names.h"
#include "tests/support/test_ledger.h"

namespace custody {

// Who can sign: a natural person with one of their keys, or a device.
struct CaseSigner {
  std::string id;
  std::vector<v1::Role> roles;
  std::size_t key = 0;
};

class CaseWorld {
 public:
  CaseWorld();

  TestLedger& ledger() { return ledger_; }
  NameBook& names() { return names_; }
  std::int64_t now_ms() const { return ledger_.now_ms(); }
  // Errors: kInvalidArgument if the moment lies before now.
  absl::Status MoveTo(std::int64_t moment_ms);

  // --- Signers. Names are those after `sign:` in a draft, and "person/<name>" or "device/<name>"
  // in the book of names.

  // Errors: kAlreadyExists.
  absl::Status AddPerson(const std::string& name, const std::vector<v1::RoleGrant>& grants,
                         std::int64_t key_until_ms);
  // Another account of a person: a key of its own under another name.
  absl::Status AddAccount(const std::string& name, const std::string& of);
  absl::Status AddDevice(const std::string& name, v1::DeviceType type, std::string_view site_id);
  // Errors: kNotFound, with a suggestion.
  absl::StatusOr<const CaseSigner*> FindSigner(std::string_view name) const;
  // The role and meaning of each signer: those that they state, else those of the next empty place
  // of the event's signature sheet. `signed_at_ms` 0: now. Errors: kInvalidArgument, kNotFound.
  absl::StatusOr<std::vector<SignAs>> SignersOf(const v1::Event& event,
                                                const std::vector<DraftSigner>& signers,
                                                std::int64_t signed_at_ms) const;

  // The id of the signer's key, 32 bytes. Errors: kNotFound for a device.
  absl::StatusOr<std::string> KeyIdOf(const CaseSigner& signer) const;

  // --- Events.

  // For reading drafts now.
  DraftContext MakeContext();
  // Puts the policy in force into a decision that names none.
  absl::Status FillPolicy(Draft* draft);
  // Records it. A refused act at the bedside leaves its AttemptDenied, as in the daemon. The error
  // is the refusal.
  absl::StatusOr<RecordedEntry> Record(const v1::Event& event, const std::vector<SignAs>& signers);
  // Entries by the names that drafts gave them.
  void Remember(const std::string& name, const RecordedEntry& entry);
  absl::StatusOr<const RecordedEntry*> FindEntry(const std::string& name) const;

  // --- For people: ids by their names.
  std::string NameIds(std::string text) const;
  std::string NameOf(std::string_view id) const;

 private:
  absl::Status AddSigner(const std::string& name, std::string_view kind, CaseSigner signer);

  TestLedger ledger_;
  NameBook names_;
  std::map<std::string, CaseSigner, std::less<>> signers_;
  std::map<std::string, RecordedEntry> entries_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_CASE_WORLD_H_
