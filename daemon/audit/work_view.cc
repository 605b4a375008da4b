#include "daemon/audit/work_view.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

class WorkView final : public ReadView {
 public:
  explicit WorkView(std::unique_ptr<ReadView> inner) : inner_(std::move(inner)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    absl::StatusOr<std::optional<std::string>> value = inner_->Get(key);
    if (!value.ok()) return OfWorkFolder(value.status());
    return value;
  }
  absl::StatusOr<std::vector<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const override {
    auto values = inner_->MultiGet(keys);
    if (!values.ok()) return OfWorkFolder(values.status());
    return values;
  }
  absl::Status Scan(std::string_view begin, std::string_view end,
                    const Visitor& visit) const override {
    return OfWorkFolder(inner_->Scan(begin, end, visit));
  }
  absl::Status ScanReverse(std::string_view begin, std::string_view end,
                           const Visitor& visit) const override {
    return OfWorkFolder(inner_->ScanReverse(begin, end, visit));
  }

 private:
  std::unique_ptr<ReadView> inner_;
};

}  // namespace

absl::Status OfWorkFolder(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::UnavailableError(absl::StrFormat(
      "the work folder of the audit is damaged, remove it and begin anew: %s", status.message()));
}

absl::StatusOr<std::shared_ptr<const ReadView>> OpenWorkView(const Store& work) {
  absl::StatusOr<std::unique_ptr<ReadView>> view = work.OpenView();
  if (!view.ok()) return OfWorkFolder(view.status());
  return std::make_shared<const WorkView>(*std::move(view));
}

}  // namespace custody
