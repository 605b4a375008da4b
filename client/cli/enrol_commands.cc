// Enrolment: from the public card of a signer, or the certificate of a client, to the governance
// event that lets it act. Without signers the event is printed as a draft, for people to read.

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/files.h"
#include "client/cli/recording.h"
#include "client/draft/document.h"
#include "client/draft/time_text.h"
#include "crypto/certificate.h"
#include "custody/event_builder.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

struct EnrolOptions {
  std::string card;
  std::vector<std::string> roles;
  std::vector<std::string> sites;
  std::string from = "now";
  std::string until;
  std::string printed_name;
  std::string identity_proof;
  std::string device_type;
  std::string serial;
  RecordOptions record;
};

struct PrincipalOptions {
  std::string certificate;
  std::string label;
  std::vector<std::string> permissions;
  std::vector<std::string> sites;
  RecordOptions record;
};

// "711626ad...   # site/lab" as a value and its comment: a draft is read on other machines, too.
struct SiteText {
  std::string id;
  std::string comment;
};

absl::StatusOr<std::vector<SiteText>> ResolveSites(Session& session,
                                                   const std::vector<std::string>& sites) {
  std::vector<SiteText> resolved;
  for (const std::string& site : sites) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string id, session.ResolveId(site));
    resolved.push_back({ToHex(id), site.starts_with("@") ? "   # " + site.substr(1) : ""});
  }
  return resolved;
}

// A text of a person inside a quoted YAML value.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted + "\"";
}

absl::StatusOr<std::string> Validity(const EnrolOptions& options, const char* from,
                                     const char* until) {
  std::string text = absl::StrFormat("%s: %s", from, Quoted(options.from));
  if (!options.until.empty()) text += absl::StrFormat(", %s: %s", until, Quoted(options.until));
  for (const std::string& moment : {options.from, options.until}) {
    if (!moment.empty()) CUSTODY_RETURN_IF_ERROR(ParseTimeText(moment, NowMs()).status());
  }
  return text;
}

absl::StatusOr<std::string> KeyLine(const EnrolOptions& options, const SignerCard& card) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string validity,
                           Validity(options, "not_before_ms", "not_after_ms"));
  return absl::StrFormat("    keys:\n    - {spki: %s, algorithm: %s, %s}\n",
                         ToHex(card.public_key_spki), card.algorithm, validity);
}

std::string SignLine(const std::vector<std::string>& signers) {
  if (signers.empty()) return "";
  std::vector<std::string> quoted;
  quoted.reserve(signers.size());
  for (const std::string& signer : signers) quoted.push_back(Quoted(signer));
  return "sign: [" + absl::StrJoin(quoted, ", ") + "]\n";
}

// The draft is read on other machines, so it holds the hash itself.
absl::StatusOr<std::string> IdentityProofLine(const EnrolOptions& options) {
  if (options.identity_proof.empty()) {
    return absl::InvalidArgumentError(
        "name the record of who checked this person's identity with --identity-proof FILE; only "
        "its hash leaves this machine");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string content, ReadFile(options.identity_proof));
  const v1::Document proof = DescribeDocument(options.identity_proof, content);
  return absl::StrFormat(
      "    identity_proof: {sha256: %s, media_type: %s, size_bytes: %d, document_number: %s}\n",
      ToHex(proof.sha256()), proof.media_type(), proof.size_bytes(),
      Quoted(proof.document_number()));
}

