// What people see: data on stdout, talk on stderr, colour only on a terminal that wants it.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_CLI_TERMINAL_H_
#define CUSTODY_CLIENT_CLI_TERMINAL_H_

#include <string>
#include <string_view>
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

  std::string Paint(Tone tone, std::string_view text) const;

  // A table with aligned columns on stdout.
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
std::string MessageToJson(const google::protobuf::Message& message);

// Columns of a text as a terminal shows it (UTF-8 code points).
std::size_t DisplayWidth(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_TERMINAL_H_
