#include "daemon/witness/witness.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "daemon/files.h"

namespace custody {
namespace {

HttpResponse Refuse(int status, std::string_view why) {
  return {status, "text/plain; charset=utf-8", absl::StrFormat("%s\n", why)};
}

absl::StatusOr<int> LockFolder(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0 && ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  if (file >= 0) ::close(file);
  return absl::UnavailableError(
      absl::StrFormat("%s cannot be locked: another witness runs on this folder, or it cannot be "
                      "written",
                      path));
}

}  // namespace

absl::StatusOr<std::map<std::string, std::vector<NoteVerifier>>> ParseLogKeys(
    const std::vector<std::string>& vkeys) {
  std::map<std::string, std::vector<NoteVerifier>> keys;
  for (const std::string& vkey : vkeys) {
    const absl::StatusOr<NoteVerifier> key = ParseVkey(vkey);
    if (!key.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("log key \"%s\": %s", vkey, StdView(key.status().message())));
    }
    if (key->type() != NoteKeyType::kEd25519) {
      return absl::InvalidArgumentError(
          absl::StrFormat("\"%s\" is the key of a witness, want that of a log", vkey));
    }
    for (const NoteVerifier& other : keys[key->name()]) {
      if (other.key_id() == key->key_id()) {
        return absl::InvalidArgumentError(absl::StrFormat("log key \"%s\" stands twice", vkey));
      }
    }
    keys[key->name()].push_back(*key);
  }
  if (keys.size() > kWitnessLogsMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%d logs, want at most %d", keys.size(), kWitnessLogsMax));
  }
  return keys;
}

absl::Status Witness::OpenLogs(const std::string& data_directory,
                               const std::vector<std::string>& log_vkeys) {
  CUSTODY_ASSIGN_OR_RETURN(auto keys, ParseLogKeys(log_vkeys));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(data_directory));
  CUSTODY_ASSIGN_OR_RETURN(lock_file_, LockFolder(data_directory));
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(data_directory + "/logs"));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(data_directory + "/logs"));
  for (auto& [origin, log_keys] : keys) {
    const std::string hash = OriginHash(origin);
    CUSTODY_ASSIGN_OR_RETURN(
        logs_[hash],
        WitnessedLog::Open(
            absl::StrFormat("%s/logs/%s", data_directory, hash), origin, std::move(log_keys),
            {.cosigner = cosigner_, .time = time_, .metrics = metrics_, .hook = hook_}));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Witness>> Witness::Open(const std::string& data_directory,
                                                       const NoteSigner& cosigner,
                                                       const std::vector<std::string>& log_vkeys,
                                                       WallSeconds wall, WitnessStepHook hook) {
  if (cosigner.verifier().type() != NoteKeyType::kCosignature) {
    return absl::InvalidArgumentError("the key of a witness is one for cosignatures");
  }
  std::unique_ptr<Witness> witness(new Witness(cosigner, std::move(wall), std::move(hook)));
  CUSTODY_RETURN_IF_ERROR(witness->OpenLogs(data_directory, log_vkeys));
  return witness;
}

Witness::~Witness() {
  if (lock_file_ >= 0) ::close(lock_file_);
}

HttpResponse Witness::Judge(const AddCheckpointRequest& request) {
  const absl::StatusOr<Note> note = ParseNote(request.checkpoint);
  if (!note.ok()) return Refuse(400, StdView(note.status().message()));
  const absl::StatusOr<Checkpoint> checkpoint = ParseCheckpointForm(note->text);
  if (!checkpoint.ok()) return Refuse(400, StdView(checkpoint.status().message()));
  const auto found = logs_.find(OriginHash(checkpoint->origin));
  if (found == logs_.end()) {
    return Refuse(404, "this witness does not watch a log of this origin");
  }
  WitnessedLog& log = *found->second;
  const absl::StatusOr<SignedCheckpoint> shown =
      OpenSignedCheckpoint(*note, *checkpoint, log.keys());
  if (!shown.ok()) return Refuse(403, StdView(shown.status().message()));
  HttpResponse response = log.Add(*shown, request.old_size, request.proof);
  if (response.status == 200 && second_opinion_) AddSecondOpinion(*shown, &response);
  return response;
}

void Witness::AddSecondOpinion(const SignedCheckpoint& shown, HttpResponse* response) const {
  const absl::StatusOr<std::vector<NoteSignature>> lines = ParseCosignatureLines(response->body);
  if (!lines.ok()) return;
  const auto verified =
      cosigner_.verifier().Verify(FormatCheckpoint(shown.checkpoint), lines->front().signature);
  if (!verified.ok()) return;
  const std::optional<NoteSignature> opinion = second_opinion_(shown, verified->timestamp_seconds);
  if (opinion.has_value()) response->body += FormatNoteSignatureLine(*opinion);
}

HttpResponse Witness::AddCheckpoint(std::string_view body) {
  const absl::StatusOr<AddCheckpointRequest> request = ParseAddCheckpoint(body);
  HttpResponse response =
      request.ok() ? Judge(*request) : Refuse(400, StdView(request.status().message()));
  metrics_.CountAnswer(response.status);
  return response;
}

HttpResponse Witness::GetCheckpoint(std::string_view origin_hash) const {
  const auto found = logs_.find(origin_hash);
  if (found == logs_.end()) {
    return Refuse(404, "this witness does not watch a log whose origin has this hash");
  }
  absl::StatusOr<std::string> note = found->second->CosignedCheckpoint();
  if (note.ok()) return {200, "text/plain; charset=utf-8", *std::move(note)};
  return Refuse(absl::IsNotFound(note.status()) ? 404 : 500, StdView(note.status().message()));
}

std::map<std::string, WitnessedLog::Progress> Witness::progress() const {
  std::map<std::string, WitnessedLog::Progress> progress;
  for (const auto& [hash, log] : logs_) progress.emplace(log->origin(), log->progress());
  return progress;
}

bool Witness::healthy() const {
  if (metrics_.forks != 0 || metrics_.false_proofs != 0) return false;
  for (const auto& [hash, log] : logs_) {
    if (log->progress().evidence_files != 0) return false;
  }
  return true;
}

}  // namespace custody
