#include "client/cli/keyring.h"

#include <termios.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "client/draft/draft.h"
#include "client/draft/names.h"
#include "crypto/random.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string TextOf(const Json& card, const char* key) {
  return card.contains(key) && card[key].is_string() ? card[key].get<std::string>() : "";
}

absl::StatusOr<SignerCard> ParseCard(std::string_view name, std::string_view text) {
  const Json card = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!card.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the card of signer '%s' is no JSON object", name));
  }
  SignerCard out;
  out.name = std::string(name);
  out.is_device = card.contains("device_id");
  CUSTODY_ASSIGN_OR_RETURN(out.id,
                           FromHex(TextOf(card, out.is_device ? "device_id" : "person_id")));
  CUSTODY_ASSIGN_OR_RETURN(out.public_key_spki, FromBase64(TextOf(card, "public_key")));
  CUSTODY_ASSIGN_OR_RETURN(out.key_id, FromHex(TextOf(card, "key_id")));
  if (out.id.size() != 16 || out.key_id != Sha256(out.public_key_spki).view()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the card of signer '%s' has no id of 16 bytes, or a key_id that is not the SHA-256 of its "
        "public_key",
        name));
  }
  out.algorithm = TextOf(card, "algorithm");
  out.printed_name_commitment = TextOf(card, "printed_name_commitment");
  for (const Json& role : card.value("roles", Json::array())) {
    if (!role.is_string()) continue;
    const auto* value = FindEnumValue(*v1::Role_descriptor(), role.get<std::string>());
    if (value != nullptr) out.roles.push_back(static_cast<v1::Role>(value->number()));
  }
  return out;
}

std::string CardJson(const SignerCard& card) {
  Json out;
  out[card.is_device ? "device_id" : "person_id"] = ToHex(card.id);
  out["public_key"] = ToBase64(card.public_key_spki);
  out["key_id"] = ToHex(card.key_id);
  out["algorithm"] = card.algorithm;
  Json roles = Json::array();
  for (const v1::Role role : card.roles) roles.push_back(EnumLabel(role));
  out["roles"] = roles;
  if (!card.printed_name_commitment.empty()) {
    out["printed_name_commitment"] = card.printed_name_commitment;
  }
  return out.dump(2) + "\n";
}

// The terminal of the person, whatever standard input is: a draft may come through a pipe.
class PersonsTerminal {
 public:
  PersonsTerminal() : stream_(std::fopen("/dev/tty", "r+e")) {}
  ~PersonsTerminal() {
    if (stream_ != nullptr) std::fclose(stream_);
  }
  PersonsTerminal(const PersonsTerminal&) = delete;
  PersonsTerminal& operator=(const PersonsTerminal&) = delete;

  bool is_open() const { return stream_ != nullptr; }

  // Reads a line without showing it.
  std::string AskSecret(const std::string& question) const {
    std::fprintf(stream_, "%s: ", question.c_str());
    std::fflush(stream_);
    const int descriptor = fileno(stream_);
    termios shown{};
    const bool hides = tcgetattr(descriptor, &shown) == 0;
    if (hides) {
      termios hidden = shown;
      hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
      tcsetattr(descriptor, TCSAFLUSH, &hidden);
    }
    std::string line;
    for (int c = std::fgetc(stream_); c != EOF && c != '\n'; c = std::fgetc(stream_)) {
      line += static_cast<char>(c);
    }
    if (hides) tcsetattr(descriptor, TCSAFLUSH, &shown);
    std::fflush(stream_);
    std::fputc('\n', stream_);
    return line;
  }

 private:
  std::FILE* stream_;
};

// A file, or in a folder the file of the signer's name.
std::string PassphrasePath(const std::string& path, std::string_view name) {
  std::error_code error;
  return fs::is_directory(path, error) ? absl::StrFormat("%s/%s", path, name) : path;
}

}  // namespace

absl::StatusOr<std::string> Keyring::Passphrase(std::string_view name, bool twice) const {
  std::string file = passphrase_file_;
  if (const char* variable = std::getenv("CUSTODY_PASSPHRASE_FILE");
      file.empty() && variable != nullptr) {
    file = variable;
  }
  if (!file.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, ReadFile(PassphrasePath(file, name)));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }
  const PersonsTerminal terminal;
  if (!terminal.is_open()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the key of '%s' needs a passphrase and there is no terminal to ask on; "
                        "use --passphrase-file or CUSTODY_PASSPHRASE_FILE",
                        name));
  }
  const std::string first = terminal.AskSecret(absl::StrFormat("Passphrase of %s", name));
  if (twice && terminal.AskSecret("The same again") != first) {
    return absl::InvalidArgumentError("the two passphrases differ; nothing was written");
  }
  return first;
}

