// Completion scripts, made from the parser itself, so that they never lag behind it.

#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "lifecycle/catalogue.h"

namespace custody {
namespace {

struct ShellOption {
  std::string shell;
};

struct Word {
  std::string text;
  std::string help;
};

// A command: what may follow it. The root has the path "".
struct Node {
  std::string path;
  std::vector<Word> commands;
  std::vector<Word> options;
};

// Words after an option, or at the place of an argument, that are no files: fixed ones, or ones
// that the script asks this program for.
struct Values {
  std::string after;
  std::string fixed;
  std::string asked;
};

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

void CollectOptions(const CLI::App& app, std::vector<Word>* out) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      out->push_back({"--" + name, FirstLine(option->get_description())});
    }
  }
  for (const CLI::App* group : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (group->get_name().empty()) CollectOptions(*group, out);
  }
}

void Collect(const CLI::App& app, const std::string& path, std::vector<Node>* out) {
  Node node;
  node.path = path;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name().empty()) continue;
    node.commands.push_back({command->get_name(), FirstLine(command->get_description())});
    Collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), out);
  }
  CollectOptions(app, &node.options);
  if (!path.empty()) {  // The options of the program may stand anywhere.
    std::vector<Word> global;
    const CLI::App* root = &app;
    while (root->get_parent() != nullptr) root = root->get_parent();
    CollectOptions(*root, &global);
    for (Word& word : global) {
      if (word.text != "--help" && word.text != "--version") node.options.push_back(word);
    }
  }
  out->push_back(std::move(node));
}

std::vector<Values> KnownValues() {
  std::vector<std::string> events;
  for (const CatalogueEntry& entry : Catalogue()) {
    if (!entry.row.system()) events.push_back(entry.name);
  }
  const std::string roles = EnumWords(*v1::Role_descriptor(), " ");
  return {{"--stage", EnumWords(*v1::Stage_descriptor(), " "), ""},
          {"--route", EnumWords(*v1::Route_descriptor(), " "), ""},
          {"--role", roles, ""},
          {"--permission", EnumWords(*v1::Permission_descriptor(), " "), ""},
          {"--device-type", EnumWords(*v1::DeviceType_descriptor(), " "), ""},
          {"--format", "draft yaml json textproto event", ""},
          {"--context", "", "contexts"},
          {"-c", "", "contexts"},
          {"--sign", "", "signers"},
          {"--as", "", "signers"},
          {"--signer", "", "signers"},
          {"event new", absl::StrJoin(events, " "), ""},
          {"context use", "", "contexts"},
          {"context remove", "", "contexts"},
          {"key show", "", "signers"},
          {"completion", "bash zsh", ""}};
}

std::string Texts(const std::vector<Word>& words) {
  std::vector<std::string> texts;
  texts.reserve(words.size());
  for (const Word& word : words) texts.push_back(word.text);
  return absl::StrJoin(texts, " ");
}

// The commands as a pattern that both shells read.
std::string PathCases(const std::vector<Node>& nodes) {
  std::vector<std::string> paths;
  for (const Node& node : nodes) {
    if (!node.path.empty()) paths.push_back("\"" + node.path + "\"");
  }
  return absl::StrJoin(paths, "|");
}

std::string ValueCases(const char* indent, bool of_options, const char* pattern) {
  std::string text;
  for (const Values& values : KnownValues()) {
    if (values.after.starts_with("-") != of_options) continue;
    const std::string words = values.asked.empty()
                                  ? values.fixed
                                  : "$(custody completion " + values.asked + " 2>/dev/null)";
    text += absl::StrFormat("%s\"%s\") %s\"%s\" ;;\n", indent, values.after, pattern, words);
  }
  return text;
}

