// C2SP signed notes: parsing, verifier keys, Ed25519 signatures and timestamped cosignatures.
//
// A note has one spelling: what ParseNote() accepts, FormatNote() writes back byte for byte.
//
// Threads: values and pure functions.
// Format:  text, an empty line, then lines "— <name> <base64(key id u32be || signature)>".
// Limits:  64 KiB a note, 100 signature lines, names up to 255 bytes.

#ifndef CUSTODY_CRYPTO_NOTE_H_
#define CUSTODY_CRYPTO_NOTE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/keys.h"

namespace custody {

inline constexpr std::size_t kNoteBytesMax = 64U << 10;
inline constexpr std::size_t kNoteSignaturesMax = 100;
inline constexpr std::size_t kNoteNameBytesMax = 255;

struct NoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  std::string signature;  // What follows the key id; for a cosignature timestamp || signature.

  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
  std::string text;  // Ends in a newline; this is what is signed.
  std::vector<NoteSignature> signatures;
};

// Errors: kInvalidArgument if it is not a note in its one spelling: control bytes, invalid UTF-8,
// no separator, no signature, non-canonical base64, two lines with the same name and key id, or
// over a limit.
absl::StatusOr<Note> ParseNote(std::string_view bytes);

// The bytes of a note. Requires valid parts (they came from ParseNote() or NoteSigner).
std::string FormatNote(const Note& note);
// "— <name> <base64>\n", as witnesses answer.
std::string FormatNoteSignatureLine(const NoteSignature& signature);
// Errors: kInvalidArgument. `line` ends in a newline.
absl::StatusOr<NoteSignature> ParseNoteSignatureLine(std::string_view line);

enum class NoteKeyType : std::uint8_t {
  kEd25519 = 0x01,      // A log's signature over the text.
  kCosignature = 0x04,  // A witness's timestamped signature.
};

// The first four bytes of SHA-256(name || 0x0A || type || public key).
std::uint32_t NoteKeyId(std::string_view name, NoteKeyType type, std::string_view public_key);

// What a verified signature says beyond "valid".
struct VerifiedNoteSignature {
  std::string name;
  std::uint32_t key_id = 0;
  NoteKeyType type = NoteKeyType::kEd25519;
  std::uint64_t timestamp_seconds = 0;  // POSIX, 1..2^63-1; 0 for kEd25519, which has none.
};

// A public key that may sign notes under a name.
class NoteVerifier {
 public:
  // Errors: kInvalidArgument if the name is empty, too long, has white space, a control byte or a
  // '+', or the key is not Ed25519.
  static absl::StatusOr<NoteVerifier> Create(std::string_view name, NoteKeyType type,
                                             const VerifyKey& key);

  const std::string& name() const { return name_; }
  std::uint32_t key_id() const { return key_id_; }
  NoteKeyType type() const { return type_; }
  const VerifyKey& key() const { return key_; }

  // `signature` without its key id.
  // Errors: kUnauthenticated if it is not this key's signature over `text`, or a cosignature's time
  // is 0 or beyond 2^63-1; kInternal.
  absl::StatusOr<VerifiedNoteSignature> Verify(std::string_view text,
                                               std::string_view signature) const;

 private:
  NoteVerifier(std::string name, NoteKeyType type, VerifyKey key, std::uint32_t key_id)
      : name_(std::move(name)), type_(type), key_(std::move(key)), key_id_(key_id) {}

  std::string name_;
  NoteKeyType type_;
  VerifyKey key_;
  std::uint32_t key_id_;
};

// "<name>+<8 hex>+<base64(type || key)>".
// Errors: kInvalidArgument if malformed, of another type, or the key id does not belong to the key.
absl::StatusOr<NoteVerifier> ParseVkey(std::string_view vkey);
std::string FormatVkey(const NoteVerifier& verifier);

// A private key that signs notes under a name.
class NoteSigner {
 public:
  // Errors: as NoteVerifier::Create.
  static absl::StatusOr<NoteSigner> Create(std::string_view name, const SigningKey& key);
  static absl::StatusOr<NoteSigner> CreateCosigner(std::string_view name, const SigningKey& key);

  const NoteVerifier& verifier() const { return verifier_; }

  // A signature of type kEd25519. Errors: kFailedPrecondition for a cosigner; kInternal.
  absl::StatusOr<NoteSignature> Sign(std::string_view text) const;
  // A cosignature. Errors: kFailedPrecondition if this is no cosigner; kInvalidArgument if the time
  // is 0 or beyond 2^63-1; kInternal.
  absl::StatusOr<NoteSignature> Cosign(std::string_view text,
                                       std::uint64_t timestamp_seconds) const;

 private:
  NoteSigner(NoteVerifier verifier, SigningKey key)
      : verifier_(std::move(verifier)), key_(std::move(key)) {}
  NoteVerifier verifier_;
  SigningKey key_;
};

struct OpenedNote {
  std::string text;
  std::vector<VerifiedNoteSignature> verified;  // In the order of the note; at least one.
};

// Parses and verifies. Signatures of unknown (name, key id) are ignored; one of a known pair must
// be valid, or the whole note is rejected; at least one must be known.
// Errors: kInvalidArgument if malformed, or if two verifiers have the same name and key id;
//         kUnauthenticated; kInternal.
absl::StatusOr<OpenedNote> OpenNote(std::string_view bytes,
                                    std::span<const NoteVerifier> verifiers);
absl::StatusOr<OpenedNote> OpenNote(const Note& note, std::span<const NoteVerifier> verifiers);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_NOTE_H_
