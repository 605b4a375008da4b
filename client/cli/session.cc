#include "client/cli/session.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "client/cli/policy_file.h"
#include "custody/event_builder.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"
#include "lifecycle/subject.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

absl::Status Missing(std::string_view what, std::string_view key) {
  return absl::InvalidArgumentError(
      absl::StrFormat("the context has no %s; set it with: custody context set %s ...", what, key));
}

// "@key:NAME", "@signer:NAME", "@key-id:NAME".
absl::StatusOr<std::string> ResolveKey(Keyring& keys, std::string_view scheme,
                                       std::string_view name) {
  CUSTODY_ASSIGN_OR_RETURN(const SignerCard card, keys.Card(name));
  if (scheme == "key") return card.public_key_spki;
  return scheme == "signer" ? card.id : card.key_id;
}

// The policy of the word "FILE" or "FILE|PRODUCT NAME".
absl::StatusOr<std::string> ReadPolicy(const fs::path& folder, std::string_view word,
                                       NameBook* names, std::int64_t now_ms) {
  const std::size_t bar = word.find('|');
  std::string product;
  if (bar != std::string_view::npos) {
    CUSTODY_ASSIGN_OR_RETURN(product, names->Find(word.substr(bar + 1)));
  }
  return ReadPolicyFile((folder / word.substr(0, bar)).string(), product, names, now_ms);
}

// "@policy:", "@policy-id:", "@policy-hash:".
std::string ResolvePolicy(std::string_view scheme, const std::string& policy) {
  if (scheme == "policy") return policy;
  const Digest hash = PolicyHash(policy);
  return scheme == "policy-id" ? PolicyIdOf(hash) : std::string(hash.view());
}

}  // namespace

absl::StatusOr<const Context*> Session::context() {
  if (!context_) {
    const std::string folder = flags_.config_folder.empty() ? ConfigFolder() : flags_.config_folder;
    CUSTODY_ASSIGN_OR_RETURN(context_, ResolveContext(folder, flags_.context));
  }
  return &*context_;
}

absl::StatusOr<const Trust*> Session::trust() {
  if (!trust_) {
    CUSTODY_ASSIGN_OR_RETURN(const Context* context, this->context());
    if (context->trust.empty()) return Missing("trust.toml", "trust");
    CUSTODY_ASSIGN_OR_RETURN(trust_, ReadTrustFile(context->trust));
  }
  return &*trust_;
}

absl::StatusOr<Trust> Session::TrustFrom(const std::string& file) {
  if (!file.empty()) return ReadTrustFile(file);
  CUSTODY_ASSIGN_OR_RETURN(const Trust* configured, trust());
  return *configured;
}

absl::StatusOr<Client*> Session::client() {
  if (client_) return client_.get();
  CUSTODY_ASSIGN_OR_RETURN(const Context* context, this->context());
  if (context->endpoint.empty()) {
    return absl::InvalidArgumentError(
        "no endpoint: choose a context (custody context add, custody context use) or set "
        "CUSTODY_ENDPOINT");
  }
  ClientOptions options;
  options.endpoint = context->endpoint;
  options.ca_certificate_file = context->ca_certificate;
  options.certificate_file = context->certificate;
  options.private_key_file = context->private_key;
  options.server_name_override = context->server_name;
  options.insecure_loopback_only = context->insecure_loopback;
  options.checkpoint_file = context->checkpoint;
  options.deadline = std::chrono::seconds(flags_.timeout_s);
  if (!context->trust.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const Trust* trust, this->trust());
    options.ledger = trust->ledger;
    for (const NoteVerifier& key : trust->log_keys) options.log_keys.push_back(FormatVkey(key));
    for (const RetiredLogKey& old : trust->retired_log_keys) {
      options.retired_log_keys.push_back({FormatVkey(old.key), old.last_size});
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(client_, Client::Connect(options));
  return client_.get();
}

absl::StatusOr<NameBook*> Session::names() {
  if (!names_) {
    CUSTODY_ASSIGN_OR_RETURN(const Context* context, this->context());
    names_.emplace();
    if (fs::exists(context->names)) {
      CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(context->names));
      CUSTODY_ASSIGN_OR_RETURN(names_, NameBook::Parse(text));
    }
  }
  return &*names_;
}

absl::Status Session::SaveNames() {
  CUSTODY_ASSIGN_OR_RETURN(const Context* context, this->context());
  if (!names_) return absl::OkStatus();
  return WriteFileAtomically(context->names, names_->ToJson(), /*secret=*/false);
}

absl::StatusOr<Keyring*> Session::keyring() {
  if (!keyring_) {
    CUSTODY_ASSIGN_OR_RETURN(const Context* context, this->context());
    keyring_.emplace(context->keys, flags_.passphrase_file);
  }
  return &*keyring_;
}

