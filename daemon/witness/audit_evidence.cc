#include "daemon/witness/audit_evidence.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/files.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFinding = "Finding: ";

fs::path EvidenceFolder(std::string_view folder) { return fs::path(folder) / "evidence"; }

bool IsFinding(const fs::path& file) {
  return file.filename().string().starts_with("audit-") && file.extension() == ".txt";
}

// The first line, without what stands in front of it.
std::string FindingIn(const fs::path& file) {
  const absl::StatusOr<std::string> text = ReadSmallFile("finding", file.string());
  if (!text.ok() || !text->starts_with(kFinding)) {
    return absl::StrFormat("an earlier audit found the log false; %s cannot be read",
                           file.string());
  }
  return absl::StrFormat("%s (found by an earlier process: %s)",
                         text->substr(kFinding.size(), text->find('\n') - kFinding.size()),
                         file.string());
}

}  // namespace

std::string EvidenceBase(std::string_view folder, std::uint64_t entry) {
  return (EvidenceFolder(folder) / absl::StrFormat("audit-%d", entry)).string();
}

absl::Status KeepEntry(const std::string& folder, std::uint64_t entry, std::string_view bytes) {
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(EvidenceFolder(folder).string()));
  CUSTODY_RETURN_IF_ERROR(SyncFolderOf(EvidenceFolder(folder).string()));
  if (bytes.empty()) return absl::OkStatus();
  return ReplaceSmallFile(EvidenceBase(folder, entry) + ".entry", bytes);
}

absl::Status KeepFinding(const std::string& folder, const AuditFinding& finding) {
  CUSTODY_RETURN_IF_ERROR(KeepEntry(folder, finding.entry, finding.entry_bytes));
  const std::string base = EvidenceBase(folder, finding.entry);
  return ReplaceSmallFile(
      base + ".txt",
      absl::StrFormat(
          "%s%s\n\n"
          "Found twice, by a replay and by a second one that was made anew from entry 0; "
          "the first:\n%s\n\n"
          "Checkpoint that was to be cosigned:\n\n%s\n"
          "Entry as it was judged: %s\n"
          "Receipt of the ledger:  %s\n",
          std::string(kFinding), finding.text, finding.first_text,
          FormatCheckpoint(finding.checkpoint),
          finding.entry_bytes.empty() ? "none, it is the checkpoint" : base + ".entry",
          base + ".receipt, if the ledger handed one out"));
}

absl::StatusOr<std::optional<std::string>> EarlierFinding(const std::string& folder) {
  std::error_code error;
  const fs::path evidence = EvidenceFolder(folder);
  if (!fs::exists(evidence, error) && !error) return std::nullopt;
  fs::directory_iterator files(evidence, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (IsFinding(files->path())) return FindingIn(files->path());
  }
  if (!error) return std::nullopt;
  return absl::UnavailableError(
      absl::StrFormat("cannot read %s: %s", evidence.string(), error.message()));
}

}  // namespace custody
