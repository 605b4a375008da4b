// What people see: data on stdout, talk on stderr, colour only on a terminal that wants it.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_TERMINAL_H_
#define CUSTODY_CLIENT_CLI_TERMINAL_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "custody/v1/reason.pb.h"
#include "google/protobuf/message.h"

namespace custody {

enum class Tone { kPlain, kGood, kWarn, kBad, kDim, kStrong };

class Terminal {
 public:
  // NO_COLOR, TERM=dumb and a pipe switch colour off.
  Terminal();

  void set_json(bool json) { json_ = json; }
  void set_quiet(bool quiet) { quiet_ = quiet; }
  void set_colour(bool colour) { colour_ = colour; }
  bool json() const { return json_; }

  // Data: one line on stdout.
  void Line(std::string_view text) const;
  // Talk: one line on stderr, unless quiet.
  void Note(std::string_view text) const;
  // A message as JSON on stdout; bytes as hexadecimal.
  void Json(const google::protobuf::Message& message) const;
  void JsonText(std::string_view json) const;
  // The same in one line, for answers that come one after the other.
  void JsonLine(const google::protobuf::Message& message) const;
  // JSON texts as one list.
  void JsonList(const std::vector<std::string>& items) const;
  // What was done: with --json an object of these on stdout, else nothing.
  void Fields(const std::vector<std::pair<std::string, std::string>>& fields) const;

  std::string Paint(Tone tone, std::string_view text) const;

  // A table with aligned columns on stdout; with --json a list of objects, whose keys are the
  // column titles in lower case (or one object, for the columns KEY and VALUE).
  void Table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows) const;

  // "error[E_HOLD]: ..." with every reason and its remedy, on stderr (and as JSON on stdout).
  void Error(const absl::Status& status) const;

 private:
  bool json_ = false;
  bool quiet_ = false;
  bool colour_ = false;
};

// Protobuf JSON with field names as in the .proto and bytes as hexadecimal.
// `indent` < 0: one line.
std::string MessageToJson(const google::protobuf::Message& message, int indent = 2);

// Columns of a text as a terminal shows it (UTF-8 code points).
std::size_t DisplayWidth(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_TERMINAL_H_
