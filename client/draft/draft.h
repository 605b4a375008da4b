// Drafts: events as people and lab systems write them, in YAML or JSON.
//
//   event: TissueProcured            # message name or catalogue code
//   site: "@site/hospital"           # where
//   at: 2026-06-01T09:20:00+07:00    # when it happened; time_text.h has the forms; default: now
//   reason: {code: MIGRATION, text: "paper record of the day"}
//   devices: ["@device/scale-3"]
//   scans: [{raw: "=A99992500000100", subject_position: 0}]
//   sign: [nurse-a, "nurse-b as PROCUREMENT/WITNESSED"]
//   name: procurement-1              # later documents refer to its digest as
//   "@event/procurement-1" body:
//     donation_id: "@donation/d1"
//     tissue_type: WHARTONS_JELLY
//     mass_mg: 42000
//
// One file holds any number of documents, separated by "---". A document with the one key
// `defaults` gives the later documents of the file the keys that they leave out (site, at, reason).
// Values follow the type of the field: bytes are "@name", "@+name" (creates it), hexadecimal (or
// base64, when it is no hexadecimal), or
// "@name|text" (a series); enum values may leave out their prefix; decimals keep their digits
// ("90.0"); times and durations are text or milliseconds; a Document may be "@file:path"; a
// SubjectRef may be "donation:@donation/d1"; a Commitment may be "@commit:text", whose opening is
// handed to the caller. An unknown key is an error with file, line and column, and a suggestion.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_DRAFT_DRAFT_H_
#define CUSTODY_CLIENT_DRAFT_DRAFT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/draft/names.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/vocabulary.pb.h"

namespace YAML {
class Node;
}

namespace custody {

// Who shall sign a draft. Role and meaning, when absent, are those of the next open place of the
// event's signature sheet.
struct DraftSigner {
  std::string name;
  std::optional<v1::Role> role;
  std::optional<v1::Meaning> meaning;
};

// What a draft is read against.
struct DraftContext {
  NameBook* names = nullptr;
  // Meaning of "now".
  std::int64_t now_ms = 0;
  // Origin of the ledger, put into every event.
  std::string ledger;
  // Reads a file for "@file:" (relative paths are the caller's business); absent: not allowed.
  std::function<absl::StatusOr<std::string>(std::string_view path)> read_file;
  // Bytes behind "@scheme:word", for example the public key of "@key:nurse-a"; absent: not allowed.
  std::function<absl::StatusOr<std::string>(std::string_view scheme, std::string_view word)>
      resolve;
  // Openings of "@commit:" values made while reading.
  std::vector<v1::Opening> openings;
};

// One event of a file. `event` has its event_id, times, body and subjects; a decision without
// policy_hash has `policy_wanted` set: the caller puts the policy in force.
struct Draft {
  v1::Event event;
  std::vector<DraftSigner> signers;
  bool policy_wanted = false;
  // Empty, or what later documents call this event: once its bytes are final, the caller binds
  // their digest to "event/<name>" in the name book.
  std::string name;
  // "file:line" of the document.
  std::string source;
};

// Reads one document that has the key `event`. Other keys than those above are errors, unless
// `extra` names them. Errors: kInvalidArgument "file:line:column: what is wrong"; kNotFound for an
// unknown name.
absl::StatusOr<Draft> ReadDraft(const YAML::Node& node, std::string_view file,
                                DraftContext* context, const std::vector<std::string>& extra = {});

// The documents of a text, one after the other, so that a name is created when its document's turn
// comes and not before.
class DraftFile {
 public:
  // `context` must outlive it. Errors: kInvalidArgument if the text is no YAML or has no document.
  static absl::StatusOr<DraftFile> Open(std::string_view text, std::string_view file,
                                        DraftContext* context);
  ~DraftFile();
  DraftFile(DraftFile&&) noexcept;
  DraftFile& operator=(DraftFile&&) noexcept;

  bool done() const;
  // Line on which the next document begins, 1 and up.
  int next_line() const;
  // Passes over the next document.
  void Skip();
  // Reads the next document. Names that it created stay in the book even when it fails.
  absl::StatusOr<Draft> Next();

 private:
  struct Impl;
  explicit DraftFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reads all documents of a text, each with the key `event`.
absl::StatusOr<std::vector<Draft>> ReadDrafts(std::string_view text, std::string_view file,
                                              DraftContext* context);

// Fills any message of the ledger from a node, by the rules above (policies, verdict requests).
absl::Status FillMessage(const YAML::Node& node, std::string_view file, DraftContext* context,
                         google::protobuf::Message* message);

// "nurse-a as PROCUREMENT/WITNESSED", "nurse-a as NURSE" or "nurse-a".
absl::StatusOr<DraftSigner> ParseDraftSigner(std::string_view text);

// An enum value by its full name or without its prefix, in any case; nullptr if there is none.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor& type, std::string_view text);

// The values of an enum without their prefix, for messages: "NURSE, OPERATOR, ...".
std::string EnumWords(const google::protobuf::EnumDescriptor& type, std::string_view separator);

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_DRAFT_H_
