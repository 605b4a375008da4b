#include "daemon/witness/audit_evidence.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "daemon/files.h"

namespace custody {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFinding = "Finding: ";

fs::path EvidenceFolder(std::string_view folder) { return fs::path(folder) / "evidence"; }

bool IsFinding(const fs::path& file) {
  return file.filename().string().starts_with("audit-") && file.extension() == ".txt";
}

std::string ChecksumLine(std::string_view text) {
  return absl::StrFormat("sha256 %s\n", Sha256(text).ToHex());
}

bool IsWhole(std::string_view text) {
  const std::size_t line = ChecksumLine("").size();
  if (text.size() < line) return false;
  const std::string_view before = text.substr(0, text.size() - line);
  return text.substr(before.size()) == ChecksumLine(before);
}

// Findings quote the log, which must not write lines of its own here.
std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// The first line, without what stands in front of it.
std::string FindingIn(const fs::path& file) {
  const absl::StatusOr<std::string> text = ReadSmallFile("finding", file.string());
  if (!text.ok() || !text->starts_with(kFinding)) {
    return absl::StrFormat("an earlier audit found the log false; %s cannot be read",
                           file.string());
  }
  return absl::StrFormat("%s (found by an earlier process: %s%s)",
                         text->substr(kFinding.size(), text->find('\n') - kFinding.size()),
                         file.string(), IsWhole(*text) ? "" : ", a file that is damaged");
}

std::string TextOf(const std::string& base, const AuditFinding& finding) {
  const bool has_entry = !finding.entry_bytes.empty();
  return absl::StrFormat(
      "%s%s\n\n"
      "Found twice, by a replay of the log and by a second one, made anew from entry 0. The "
      "first:\n"
      "%s\n\n"
      "Checkpoint that was to be cosigned, as the log has signed it:\n\n%s\n"
      "Entry as it was judged: %s\n"
      "Its leaf hash:          %s\n"
      "Receipt of the ledger:  %s.receipt, if the ledger handed one out\n\n",
      std::string(kFinding), OneLine(finding.text), OneLine(finding.first_text), finding.note,
      has_entry ? base + ".entry" : "none, it is the checkpoint",
      has_entry ? LeafHash(finding.entry_bytes).ToHex() : "none", base);
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
  const std::string base = EvidenceBase(folder, finding.entry);
  const std::string text = TextOf(base, finding);
  return ReplaceSmallFile(base + ".txt", text + ChecksumLine(text));
}

absl::StatusOr<std::optional<EarlierFinding>> FindEarlier(const std::string& folder) {
  std::error_code error;
  const fs::path evidence = EvidenceFolder(folder);
  if (!fs::exists(evidence, error) && !error) return std::nullopt;
  fs::directory_iterator files(evidence, error);
  for (; !error && files != fs::directory_iterator(); files.increment(error)) {
    if (!IsFinding(files->path())) continue;
    return EarlierFinding{files->path().string(), FindingIn(files->path())};
  }
  if (!error) return std::nullopt;
  return absl::UnavailableError(
      absl::StrFormat("cannot read %s: %s", evidence.string(), error.message()));
}

}  // namespace custody
