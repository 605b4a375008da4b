// Completion scripts, made from the parser itself, so that they never lag behind it.

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace custody {
namespace {

struct ShellOption {
  std::string shell;
};

// "path -> words": for each command the subcommands and options that may follow.
void CollectWords(const CLI::App& app, const std::string& path,
                  std::vector<std::pair<std::string, std::string>>* out) {
  std::vector<std::string> words;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name().empty()) continue;
    words.push_back(sub->get_name());
    CollectWords(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  out->emplace_back(path, absl::StrJoin(words, " "));
}

std::string BashScript(const CLI::App& app) {
  std::vector<std::pair<std::string, std::string>> words;
  CollectWords(app, "", &words);
  std::string script =
      "# Completion of custody for bash: source it, or put it into /etc/bash_completion.d\n"
      "_custody() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} path=\"\" word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case $word in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
      "  done\n"
      "  while :; do\n"
      "    case $path in\n";
  for (const auto& [path, list] : words) {
    script += absl::StrFormat(
        "      \"%s\") mapfile -t COMPREPLY < <(compgen -W \"%s\" -- \"$current\"); break ;;\n",
        path, list);
  }
  script +=
      "    esac\n"
      "    [ -n \"$path\" ] || break\n"
      "    case $path in *\" \"*) path=${path% *} ;; *) path=\"\" ;; esac\n"
      "  done\n"
      "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
      "}\n"
      "complete -o filenames -F _custody custody\n";
  return script;
}

absl::StatusOr<int> PrintCompletion(const CLI::App& app, Session& session,
                                    const ShellOption& option) {
  const std::string bash = BashScript(app);
  if (option.shell == "bash") {
    session.terminal().Line(bash);
  } else if (option.shell == "zsh") {
    session.terminal().Line("#compdef custody\nautoload -U +X bashcompinit && bashcompinit\n" +
                            bash);
  } else {
    return absl::InvalidArgumentError(
        absl::StrFormat("there is completion for bash and zsh, not '%s'", option.shell));
  }
  return kExitOk;
}

}  // namespace

void AddCompletionCommand(Commands* commands) {
  const CLI::App* app = &commands->app;
  commands->Add<ShellOption>(
      &commands->app, "completion", "Print a completion script",
      [](CLI::App* command, ShellOption* option) {
        command->add_option("shell", option->shell, "bash or zsh")->required();
      },
      [app](Session& session, const ShellOption& option) {
        return PrintCompletion(*app, session, option);
      });
}

}  // namespace custody
