#include "client/cli/log_export.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/cli/whole_log.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"

namespace custody {

absl::StatusOr<LogExport> LogExport::Open(Session& session, const std::string& folder) {
  CUSTODY_ASSIGN_OR_RETURN(LogDirectoryWriter writer, LogDirectoryWriter::Open(folder));
  if (writer.size() > 0) {
    session.terminal().Note(absl::StrFormat("going on behind %d entries", writer.size()));
  }
  return LogExport(session, folder, std::move(writer));
}

absl::Status LogExport::Kept(absl::Status written) {
  disk_failed_ = disk_failed_ || !written.ok();
  return written;
}

absl::StatusOr<std::optional<LogAdvance>> LogExport::Advance(const std::stop_token& stop) {
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session_->client());
  CallOptions call;
  call.stop = stop;
  CUSTODY_ASSIGN_OR_RETURN(const VerifiedCheckpoint newest, client->GetCheckpoint(call));
  CUSTODY_ASSIGN_OR_RETURN(const Note note, ParseNote(newest.note));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ParseCheckpointText(note.text));
  if (size() > checkpoint.size) {
    return absl::DataLossError(
        absl::StrFormat("%s has %d entries, the log has %d", folder_, size(), checkpoint.size));
  }
  if (published_ == checkpoint.size) return std::optional<LogAdvance>();
  // Those that an interrupted advance has fetched are new, too.
  const std::uint64_t before = published_ > 0 ? published_ : size();
  CUSTODY_RETURN_IF_ERROR(ReadWholeLog(
      *session_, size(), checkpoint.size,
      [this](std::uint64_t, std::string_view entry) { return Kept(writer_.Append(entry)); }, stop));
  CUSTODY_RETURN_IF_ERROR(Kept(writer_.Finish(checkpoint, newest.note)));
  published_ = checkpoint.size;
  return std::optional<LogAdvance>(
      {checkpoint.size, checkpoint.root.ToHex(), checkpoint.size - before});
}

}  // namespace custody
