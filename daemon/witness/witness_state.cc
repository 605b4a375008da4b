#include "daemon/witness/witness_state.h"

#include <charconv>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/files.h"

namespace custody {
namespace {

constexpr std::string_view kTimePrefix = "time ";
constexpr std::size_t kEvidenceFilesMax = 64;
constexpr std::size_t kNameDigits = 16;

absl::Status Damaged(const std::string& path, std::string_view why) {
  return absl::DataLossError(absl::StrFormat(
      "%s is damaged: %s. A witness that forgets what it has seen is none: restore the file from "
      "another disk of this machine, or retire this key and make a new one",
      path, why));
}

}  // namespace

absl::StatusOr<SignedCheckpoint> OpenSignedCheckpoint(const Note& note,
                                                      const Checkpoint& checkpoint,
                                                      std::span<const NoteVerifier> log_keys) {
  CUSTODY_ASSIGN_OR_RETURN(const OpenedNote opened, OpenNote(note, log_keys));
  SignedCheckpoint result{.checkpoint = checkpoint, .note = {.text = note.text, .signatures = {}}};
  for (const NoteSignature& signature : note.signatures) {
    for (const VerifiedNoteSignature& verified : opened.verified) {
      if (verified.name == signature.name && verified.key_id == signature.key_id) {
        result.note.signatures.push_back(signature);
      }
    }
  }
  return result;
}

absl::StatusOr<std::optional<WitnessState>> WitnessStateFile::Read(
    std::span<const NoteVerifier> log_keys) const {
  const std::string path = folder_ + "/state";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    if (error) return absl::UnavailableError(absl::StrFormat("%s: %s", path, error.message()));
    return std::optional<WitnessState>();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadSmallFile("the state", path));
  std::string_view rest = bytes;
  WitnessState state;
  const std::size_t end = rest.find('\n');
  if (!rest.starts_with(kTimePrefix) || end == std::string_view::npos) {
    return Damaged(path, "its first line is not \"time <seconds>\"");
  }
  const std::string_view digits = rest.substr(kTimePrefix.size(), end - kTimePrefix.size());
  const auto [stop, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), state.time_seconds);
  if (failed != std::errc() || stop != digits.data() + digits.size()) {
    return Damaged(path, "its time is no number");
  }
  rest.remove_prefix(end + 1);
  const absl::StatusOr<Note> note = ParseNote(rest);
  if (!note.ok()) return Damaged(path, StdView(note.status().message()));
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpointText(note->text);
  if (!checkpoint.ok()) return Damaged(path, StdView(checkpoint.status().message()));
  absl::StatusOr<SignedCheckpoint> opened = OpenSignedCheckpoint(*note, *checkpoint, log_keys);
  if (!opened.ok()) return Damaged(path, StdView(opened.status().message()));
  state.newest = *std::move(opened);
  return std::optional<WitnessState>(std::move(state));
}

absl::Status WitnessStateFile::Write(const WitnessState& state) const {
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(folder_));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(folder_));
  return ReplaceSmallFile(
      folder_ + "/state",
      absl::StrFormat("%s%d\n%s", kTimePrefix, state.time_seconds, FormatNote(state.newest.note)));
}

absl::StatusOr<std::string> WitnessStateFile::WriteEvidence(std::string_view finding,
                                                            const Note& kept,
                                                            const Note& shown) const {
  const std::string text = absl::StrFormat(
      "Two checkpoints, each signed by the log, that were not shown to belong to one log.\n\n"
      "Finding: %s\n\nKept by this witness:\n\n%s\nShown to it:\n\n%s",
      finding, FormatNote(kept), FormatNote(shown));
  const std::string path =
      absl::StrFormat("%s/evidence/%s.txt", folder_, Sha256(text).ToHex().substr(0, kNameDigits));
  std::error_code error;
  if (std::filesystem::exists(path, error)) return path;
  if (EvidenceCount() >= kEvidenceFilesMax) {
    return absl::ResourceExhaustedError(absl::StrFormat(
        "%s/evidence has %d files; nothing more is kept", folder_, kEvidenceFilesMax));
  }
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(folder_ + "/evidence"));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(folder_ + "/evidence"));
  CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(path, text));
  return path;
}

std::size_t WitnessStateFile::EvidenceCount() const {
  std::error_code error;
  std::size_t count = 0;
  std::filesystem::directory_iterator files(folder_ + "/evidence", error);
  if (error) return 0;
  for (const auto& file : files) count += file.path().extension() == ".txt" ? 1U : 0U;
  return count;
}

}  // namespace custody
