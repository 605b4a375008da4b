#include "client/cli/question.h"

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/time_text.h"
#include "custody/event_builder.h"

namespace custody {
namespace {

template <typename Enum>
absl::Status ReadEnum(const char* option, const google::protobuf::EnumDescriptor& type,
                      const std::string& text, Enum* out) {
  const auto* value = FindEnumValue(type, text);
  if (value == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s '%s' is none of %s", option, text, EnumWords(type, ", ")));
  }
  *out = static_cast<Enum>(value->number());
  return absl::OkStatus();
}

absl::Status ReadContainer(Session& session, const std::string& text,
                           v1::VerifyDoseRequest* request) {
  const bool named = text.starts_with("@") || text.starts_with("container:") || text.size() == 32;
  if (!named) {
    request->add_container_scans(text);
    return absl::OkStatus();
  }
  const std::string_view id = std::string_view(text).starts_with("container:")
                                  ? std::string_view(text).substr(10)
                                  : std::string_view(text);
  CUSTODY_ASSIGN_OR_RETURN(*request->mutable_request()->add_container_ids(), session.ResolveId(id));
  return absl::OkStatus();
}

}  // namespace

void BindQuestion(CLI::App* command, Question* question) {
  command->add_option("container", question->containers,
                      "Containers: a label scan, a canonical key, @name, or an id in hexadecimal");
  command->add_option("--stage", question->stage, "RESERVE, SHIP, RECEIVE, THAW or ADMINISTER")
      ->capture_default_str();
  command->add_option("--order", question->order,
                      "Order: @name, an id, or the scan of its chain of identity");
  command->add_option("--patient", question->patient,
                      "Token from the wristband: @name or hexadecimal");
  command->add_option("--route", question->route,
                      "INTRAVENOUS, INTRA_ARTICULAR, INTRATHECAL or LOCAL_OTHER");
  command->add_option("--duration", question->duration,
                      "Planned duration of the infusion, for example 30min");
  command->add_option("--site", question->site, "Site: @name or an id");
  command->add_option("--at", question->at, "Moment of the question (default: now)");
}

absl::StatusOr<v1::VerifyDoseRequest> BuildQuestion(Session& session, const Question& question) {
  v1::VerifyDoseRequest request;
  v1::VerdictRequest& asked = *request.mutable_request();
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  CUSTODY_RETURN_IF_ERROR(ReadEnum("--stage", *v1::Stage_descriptor(), question.stage, &stage));
  asked.set_stage(stage);
  for (const std::string& container : question.containers) {
    CUSTODY_RETURN_IF_ERROR(ReadContainer(session, container, &request));
  }
  if (!question.order.empty()) {
    if (question.order.starts_with("&") || question.order.starts_with("coi:")) {
      request.set_order_scan(question.order);
    } else {
      CUSTODY_ASSIGN_OR_RETURN(*asked.mutable_order_id(), session.ResolveId(question.order));
    }
  }
  if (!question.patient.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*asked.mutable_patient_token(), session.ResolveId(question.patient));
  }
  if (!question.site.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*asked.mutable_site_id(), session.ResolveId(question.site));
  }
  if (!question.route.empty()) {
    v1::Route route = v1::ROUTE_UNSPECIFIED;
    CUSTODY_RETURN_IF_ERROR(ReadEnum("--route", *v1::Route_descriptor(), question.route, &route));
    asked.set_route(route);
  }
  if (!question.duration.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const std::int64_t duration, ParseDurationText(question.duration));
    asked.set_planned_duration_ms(duration);
  }
  if (!question.at.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const TimeText time, ParseTimeText(question.at, NowMs()));
    asked.set_at_ms(time.utc_ms);
  }
  return request;
}

}  // namespace custody
