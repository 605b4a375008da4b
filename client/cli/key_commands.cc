#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

struct NewOptions {
  std::string name;
  std::vector<std::string> roles;
  std::string printed_name;
  bool device = false;
  bool p256 = false;
  bool unencrypted = false;
};

struct ShowOptions {
  std::string name;
};

struct NoOptions {};

std::string RolesText(const SignerCard& card) {
  std::vector<std::string> roles;
  for (const v1::Role role : card.roles) roles.push_back(EnumLabel(role));
  return absl::StrJoin(roles, ",");
}

absl::StatusOr<int> NewKey(Session& session, const NewOptions& options) {
  Keyring::NewSigner wanted;
  wanted.name = options.name;
  wanted.is_device = options.device;
  wanted.algorithm = options.p256 ? KeyAlgorithm::kEcdsaP256 : KeyAlgorithm::kEd25519;
  wanted.printed_name = options.printed_name;
  wanted.unencrypted = options.unencrypted;
  for (const std::string& text : options.roles) {
    CUSTODY_ASSIGN_OR_RETURN(const DraftSigner as, ParseDraftSigner("x as " + text));
    wanted.roles.push_back(*as.role);
  }
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  CUSTODY_ASSIGN_OR_RETURN(const SignerCard card, keys->Create(wanted));
  session.terminal().Note(
      absl::StrFormat("%s/%s.json goes to the administrator who enrols it; %s.key stays here",
                      keys->folder(), options.name, options.name));
  session.terminal().Fields(
      {{"kind", card.is_device ? "device" : "person"},
       {"id", ToHex(card.id)},
       {"key_id", ToHex(card.key_id)},
       {"card", absl::StrFormat("%s/%s.json", keys->folder(), options.name)}});
  if (session.terminal().json()) return kExitOk;
  session.terminal().Line(absl::StrFormat("%s %s key %s", card.is_device ? "device" : "person",
                                          ToHex(card.id), ToHex(card.key_id)));
  return kExitOk;
}

absl::StatusOr<int> ListKeys(Session& session, const NoOptions&) {
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  std::vector<std::vector<std::string>> rows;
  for (const SignerCard& card : keys->All()) {
    rows.push_back({card.name, card.is_device ? "device" : "person", ToHex(card.id), card.algorithm,
                    RolesText(card)});
  }
  session.terminal().Table({"NAME", "KIND", "ID", "ALGORITHM", "ROLES"}, rows);
  return kExitOk;
}

absl::StatusOr<int> ShowKey(Session& session, const ShowOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  CUSTODY_ASSIGN_OR_RETURN(const SignerCard card, keys->Card(options.name));
  session.terminal().Table({"KEY", "VALUE"},
                           {{"name", card.name},
                            {"kind", card.is_device ? "device" : "person"},
                            {"id", ToHex(card.id)},
                            {"key_id", ToHex(card.key_id)},
                            {"algorithm", card.algorithm},
                            {"public_key", ToBase64(card.public_key_spki)},
                            {"roles", RolesText(card)},
                            {"printed_name_commitment", card.printed_name_commitment}});
  return kExitOk;
}

}  // namespace

void AddKeyCommands(Commands* commands) {
  CLI::App* key =
      commands->app.add_subcommand("key", "Signing keys of persons and devices, and enrolment");
  key->require_subcommand(1);
  commands->Add<NewOptions>(
      key, "new", "Make a key; its public half is enrolled with: custody key enrol",
      [](CLI::App* command, NewOptions* options) {
        command->add_option("name", options->name, "Name on this machine, for example nurse-a")
            ->required();
        command
            ->add_option("--role", options->roles,
                         "Role that it usually signs in (a help for drafts); may be repeated")
            ->allow_extra_args(false);
        command->add_option(
            "--printed-name", options->printed_name,
            "Printed name of the person; only a salted commitment leaves this machine");
        command->add_flag("--device", options->device, "For a device or service account");
        command->add_flag("--p256", options->p256, "ECDSA P-256 instead of Ed25519");
        command->add_flag("--unencrypted", options->unencrypted,
                          "Without passphrase, mode 0600: for machines that sign alone");
      },
      NewKey);
  commands->Add<NoOptions>(
      key, "list", "List the signers of this machine", [](CLI::App*, NoOptions*) {}, ListKeys);
  commands->Add<ShowOptions>(
      key, "show", "Show what an administrator needs to enrol a signer",
      [](CLI::App* command, ShowOptions* options) {
        command->add_option("name", options->name, "Name of the signer")->required();
      },
      ShowKey);
  AddEnrolCommand(commands, key);
}

}  // namespace custody
