// Which product an event is about.

#include <optional>

#include "base/status_macros.h"
#include "lifecycle/authority.h"

namespace custody {
namespace {

// The value of the body's own product_id field, if it has one.
std::string ProductInBody(const ParsedEvent& event) {
  const google::protobuf::Message& body =
      event.event.GetReflection()->GetMessage(event.event, event.catalogue->body_field);
  const auto* field = body.GetDescriptor()->FindFieldByName("product_id");
  if (field == nullptr || field->is_repeated() ||
      field->type() != google::protobuf::FieldDescriptor::TYPE_BYTES) {
    return "";
  }
  return body.GetReflection()->GetString(body, field);
}

absl::StatusOr<std::string> ProductOfSubject(const StateView& view, const SubjectKey& key) {
  if (key.kind == v1::SUBJECT_KIND_PRODUCT) return key.id;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view.Find(key));
  if (state == nullptr) return "";
  if (state->has_batch()) return state->batch().product_id();
  if (state->has_order()) return state->order().product_id();
  if (state->has_donation()) return state->donation().product_id();
  if (!state->has_container()) return "";
  const v1::ContainerState& container = state->container();
  if (!container.batch_id().empty()) {
    return ProductOfSubject(view, {v1::SUBJECT_KIND_BATCH, container.batch_id()});
  }
  if (!container.donation_id().empty()) {
    return ProductOfSubject(view, {v1::SUBJECT_KIND_DONATION, container.donation_id()});
  }
  return "";
}

}  // namespace

absl::StatusOr<std::string> ProductOf(const StateView& view, const ParsedEvent& event) {
  if (event.catalogue->is_governance()) return "";
  if (std::string stated = ProductInBody(event); !stated.empty()) return stated;
  for (const SubjectKey& key : event.subjects) {
    CUSTODY_ASSIGN_OR_RETURN(std::string product, ProductOfSubject(view, key));
    if (!product.empty()) return product;
  }
  return "";
}

}  // namespace custody