absl::StatusOr<SignerCard> Keyring::Create(const NewSigner& wanted) {
  const std::string base = folder_ + "/" + wanted.name;
  if (fs::exists(base + ".json") || fs::exists(base + ".key")) {
    return absl::AlreadyExistsError(absl::StrFormat(
        "there is a signer '%s' in %s already; choose another name", wanted.name, folder_));
  }
  NameBook names;  // Checks the form of the name.
  CUSTODY_RETURN_IF_ERROR(names.Create(wanted.name).status());
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(wanted.algorithm));
  absl::StatusOr<std::string> pem;
  if (wanted.unencrypted) {
    pem = key.ToUnencryptedPem();
  } else {
    CUSTODY_ASSIGN_OR_RETURN(const std::string passphrase, Passphrase(wanted.name, /*twice=*/true));
    pem = key.ToEncryptedPem(passphrase);
  }
  CUSTODY_RETURN_IF_ERROR(pem.status());
  SignerCard card;
  card.name = wanted.name;
  card.id = RandomBytes(16);
  card.is_device = wanted.is_device;
  card.public_key_spki = std::string(key.verify_key().spki());
  card.key_id = std::string(key.verify_key().key_id().view());
  card.algorithm = wanted.algorithm == KeyAlgorithm::kEd25519 ? "ED25519" : "ECDSA_P256";
  card.roles = wanted.roles;
  if (!wanted.printed_name.empty()) {
    const std::string salt = RandomBytes(32);
    card.printed_name_commitment = ToHex(Sha256(salt + wanted.printed_name).view());
    const Json opening = {{"commitment", card.printed_name_commitment},
                          {"salt", ToHex(salt)},
                          {"value", wanted.printed_name}};
    CUSTODY_RETURN_IF_ERROR(
        WriteFileAtomically(base + ".name.json", opening.dump(2) + "\n", /*secret=*/true));
  }
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(base + ".key", *pem, /*secret=*/true));
  CUSTODY_RETURN_IF_ERROR(WriteFileAtomically(base + ".json", CardJson(card), /*secret=*/false));
  return card;
}

absl::StatusOr<SignerCard> Keyring::Card(std::string_view name) const {
  const absl::StatusOr<std::string> text = ReadFile(absl::StrFormat("%s/%s.json", folder_, name));
  if (text.ok()) return ParseCard(name, *text);
  std::vector<std::string> names;
  for (const SignerCard& card : All()) names.push_back(card.name);
  const std::string nearest = NearestWord(name, names);
  return absl::NotFoundError(
      absl::StrFormat("no signer '%s' in %s%s; make one with: custody key new %s", name, folder_,
                      nearest.empty() ? "" : " (did you mean '" + nearest + "'?)", name));
}

absl::StatusOr<SignerCard> Keyring::CardFile(const std::string& path) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::StatusOr<SignerCard> card = ParseCard(fs::path(path).stem().string(), text);
  if (!card.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %s", path, StdView(card.status().message())));
  }
  return card;
}

std::vector<SignerCard> Keyring::All() const {
  std::vector<SignerCard> cards;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".json") || file.ends_with(".name.json")) continue;
    const absl::StatusOr<std::string> text = ReadFile(entry.path().string());
    if (!text.ok()) continue;
    absl::StatusOr<SignerCard> card = ParseCard(file.substr(0, file.size() - 5), *text);
    if (card.ok()) cards.push_back(*std::move(card));
  }
  std::sort(cards.begin(), cards.end(),
            [](const SignerCard& a, const SignerCard& b) { return a.name < b.name; });
  return cards;
}

absl::StatusOr<const Signer*> Keyring::Open(std::string_view name) {
  if (const auto found = open_.find(name); found != open_.end()) return &found->second;
  CUSTODY_ASSIGN_OR_RETURN(const SignerCard card, Card(name));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem,
                           ReadFile(absl::StrFormat("%s/%s.key", folder_, name)));
  std::string passphrase;
  if (pem.find("ENCRYPTED") != std::string::npos) {
    CUSTODY_ASSIGN_OR_RETURN(passphrase, Passphrase(name, /*twice=*/false));
  }
  absl::StatusOr<Signer> signer = card.is_device ? Signer::ForDevice(card.id, pem, passphrase)
                                                 : Signer::ForPerson(card.id, pem, passphrase);
  if (absl::IsUnauthenticated(signer.status())) {
    return absl::UnauthenticatedError(absl::StrFormat(
        "the passphrase does not open %s/%s.key; nothing was signed", folder_, name));
  }
  CUSTODY_RETURN_IF_ERROR(signer.status());
  return &open_.emplace(std::string(name), *std::move(signer)).first->second;
}

}  // namespace custody
