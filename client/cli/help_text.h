// What every --help ends with: an example of the command, and the exit codes.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_HELP_TEXT_H_
#define CUSTODY_CLIENT_CLI_HELP_TEXT_H_

#include <CLI/App.hpp>

namespace custody {

// Sets the footer of the program and of each command. A command without an example is a mistake of
// ours and stops the program in its first test.
void AddHelpTexts(CLI::App* app);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_HELP_TEXT_H_
