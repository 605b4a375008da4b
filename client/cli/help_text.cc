#include "client/cli/help_text.h"

#include <string>
#include <string_view>

#include "base/check.h"

namespace custody {
namespace {

struct Example {
  std::string_view command;
  std::string_view text;
};

constexpr Example kExamples[] = {
    {"context add",
     "custody context add lab --endpoint ledger.example:7443 --ca ca.crt --certificate lab.crt \\\n"
     "      --private-key lab.key --trust trust.toml --use"},
    {"context list", "custody context list --json"},
    {"context use", "custody context use lab"},
    {"context set", "custody context set endpoint 127.0.0.1:7443"},
    {"context remove", "custody context remove lab"},
    {"context show", "CUSTODY_CONTEXT=lab custody context show"},
    {"key new",
     "custody key new nurse-a --role NURSE --printed-name 'Ann Example'\n"
     "  custody key new tank-7 --device --unencrypted"},
    {"key list", "custody key list"},
    {"key show", "custody key show nurse-a"},
    {"key enrol",
     "custody key enrol nurse-a.json --site @site/clinic                    # prints a draft\n"
     "  custody key enrol nurse-a.json --site @site/clinic --sign administrator --sign quality\n"
     "  custody key enrol tank-7.json --device-type STORAGE --serial SN-7 --site @site/lab --sign "
     "administrator"},
    {"principal enrol",
     "custody principal enrol clinic.crt --label 'ward system, clinic' --site @site/clinic \\\n"
     "      --permission RECORD --permission VERIFY_DOSE --permission READ_SUBJECTS \\\n"
     "      --sign administrator --sign quality"},
    {"pki init", "custody pki init pki"},
    {"pki issue",
     "custody pki issue pki server --server --ip 127.0.0.1\n  custody pki issue pki lab"},
    {"name new", "custody name new donor/alma"},
    {"name list", "custody name list"},
    {"event new", "custody event new ThawStarted > thaw.yaml"},
    {"event draft", "custody event draft release.yaml -o release.event"},
    {"event sign", "custody event sign release.event --as quality -o quality.sig"},
    {"event record",
     "custody event record thaw.yaml --dry-run\n"
     "  custody event record release.event --signature quality.sig --sign release\n"
     "  my-lims --export | custody event record -"},
    {"event propose", "custody event propose release.yaml --sign quality"},
    {"event pending", "custody event pending"},
    {"event cosign", "custody event cosign 1d0b...90e3 --as release"},
    {"event list",
     "custody event list container:@vial/1\n"
     "  custody event list --code CLN-12 --since now-7d --site @site/clinic --json"},
    {"event show", "custody event show 42"},
    {"dose verify",
     "custody dose verify '=+03000=A99992600010100=<S1234VA0&>0283652359' --order @order/o1 \\\n"
     "      --patient @patient/p1 --route INTRAVENOUS --duration 30min --site @site/clinic"},
    {"trace back", "custody trace back container:@vial/1"},
    {"trace forward", "custody trace forward donor:@donor/mother --graphviz | dot -Tsvg > f.svg"},
    {"subject show", "custody subject show donation:@donation/cord"},
    {"subject find", "custody subject find isbt:fin=A9999"},
    {"subject cases", "custody subject cases"},
    {"subject clocks", "custody subject clocks"},
    {"export", "custody export container:@vial/1 --order @order/o1 -o vial.custody"},
    {"redact", "custody redact vial.custody -o for-a-partner.custody"},
    {"verify", "custody verify vial.custody --trust trust.toml"},
    {"timestamp query", "custody timestamp query year-end.checkpoint -o year-end.tsq"},
    {"timestamp check", "custody timestamp check year-end.checkpoint year-end.tsr"},
    {"timestamp attach", "custody timestamp attach vial.custody vial.tsr"},
    {"drill withhold", "custody drill withhold vial.custody --from 412 -o hidden.custody"},
    {"drill alter", "custody drill alter vial.custody -o altered.custody"},
    {"log status", "custody log status"},
    {"log checkpoint", "custody log checkpoint -o checkpoint.txt"},
    {"log backup", "custody log backup monday"},
    {"log scrub", "custody log scrub --from 0 --to 1000"},
    {"log export",
     "custody log export log-of-2026\n  custody log export /srv/custody-mirror --follow"},
    {"audit", "custody audit log-of-2026 --trust trust.toml --work audit-of-2026"},
    {"log receipt", "custody log receipt 42 -o 42.receipt"},
    {"log watch", "custody log watch --from 0 --json | jq .index"},
    {"completion",
     "custody completion bash > /etc/bash_completion.d/custody\n"
     "  custody completion zsh > \"${fpath[1]}/_custody\""},
};

constexpr char kFooter[] = R"(
Exit codes:
  0  done, recorded, verified, GO      custody event record thaw.yaml
  1  refused by the rules, NO-GO       custody dose verify @vial/3           (its lot is on hold)
  2  wrong command line or draft       custody dose verify                   (which container?)
  3  cannot be verified or reached,    custody log status                    (custodyd is down)
     or unknown to the ledger          custody subject show donor:0000...0000
  4  not permitted                     custody event record thaw.yaml        (at a site not yours)
  5  conflict                          custody event record other.yaml       (its event id is used)
  6  a proof is false                  custody verify altered.custody        (forged or forked)
  70 a fault of this program

Start:    custody context add NAME --endpoint HOST:PORT --trust trust.toml ...
Record:   custody event new ThawStarted > thaw.yaml; custody event record thaw.yaml
Ask:      custody dose verify '=+03000=...' --stage ADMINISTER --order @order/o1
Prove:    custody export container:@vial/1 -o vial.custody; custody verify vial.custody

With --json a question is answered by one JSON value; event record and log watch write one line
each. Errors are an object with error, message and refusal. Names, times and amounts that a draft
may hold: docs/recording.md.
)";

constexpr char kShortCodes[] =
    "\n\nExit codes: 0 done or GO, 1 refused or NO-GO, 2 wrong command line or draft, 3 cannot be\n"
    "verified or reached or is unknown, 4 not permitted, 5 conflict, 6 a proof is false, 70 a "
    "fault of\nthis program (custody --help has an example of each)\n";

void AddTo(CLI::App* app, const std::string& path) {
  const auto commands = app->get_subcommands([](CLI::App*) { return true; });
  for (CLI::App* command : commands) {
    if (command->get_name().empty()) continue;  // A group of options.
    AddTo(command, path.empty() ? command->get_name() : path + " " + command->get_name());
  }
  if (app->get_require_subcommand_min() > 0) {
    if (path.empty()) return;
    app->footer("\ncustody " + path + " COMMAND --help shows options and an example of each");
    return;
  }
  const Example* example = nullptr;
  for (const Example& candidate : kExamples) {
    if (candidate.command == path) example = &candidate;
  }
  CUSTODY_CHECK(example != nullptr);
  const std::string before = app->get_footer();
  app->footer((before.empty() ? "" : "\n" + before + "\n") + "\nExample:\n  " +
              std::string(example->text) + kShortCodes);
}

}  // namespace

void AddHelpTexts(CLI::App* app) {
  app->footer(kFooter);
  AddTo(app, "");
}

}  // namespace custody