absl::StatusOr<std::string> PersonDraft(Session& session, const EnrolOptions& options,
                                        const SignerCard& card) {
  std::vector<std::string> roles = options.roles;
  for (const v1::Role role : card.roles) {
    if (options.roles.empty()) roles.push_back(EnumLabel(role));
  }
  if (roles.empty()) {
    return absl::InvalidArgumentError(
        "the card names no role; name one with --role, for example "
        "--role NURSE");
  }
  CUSTODY_ASSIGN_OR_RETURN(std::vector<SiteText> sites, ResolveSites(session, options.sites));
  if (sites.empty()) sites.emplace_back();
  CUSTODY_ASSIGN_OR_RETURN(const std::string validity,
                           Validity(options, "valid_from_ms", "valid_to_ms"));
  std::string text = "event: ActorEnrolled\n" + SignLine(options.record.signers);
  text +=
      absl::StrFormat("body:\n  person:\n    person_id: %s   # %s\n", ToHex(card.id), card.name);
  if (!options.printed_name.empty()) {
    text += "    printed_name: " + Quoted("@commit:" + options.printed_name) + "\n";
  } else if (!card.printed_name_commitment.empty()) {
    text += "    printed_name: {sha256: " + card.printed_name_commitment + "}\n";
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string proof, IdentityProofLine(options));
  text += proof + "    roles:\n";
  for (const std::string& role : roles) {
    CUSTODY_RETURN_IF_ERROR(ParseDraftSigner("x as " + role).status());
    for (const SiteText& site : sites) {
      text += absl::StrFormat("    - {role: %s, %s%s}%s\n", role,
                              site.id.empty() ? "" : "site_id: " + site.id + ", ", validity,
                              site.comment);
    }
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string key, KeyLine(options, card));
  return text + key;
}

absl::StatusOr<std::string> DeviceDraft(Session& session, const EnrolOptions& options,
                                        const SignerCard& card) {
  if (options.device_type.empty() || options.serial.empty() || options.sites.size() != 1) {
    return absl::InvalidArgumentError(
        "a device needs --device-type, --serial and one --site, for example --device-type LOGGER "
        "--serial SN-7 --site @site/lab");
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SiteText> sites, ResolveSites(session, options.sites));
  CUSTODY_ASSIGN_OR_RETURN(const std::string key, KeyLine(options, card));
  return "event: DeviceRegistered\n" + SignLine(options.record.signers) +
         absl::StrFormat(
             "body:\n  device:\n    device_id: %s   # %s\n    device_type: %s\n"
             "    serial: %s\n    site_id: %s%s\n",
             ToHex(card.id), card.name, options.device_type, Quoted(options.serial), sites[0].id,
             sites[0].comment) +
         key;
}

// Printed as a draft when nobody signs here, else recorded.
absl::StatusOr<int> PrintOrRecord(Session& session, const RecordOptions& options,
                                  const std::string& text) {
  if (options.signers.empty()) {
    session.terminal().Line(text.substr(0, text.size() - 1));
    session.terminal().Note(
        "a draft, not yet signed; record it with: custody event record FILE "
        "--sign ..., or name signers here with --sign");
    return kExitOk;
  }
  RecordOptions record = options;
  record.signers.clear();  // They stand in the text.
  return RecordDrafts(session, record, text, "-");
}

absl::StatusOr<int> Enrol(Session& session, const EnrolOptions& options) {
  absl::StatusOr<SignerCard> card;
  if (options.card.ends_with(".json")) {
    card = Keyring::CardFile(options.card);
  } else {
    CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
    card = keys->Card(options.card);
  }
  CUSTODY_RETURN_IF_ERROR(card.status());
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, card->is_device
                                                       ? DeviceDraft(session, options, *card)
                                                       : PersonDraft(session, options, *card));
  CUSTODY_ASSIGN_OR_RETURN(const int code, PrintOrRecord(session, options.record, text));
  if (code != kExitOk || options.record.dry_run || options.record.signers.empty()) return code;
  CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
  const std::string name = (card->is_device ? "device/" : "person/") + card->name;
  const absl::Status named = names->Define(name, card->id);
  session.terminal().Note(named.ok() ? "named @" + name
                                     : "not named: " + std::string(StdView(named.message())));
  CUSTODY_RETURN_IF_ERROR(session.SaveNames());
  return kExitOk;
}