std::string BashScript(const CLI::App& app) {
  std::vector<Node> nodes;
  Collect(app, "", &nodes);
  std::string script =
      "# Completion of custody for bash: source it, or put it into /etc/bash_completion.d\n"
      "_custody() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local where=\"\" word words=\"\" commands=\"\" options=\"\"\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"${where:+$where }$word\" in\n"
      "      " +
      PathCases(nodes) +
      ") where=\"${where:+$where }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case $where in\n";
  for (const Node& node : nodes) {
    script += absl::StrFormat("    \"%s\") commands=\"%s\"; options=\"%s\" ;;\n", node.path,
                              Texts(node.commands), Texts(node.options));
  }
  script += "  esac\n  case $previous in\n" + ValueCases("    ", true, "words=") +
            "  esac\n"
            "  if [ -z \"$words\" ]; then\n"
            "    case $current in\n"
            "      -*) words=$options ;;\n"
            "      *) words=$commands ;;\n"
            "    esac\n"
            "  fi\n"
            "  if [ -z \"$words\" ]; then\n"
            "    case $where in\n" +
            ValueCases("      ", false, "words=") +
            "    esac\n"
            "  fi\n"
            "  COMPREPLY=()\n"
            "  if [ -n \"$words\" ]; then\n"
            "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
            "  else\n"
            "    compopt -o filenames 2>/dev/null\n"
            "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
            "  fi\n"
            "}\n"
            "complete -F _custody custody";
  return script;
}

// A "word:help" of zsh's _describe inside single quotes.
std::string Described(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) {
    std::string help;
    for (const char c : word.help) {
      if (c == '\'') {
        help += "'\\''";
      } else {
        help += c;
      }
    }
    text += absl::StrFormat(" '%s:%s'", word.text, help);
  }
  return text;
}

std::string ZshScript(const CLI::App& app) {
  std::vector<Node> nodes;
  Collect(app, "", &nodes);
  std::string script =
      "#compdef custody\n"
      "# Completion of custody for zsh: put it as _custody into a folder of $fpath, or source it "
      "after compinit\n"
      "_custody() {\n"
      "  local current=$words[CURRENT] previous=$words[CURRENT-1] where=\"\" word values=\"\"\n"
      "  local -a commands options\n"
      "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
      "    case \"${where:+$where }$word\" in\n"
      "      (" +
      PathCases(nodes) +
      ") where=\"${where:+$where }$word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case $where in\n";
  for (const Node& node : nodes) {
    script += absl::StrFormat("    (\"%s\") commands=(%s ); options=(%s ) ;;\n", node.path,
                              Described(node.commands), Described(node.options));
  }
  script += "  esac\n  case $previous in\n" + ValueCases("    (", true, "values=") +
            "  esac\n"
            "  if [[ -z $values && $current != -* && $#commands -eq 0 ]]; then\n"
            "    case $where in\n" +
            ValueCases("      (", false, "values=") +
            "    esac\n"
            "  fi\n"
            "  if [[ -n $values ]]; then\n"
            "    compadd -- ${=values}\n"
            "  elif [[ $current == -* ]]; then\n"
            "    _describe -o option options\n"
            "  elif (( $#commands )); then\n"
            "    _describe command commands\n"
            "  else\n"
            "    _files\n"
            "  fi\n"
            "}\n"
            "if [[ $funcstack[1] == _custody ]]; then _custody \"$@\"; else compdef _custody "
            "custody; fi";
  return script;
}

// The words that a script asks for, one a line.
absl::StatusOr<int> PrintWords(Session& session, const std::string& what) {
  if (what == "contexts") {
    const std::string& folder = session.flags().config_folder;
    CUSTODY_ASSIGN_OR_RETURN(const ContextFile file,
                             LoadContexts(folder.empty() ? ConfigFolder() : folder));
    for (const auto& [name, context] : file.contexts) session.terminal().Line(name);
    return kExitOk;
  }
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  for (const SignerCard& card : keys->All()) session.terminal().Line(card.name);
  return kExitOk;
}

absl::StatusOr<int> PrintCompletion(const CLI::App& app, Session& session,
                                    const ShellOption& option) {
  if (option.shell == "bash") {
    session.terminal().Line(BashScript(app));
  } else if (option.shell == "zsh") {
    session.terminal().Line(ZshScript(app));
  } else if (option.shell == "contexts" || option.shell == "signers") {
    return PrintWords(session, option.shell);
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
        command
            ->add_option("shell", option->shell,
                         "bash or zsh (contexts, signers: words that the scripts ask for)")
            ->required();
      },
      [app](Session& session, const ShellOption& option) {
        return PrintCompletion(*app, session, option);
      });
}

}  // namespace custody
