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

absl::Status KeepFinding(const std::string& folder, const AuditFinding& finding) {
  CUSTODY_RETURN_IF_ERROR(MakeDirectory(EvidenceFolder(folder).string()));
  const std::string base = EvidenceBase(folder, finding.entry);
  if (!finding.entry_bytes.empty()) {
    CUSTODY_RETURN_IF_ERROR(ReplaceSmallFile(base + ".entry", finding.entry_bytes));
  }
  return ReplaceSmallFile(
      base + ".txt",
      absl::StrFormat("%s%s\n\nCheckpoint that was to be cosigned:\n\n%s\n"
                      "Entry as it was judged: %s\n"
                      "Receipt of the ledger:  %s\n",
                      std::string(kFinding), finding.text, FormatCheckpoint(finding.checkpoint),
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
