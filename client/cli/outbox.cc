#include "client/cli/outbox.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "custody/event_builder.h"

namespace custody {
namespace {

constexpr const char* kEnding = ".signed";

absl::StatusOr<std::filesystem::path> Folder(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const Context* context, session.context());
  return std::filesystem::path(context->names + ".unanswered");
}

}  // namespace

absl::StatusOr<std::string> KeepUnanswered(Session& session, const v1::SignedEvent& signed_event) {
  CUSTODY_ASSIGN_OR_RETURN(const std::filesystem::path folder, Folder(session));
  const std::string file = folder / (ToHex(EventDigest(signed_event.event())) + kEnding);
  CUSTODY_RETURN_IF_ERROR(
      WriteFileAtomically(file, signed_event.SerializeAsString(), /*secret=*/true));
  return file;
}

void ForgetUnanswered(const std::string& file) {
  std::error_code ignored;  // What stays is sent again, which changes nothing.
  std::filesystem::remove(file, ignored);
}

absl::StatusOr<std::vector<std::string>> ListUnanswered(Session& session) {
  CUSTODY_ASSIGN_OR_RETURN(const std::filesystem::path folder, Folder(session));
  std::vector<std::pair<std::filesystem::file_time_type, std::string>> found;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (file.path().extension() != kEnding) continue;
    found.emplace_back(file.last_write_time(error), file.path().string());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> files;
  files.reserve(found.size());
  for (auto& [kept, file] : found) files.push_back(std::move(file));
  return files;
}

absl::StatusOr<v1::SignedEvent> ReadUnanswered(const std::string& file) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file));
  v1::SignedEvent signed_event;
  if (!signed_event.ParseFromString(bytes) || signed_event.event().empty()) {
    return absl::InvalidArgumentError(file + " holds no signed event");
  }
  return signed_event;
}

}  // namespace custody