absl::StatusOr<DraftContext> Session::MakeDraftContext(const std::string& file) {
  CUSTODY_ASSIGN_OR_RETURN(const Trust* trust, this->trust());
  DraftContext draft;
  CUSTODY_ASSIGN_OR_RETURN(draft.names, names());
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, keyring());
  draft.now_ms = NowMs();
  draft.ledger = trust->ledger;
  const fs::path folder = file == "-" ? fs::path(".") : fs::path(file).parent_path();
  draft.read_file = [folder](std::string_view path) { return ReadFile((folder / path).string()); };
  NameBook* names = draft.names;
  const std::int64_t now_ms = draft.now_ms;
  draft.resolve = [keys, folder, names, now_ms](
                      std::string_view scheme,
                      std::string_view word) -> absl::StatusOr<std::string> {
    if (scheme == "key" || scheme == "signer" || scheme == "key-id") {
      return ResolveKey(*keys, scheme, word);
    }
    if (scheme == "policy" || scheme == "policy-id" || scheme == "policy-hash") {
      CUSTODY_ASSIGN_OR_RETURN(const std::string policy, ReadPolicy(folder, word, names, now_ms));
      return ResolvePolicy(scheme, policy);
    }
    return absl::InvalidArgumentError(
        absl::StrFormat("'@%s:' is unknown; there are @key:, @key-id:, @signer:, @policy:, "
                        "@policy-id:, @policy-hash:",
                        scheme));
  };
  return draft;
}

absl::StatusOr<v1::SubjectRef> Session::ResolveSubject(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    const auto* kind = FindEnumValue(*v1::SubjectKind_descriptor(), text.substr(0, colon));
    if (kind != nullptr) {
      v1::SubjectRef subject;
      subject.set_kind(static_cast<v1::SubjectKind>(kind->number()));
      const std::string_view id = text.substr(colon + 1);
      if (id.starts_with("@")) {
        CUSTODY_ASSIGN_OR_RETURN(NameBook * book, names());
        CUSTODY_ASSIGN_OR_RETURN(*subject.mutable_id(), book->Find(id.substr(1)));
      } else if (subject.kind() == v1::SUBJECT_KIND_IDENTIFIER) {
        subject.set_id(std::string(id));
      } else {
        CUSTODY_ASSIGN_OR_RETURN(*subject.mutable_id(), ResolveId(id));
      }
      return subject;
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(Client * client, this->client());
  v1::FindSubjectRequest request;
  if (const std::size_t equals = text.find('='); equals != std::string_view::npos && equals > 0 &&
                                                 text.front() != '=' && text.front() != '&') {
    request.mutable_external()->set_scheme(std::string(text.substr(0, equals)));
    request.mutable_external()->set_value(std::string(text.substr(equals + 1)));
  } else {
    request.set_scan(std::string(text));
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::FindSubjectResponse found, client->FindSubject(request));
  if (found.subjects().empty()) {
    return RefusalStatus(
        absl::StatusCode::kNotFound, v1::REASON_CODE_E_UNKNOWN_SUBJECT,
        absl::StrFormat("nothing in the ledger has the label or number '%s'", text),
        "scan the label again; name a subject that has no label as kind:@name or kind:hex");
  }
  return found.subjects(0);
}

absl::StatusOr<std::string> Session::ResolveId(std::string_view text) {
  if (text.starts_with("@")) {
    CUSTODY_ASSIGN_OR_RETURN(NameBook * book, names());
    return book->Find(text.substr(1));
  }
  absl::StatusOr<std::string> id = FromHex(text);
  if (!id.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("'%s' is neither a name (@name) nor hexadecimal", text));
  }
  return id;
}

absl::StatusOr<std::string> Session::ResolveSigner(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, keyring());
  const absl::StatusOr<SignerCard> card = keys->Card(text);
  if (card.ok()) return card->id;
  absl::StatusOr<std::string> id = ResolveId(text);
  return id.ok() ? id : card.status();
}

std::string Session::NameOf(const v1::SubjectRef& subject) {
  if (subject.kind() == v1::SUBJECT_KIND_IDENTIFIER) return subject.id();
  const absl::StatusOr<NameBook*> book = names();
  const std::string name = book.ok() ? (*book)->NameOf(subject.id()) : "";
  if (!name.empty()) return name;
  if (const absl::StatusOr<Keyring*> keys = keyring(); keys.ok()) {
    for (const SignerCard& card : (*keys)->All()) {
      if (card.id == subject.id()) return card.name;
    }
  }
  return std::string(KindName(subject.kind())) + ":" + ToHex(subject.id());
}

}  // namespace custody
