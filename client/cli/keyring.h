// The signers of this machine: a folder with one pair of files for each.
//
//   <name>.json   who: {"person_id"|"device_id": hex, "public_key": base64 SPKI, "key_id": hex,
//                 "algorithm", "roles": [...]}; no secret; this is what an administrator enrols
//   <name>.key    PKCS#8, encrypted with a passphrase (or, for machines, plain with mode 0600)
//
// The passphrase comes from --passphrase-file or $CUSTODY_PASSPHRASE_FILE (a file, or a folder with
// a file for each signer's name), else from the person's terminal, also when standard input is a
// pipe.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_KEYRING_H_
#define CUSTODY_CLIENT_CLI_KEYRING_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "custody/signer.h"
#include "custody/v1/vocabulary.pb.h"

namespace custody {

// What <name>.json says.
struct SignerCard {
  std::string name;
  // 16 bytes.
  std::string id;
  bool is_device = false;
  std::string public_key_spki;
  std::string key_id;
  std::string algorithm;
  // Roles that this signer usually signs in; a help for drafts, no authority.
  std::vector<v1::Role> roles;
  // SHA-256 commitment to the printed name and its salt, hexadecimal; empty when none was given.
  std::string printed_name_commitment;
};

class Keyring {
 public:
  Keyring(std::string folder, std::string passphrase_file)
      : folder_(std::move(folder)), passphrase_file_(std::move(passphrase_file)) {}

  // Makes a key and both files. Errors: kAlreadyExists; kUnavailable.
  struct NewSigner {
    std::string name;
    bool is_device = false;
    KeyAlgorithm algorithm = KeyAlgorithm::kEd25519;
    std::vector<v1::Role> roles;
    std::string printed_name;
    // The key stands unencrypted in its file: for machines that sign alone.
    bool unencrypted = false;
  };
  absl::StatusOr<SignerCard> Create(const NewSigner& wanted);

  // Errors: kNotFound with the nearest name.
  absl::StatusOr<SignerCard> Card(std::string_view name) const;
  // The card in a file, as somebody else sent it. Errors: kNotFound; kInvalidArgument.
  static absl::StatusOr<SignerCard> CardFile(const std::string& path);
  std::vector<SignerCard> All() const;

  // Opens the key; asks for the passphrase once and keeps the signer for this run.
  absl::StatusOr<const Signer*> Open(std::string_view name);

  const std::string& folder() const { return folder_; }

 private:
  absl::StatusOr<std::string> Passphrase(std::string_view name, bool twice) const;

  std::string folder_;
  std::string passphrase_file_;
  std::map<std::string, Signer, std::less<>> open_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_KEYRING_H_
