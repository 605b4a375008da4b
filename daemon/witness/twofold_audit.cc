#include "daemon/witness/twofold_audit.h"

#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/logging.h"

namespace custody {
namespace {

ReplayOptions ReplayIn(const TwofoldAuditOptions& options, std::string_view name) {
  ReplayOptions replay;
  replay.folder = absl::StrFormat("%s/%s", options.folder, name);
  replay.ledger = options.ledger;
  replay.entry0_leaf_hash = options.entry0_leaf_hash;
  replay.hook = options.hook;
  return replay;
}

ReplayOptions SecondReplayIn(const TwofoldAuditOptions& options) {
  ReplayOptions replay = ReplayIn(options, "second");
  replay.begins_anew = true;
  return replay;
}

std::uint64_t EntryOf(const JudgedFalse& found, const SignedCheckpoint& target) {
  return found.entry.value_or(target.checkpoint.size - 1);
}

}  // namespace

TwofoldAudit::TwofoldAudit(TwofoldAuditOptions options)
    : options_(std::move(options)),
      first_(ReplayIn(options_, "replay")),
      second_(SecondReplayIn(options_)) {}

absl::Status TwofoldAudit::Open() {
  CUSTODY_RETURN_IF_ERROR(second_.Remove());
  return first_.Open();
}

void TwofoldAudit::RemoveSecond() { second_.Remove().IgnoreError(); }

absl::Status TwofoldAudit::AuditTo(Client& client, const SignedCheckpoint& target,
                                   const ReadObserver& observe, const std::stop_token& stop) {
  if (suspicion_.has_value()) return JudgeAgain(client, observe, stop);
  const auto read = [&](std::uint64_t index, std::string_view) { observe(index + 1); };
  absl::Status result = first_.AuditTo(client, target.checkpoint, read, stop);
  return first_.caught().has_value() ? Suspect(target) : result;
}

// The bytes first: whatever comes next, they can be looked at.
absl::Status TwofoldAudit::Suspect(const SignedCheckpoint& target) {
  suspicion_ = {.first = *first_.caught(), .target = target};
  first_.Close();
  const JudgedFalse& found = suspicion_->first;
  const absl::Status kept = KeepEntry(options_.folder, EntryOf(found, target), found.entry_bytes);
  if (!kept.ok()) {
    Log(LogLevel::kWarning, "the entry that the audit has found false is not kept",
        {{"cause", std::string(StdView(kept.message()))}});
  }
  if (options_.hook) options_.hook(AuditStep::kSuspected);
  return absl::DataLossError(
      absl::StrFormat("%s; it is judged a second time, made anew", found.finding));
}

absl::Status TwofoldAudit::JudgeAgain(Client& client, const ReadObserver& observe,
                                      const std::stop_token& stop) {
  const JudgedFalse& found = suspicion_->first;
  const auto read = [&](std::uint64_t index, std::string_view entry) {
    if (index == found.entry) suspicion_->has_same_bytes = entry == found.entry_bytes;
    observe(index + 1);
  };
  absl::Status again = second_.AuditTo(client, suspicion_->target.checkpoint, read, stop);
  if (second_.caught().has_value()) return again;
  if (again.ok()) return DropSuspicion();
  return absl::Status(again.code(), absl::StrFormat("%s; it cannot be judged a second time: %s",
                                                    found.finding, StdView(again.message())));
}

absl::Status TwofoldAudit::DropSuspicion() {
  ++unrepeated_;
  Log(LogLevel::kWarning,
      suspicion_->has_same_bytes
          ? "what the audit had found false did not repeat: the memory or the disk of this machine "
            "is not to be trusted"
          : "what the audit had found false did not repeat: the ledger had handed out other bytes, "
            "or the memory or the disk of this machine is not to be trusted",
      {{"origin", options_.ledger}, {"finding", suspicion_->first.finding}});
  suspicion_.reset();
  return second_.TakePlaceOf(&first_);
}

std::optional<AuditFinding> TwofoldAudit::convicted() const {
  if (!suspicion_.has_value() || !second_.caught().has_value()) return std::nullopt;
  const JudgedFalse& found = *second_.caught();
  return AuditFinding{.entry = EntryOf(found, suspicion_->target),
                      .text = found.finding,
                      .first_text = suspicion_->first.finding,
                      .entry_bytes = found.entry_bytes,
                      .note = FormatNote(suspicion_->target.note)};
}

}  // namespace custody