absl::StatusOr<int> EnrolPrincipal(Session& session, const PrincipalOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadFile(options.certificate));
  const absl::StatusOr<Certificate> certificate = ParseCertificatePem(pem);
  if (!certificate.ok()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: %s", options.certificate, StdView(certificate.status().message())));
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SiteText> sites, ResolveSites(session, options.sites));
  std::string text = "event: PrincipalEnrolled\n" + SignLine(options.record.signers);
  text += absl::StrFormat(
      "body:\n  principal:\n    principal_id: %s\n    label: %s\n"
      "    certificate_spki_sha256: [%s]\n    permissions: [%s]\n",
      ToHex(NewSubjectId()), Quoted(options.label), ToHex(certificate->spki_sha256.view()),
      absl::StrJoin(options.permissions, ", "));
  if (!sites.empty()) text += "    site_ids:\n";
  for (const SiteText& site : sites) text += "    - " + site.id + site.comment + "\n";
  return PrintOrRecord(session, options.record, text);
}

void BindSigning(CLI::App* command, RecordOptions* record) {
  command
      ->add_option("--sign", record->signers,
                   "Local signer: record it; may be repeated. Without signers: print the draft")
      ->allow_extra_args(false);
  command->add_flag("--dry-run", record->dry_run, "Say what would happen; write nothing");
}

void BindEnrol(CLI::App* command, EnrolOptions* options) {
  command
      ->add_option("card", options->card,
                   "Card of the signer (NAME.json of custody key new), or a name of this machine")
      ->required();
  command
      ->add_option("--role", options->roles,
                   "Role to grant; may be repeated (default: those of the card)")
      ->allow_extra_args(false);
  command
      ->add_option("--site", options->sites,
                   "Site where the roles count: @name or hexadecimal; may be repeated (default: "
                   "every site, for governance and quality roles)")
      ->allow_extra_args(false);
  command->add_option("--from", options->from, "Begin of roles and key, for example now-900d")
      ->capture_default_str();
  command->add_option("--until", options->until,
                      "End of roles and key, for example now+365d (default: none)");
  command->add_option("--printed-name", options->printed_name,
                      "Printed name; only a salted commitment leaves this machine");
  command->add_option("--identity-proof", options->identity_proof,
                      "File of who checked the person's identity, and how; only its hash is "
                      "recorded (needed for a person)");
  command->add_option("--device-type", options->device_type,
                      EnumWords(*v1::DeviceType_descriptor(), ", "));
  command->add_option("--serial", options->serial, "Serial number of a device");
  BindSigning(command, &options->record);
}

}  // namespace

void AddEnrolCommand(Commands* commands, CLI::App* key) {
  commands->Add<EnrolOptions>(
      key, "enrol", "Let a signer act: draft or record its enrolment from its public card",
      BindEnrol, Enrol);
}

void AddPrincipalCommands(Commands* commands) {
  CLI::App* principal = commands->app.add_subcommand(
      "principal", "Clients that may connect: a lab system, a clinic, a regulator");
  principal->require_subcommand(1);
  commands->Add<PrincipalOptions>(
      principal, "enrol", "Let a client certificate connect: draft or record its enrolment",
      [](CLI::App* command, PrincipalOptions* options) {
        command->add_option("certificate", options->certificate, "Client certificate (PEM)")
            ->required();
        command
            ->add_option("--label", options->label,
                         "What it is, for example \"LIMS, site Bangkok\"; no person's name")
            ->required();
        command
            ->add_option("--permission", options->permissions,
                         EnumWords(*v1::Permission_descriptor(), ", ") + "; may be repeated")
            ->required()
            ->allow_extra_args(false);
        command
            ->add_option("--site", options->sites,
                         "Site for which it may record and read; may be repeated (default: all)")
            ->allow_extra_args(false);
        BindSigning(command, &options->record);
      },
      EnrolPrincipal);
}

}  // namespace custody
