#include "daemon/services/watch_stream.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "custody/v1/event.pb.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/site_scope.h"
#include "daemon/services/status_translation.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::string_view kMethod = "custody.v1.LedgerService.Watch";
// Entries looked at before another stream gets its turn.
constexpr std::uint64_t kStepEntriesMax = 256;
constexpr int kFiltersMax = 256;

absl::Status StoppingStatus() {
  return RefusalStatus(absl::StatusCode::kUnavailable, v1::REASON_CODE_E_STOPPING,
                       "the ledger is stopping",
                       "watch again from the index after the last one seen");
}

bool HasSubject(const v1::Event& event, const v1::WatchRequest& request) {
  if (request.subjects().empty()) return true;
  return std::any_of(event.subjects().begin(), event.subjects().end(), [&](const auto& subject) {
    return std::any_of(request.subjects().begin(), request.subjects().end(),
                       [&](const v1::SubjectRef& wanted) {
                         return wanted.kind() == subject.kind() && wanted.id() == subject.id();
                       });
  });
}

bool HasKind(const v1::Event& event, const v1::WatchRequest& request) {
  if (request.kinds().empty()) return true;
  return std::any_of(event.subjects().begin(), event.subjects().end(), [&](const auto& subject) {
    return std::find(request.kinds().begin(), request.kinds().end(), subject.kind()) !=
           request.kinds().end();
  });
}

bool HasCode(const v1::Event& event, const v1::WatchRequest& request) {
  if (request.codes().empty()) return true;
  const CatalogueEntry* row = FindCatalogueEntry(event);
  return row != nullptr && std::find(request.codes().begin(), request.codes().end(),
                                     row->row.code()) != request.codes().end();
}

class WatchReactor final : public grpc::ServerWriteReactor<v1::WatchResponse> {
 public:
  WatchReactor(const ServiceParts& parts, grpc::CallbackServerContext* context,
               const v1::WatchRequest& request)
      : parts_(parts),
        context_(context),
        request_(request),
        watcher_(parts.watch_hub.Register()),
        next_index_(request.from_index()) {
    if (const absl::Status valid = ValidateWatch(request_); !valid.ok()) {
      End(valid);
      return;
    }
    const absl::Status posted = parts_.pool.Post([this] { Step(); });
    if (!posted.ok()) End(posted);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) cancelled_ = true;
    parts_.pool.PostStep([this] { Step(); });
  }
  void OnCancel() override {
    cancelled_ = true;
    parts_.watch_hub.Wake(watcher_);
  }
  void OnDone() override {
    parts_.watch_hub.Release(watcher_);
    delete this;
  }

 private:
  // Exactly one of: a write, a wait, another step, the end.
  void Step() {
    if (cancelled_) return End(absl::CancelledError("the caller has gone"));
    if (parts_.watch_hub.closed()) return End(StoppingStatus());
    absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context_, kMethod);
    if (!principal.ok()) return End(principal.status());
    principal_ = *std::move(principal);
    const LedgerReader reader(parts_.ledger.Snapshot());
    const absl::StatusOr<bool> found = FindNext(reader);
    if (!found.ok()) return End(found.status());
    if (*found) return StartWrite(&response_);
    if (next_index_ < reader.size()) return parts_.pool.PostStep([this] { Step(); });
    parts_.watch_hub.Wait(watcher_, next_index_,
                          [this] { parts_.pool.PostStep([this] { Step(); }); });
  }

  // Moves next_index_ behind the next entry wanted, or behind what was looked at.
  absl::StatusOr<bool> FindNext(const LedgerReader& reader) {
    if (next_index_ >= reader.size()) return false;
    const std::uint64_t end = next_index_ + std::min(kStepEntriesMax, reader.size() - next_index_);
    bool found = false;
    CUSTODY_RETURN_IF_ERROR(
        reader.ReadEntries(next_index_, end, [&](std::uint64_t index, std::string_view entry) {
          next_index_ = index + 1;
          if (!PassesFilter(request_, entry) || !EntryVisible(*principal_, entry)) return true;
          response_.set_index(index);
          response_.set_entry(entry.data(), entry.size());
          found = true;
          return false;
        }));
    return found;
  }

  void End(const absl::Status& status) {
    parts_.observer.OnAnswer(kMethod, principal_.get(), status);
    Finish(ToGrpcStatus(status));
  }

  const ServiceParts& parts_;
  grpc::CallbackServerContext* const context_;
  const v1::WatchRequest request_;
  const std::uint64_t watcher_;
  std::uint64_t next_index_;
  PrincipalPtr principal_;
  v1::WatchResponse response_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace

bool PassesFilter(const v1::WatchRequest& request, std::string_view entry_bytes) {
  if (request.codes().empty() && request.subjects().empty() && request.kinds().empty()) return true;
  v1::Entry entry;
  v1::Event event;
  if (!entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size())) ||
      !entry.has_signed_event() || !event.ParseFromString(entry.signed_event().event())) {
    return false;
  }
  return HasCode(event, request) && HasSubject(event, request) && HasKind(event, request);
}

absl::Status ValidateWatch(const v1::WatchRequest& request) {
  const auto field_error = [](const std::string& message) {
    return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD, message,
                         "correct the filter");
  };
  for (const std::string& code : request.codes()) {
    const CatalogueEntry* row = FindCatalogueEntry(std::string_view(code));
    // A message name would be found too, but entries are compared by code.
    if (row == nullptr || row->row.code() != code) {
      return field_error(absl::StrFormat("the catalogue has no code \"%s\"", code.substr(0, 40)));
    }
  }
  const int filters = request.codes_size() + request.subjects_size() + request.kinds_size();
  if (filters > kFiltersMax) {
    return field_error(absl::StrFormat("%d filters, at most %d", filters, kFiltersMax));
  }
  return absl::OkStatus();
}

grpc::ServerWriteReactor<v1::WatchResponse>* StartWatch(const ServiceParts& parts,
                                                        grpc::CallbackServerContext* context,
                                                        const v1::WatchRequest& request) {
  return new WatchReactor(parts, context, request);
}

}  // namespace custody
