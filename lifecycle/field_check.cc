#include "lifecycle/field_check.h"

#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "custody/v1/options.pb.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/scan.h"
#include "lifecycle/refusal.h"
#include "lifecycle/subject.h"
#include "lifecycle/time_range.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kTextBytesMax = 1'000;
constexpr std::size_t kNoteBytesMax = 16U << 10;
constexpr std::size_t kScanBytesMax = 512;
constexpr std::size_t kReasonCodeBytesMax = 64;
constexpr std::size_t kSchemeBytesMax = 64;
constexpr std::size_t kExternalValueBytesMax = 128;
constexpr int kScansMax = 64;
constexpr int kDevicesMax = 32;
constexpr int kAttachmentsMax = 32;
constexpr int kExpectedHeadsMax = 64;
constexpr std::uint32_t kPartsMax = 1'024;
constexpr std::int32_t kOffsetMinutesMax = 840;
constexpr std::uint32_t kDecimalsMax = 9;

absl::Status FieldError(std::string_view what) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD, what, "");
}

absl::Status CheckLength(std::string_view name, std::string_view bytes, std::size_t length) {
  if (bytes.empty() || bytes.size() == length) return absl::OkStatus();
  return FieldError(absl::StrFormat("%s has %d bytes, not %d", name, bytes.size(), length));
}

bool HasControlCharacter(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x7F || (byte < 0x20 && c != '\n' && c != '\t')) return true;
  }
  return false;
}

absl::Status CheckText(std::string_view name, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return FieldError(
        absl::StrFormat("%s has %d bytes, at most %d are allowed", name, text.size(), bytes_max));
  }
  if (HasControlCharacter(text)) {
    return FieldError(absl::StrFormat("%s holds a control character", name));
  }
  return absl::OkStatus();
}

// A UUID of version 7 (RFC 9562): 48 bits of time, version, variant.
absl::Status CheckEventId(std::string_view id) {
  if (id.size() == kIdBytes && (static_cast<unsigned char>(id[6]) >> 4U) == 7 &&
      (static_cast<unsigned char>(id[8]) >> 6U) == 2) {
    return absl::OkStatus();
  }
  return FieldError("event_id is not a UUID of version 7");
}

absl::Status CheckTime(const v1::Event& event) {
  const v1::OccurredAt& time = event.occurred_at();
  if (!event.has_occurred_at() || time.utc_ms() <= 0) return FieldError("occurred_at is missing");
  if (!IsTimeInRange(time.utc_ms())) return FieldError("occurred_at is beyond the year 9999");
  if (time.source() == v1::TIME_SOURCE_UNSPECIFIED) {
    return FieldError("occurred_at.source is missing");
  }
  if (time.offset_minutes() < -kOffsetMinutesMax || time.offset_minutes() > kOffsetMinutesMax) {
    return FieldError(absl::StrFormat("occurred_at.offset_minutes is %d", time.offset_minutes()));
  }
  return absl::OkStatus();
}

absl::Status CheckCounts(const v1::Event& event) {
  if (event.device_ids_size() > kDevicesMax) return FieldError("more than 32 device_ids");
  if (event.attachments_size() > kAttachmentsMax) return FieldError("more than 32 attachments");
  if (event.scans_size() > kScansMax) return FieldError("more than 64 scans");
  if (event.expected_heads_size() > kExpectedHeadsMax) {
    return FieldError("more than 64 expected_heads");
  }
  return absl::OkStatus();
}

// What cannot be read cannot be shown to be free of personal data, so it is not let in.
absl::Status CheckRawScan(const std::string& raw) {
  if (raw.empty() || raw.size() > kScanBytesMax) {
    return FieldError(absl::StrFormat("a raw scan has %d bytes, 1 to 512 are allowed", raw.size()));
  }
  const absl::StatusOr<Scan> scan = ParseScan(raw);
  if (!scan.ok()) {
    v1::ReasonCode code = ReasonFromName(ReasonCodeOf(scan.status()));
    if (code == v1::REASON_CODE_UNSPECIFIED) code = v1::REASON_CODE_E_SCAN_MALFORMED;
    return RefusalStatus(absl::StatusCode::kInvalidArgument, code, SentenceOf(scan.status()), "");
  }
  if (ContainsPersonalData(*scan)) {
    return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_PERSONAL_DATA,
                         "a scan holds a structure that identifies a person", "");
  }
  return absl::OkStatus();
}

absl::Status CheckScans(const v1::Event& event) {
  const auto subject_count = static_cast<std::uint32_t>(event.subjects_size());
  for (const v1::ScanRecord& scan : event.scans()) {
    if (scan.subject_position() >= subject_count) {
      return FieldError("a scan names a subject_position beyond the subjects");
    }
    CUSTODY_RETURN_IF_ERROR(CheckLength("scan.device_id", scan.device_id(), kIdBytes));
    CUSTODY_RETURN_IF_ERROR(CheckRawScan(scan.raw()));
  }
  return absl::OkStatus();
}

absl::Status CheckHeads(const v1::Event& event) {
  for (const v1::ExpectedHead& head : event.expected_heads()) {
    if (head.subject_position() >= static_cast<std::uint32_t>(event.subjects_size())) {
      return FieldError("an expected head names a subject_position beyond the subjects");
    }
    CUSTODY_RETURN_IF_ERROR(CheckLength("expected_head.head", head.head(), kDigestBytes));
  }
  return absl::OkStatus();
}

absl::Status CheckGroup(const v1::Event& event) {
  if (!event.has_group()) return absl::OkStatus();
  const v1::Group& group = event.group();
  if (group.id().size() != kIdBytes) return FieldError("group.id is not 16 bytes");
  if (group.parts() == 0 || group.parts() > kPartsMax || group.part() == 0 ||
      group.part() > group.parts()) {
    return FieldError(absl::StrFormat("group part %d of %d", group.part(), group.parts()));
  }
  return absl::OkStatus();
}

absl::Status CheckDecimal(const v1::Decimal& decimal) {
  if (decimal.decimals() <= kDecimalsMax) return absl::OkStatus();
  return FieldError(absl::StrFormat("a decimal number has %d decimals, at most 9 are allowed",
                                    decimal.decimals()));
}

absl::Status CheckDocument(const v1::Document& document) {
  if (document.sha256().size() == kDigestBytes) return absl::OkStatus();
  return FieldError("a document has no sha256 of 32 bytes");
}

absl::Status CheckCommitment(const v1::Commitment& commitment) {
  if (commitment.sha256().size() == kDigestBytes) return absl::OkStatus();
  return FieldError("a commitment has no sha256 of 32 bytes");
}

absl::Status CheckExternal(const v1::ExternalIdentifier& external) {
  CUSTODY_RETURN_IF_ERROR(CheckText("scheme", external.scheme(), kSchemeBytesMax));
  CUSTODY_RETURN_IF_ERROR(CheckText("value", external.value(), kExternalValueBytesMax));
  if (external.scheme().empty() || external.value().empty()) {
    return FieldError("an external identifier needs a scheme and a value");
  }
  for (const char c : external.scheme()) {
    if (c >= 'A' && c <= 'Z') return FieldError("a scheme is written in lower case");
  }
  return absl::OkStatus();
}

absl::Status CheckRef(const v1::SubjectRef& ref) {
  const absl::Status valid = ValidateSubjectId(ref.kind(), ref.id());
  return valid.ok() ? valid : FieldError(StdView(valid.message()));
}

// Messages with a form of their own, wherever they occur.
absl::Status CheckKnownMessage(const Message& message) {
  const auto* type = message.GetDescriptor();
  if (type == v1::Decimal::descriptor()) {
    return CheckDecimal(static_cast<const v1::Decimal&>(message));
  }
  if (type == v1::Document::descriptor()) {
    return CheckDocument(static_cast<const v1::Document&>(message));
  }
  if (type == v1::Commitment::descriptor()) {
    return CheckCommitment(static_cast<const v1::Commitment&>(message));
  }
  if (type == v1::ExternalIdentifier::descriptor()) {
    return CheckExternal(static_cast<const v1::ExternalIdentifier&>(message));
  }
  if (type == v1::SubjectRef::descriptor()) {
    return CheckRef(static_cast<const v1::SubjectRef&>(message));
  }
  return absl::OkStatus();
}

absl::Status CheckValue(const FieldDescriptor& field, const std::string& value) {
  if (value.empty()) return absl::OkStatus();
  const auto& options = field.options();
  if (options.HasExtension(v1::touches)) {
    const absl::Status valid = ValidateSubjectId(options.GetExtension(v1::touches).kind(), value);
    return valid.ok() ? valid : FieldError(StdView(valid.message()));
  }
  if (field.type() == FieldDescriptor::TYPE_STRING) {
    const bool note = field.containing_type() == v1::PredecessorLog::descriptor();
    return CheckText(field.name(), value, note ? kNoteBytesMax : kTextBytesMax);
  }
  if (field.name() == "key_id") return CheckLength(field.name(), value, kDigestBytes);
  const bool is_id = absl::EndsWith(field.name(), "_id") || absl::EndsWith(field.name(), "_ids");
  return is_id ? CheckLength(field.name(), value, kIdBytes) : absl::OkStatus();
}

absl::Status CheckMessage(const Message& message);

absl::Status CheckField(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (!is_message && field.cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    const absl::Status time = CheckTimeField(message, field);
    return time.ok() ? time : FieldError(StdView(time.message()));
  }
  std::string scratch;
  if (!field.is_repeated()) {
    return is_message ? CheckMessage(reflection.GetMessage(message, &field))
                      : CheckValue(field, reflection.GetStringReference(message, &field, &scratch));
  }
  const int count = reflection.FieldSize(message, &field);
  for (int i = 0; i < count; ++i) {
    CUSTODY_RETURN_IF_ERROR(is_message
                                ? CheckMessage(reflection.GetRepeatedMessage(message, &field, i))
                                : CheckValue(field, reflection.GetRepeatedStringReference(
                                                        message, &field, i, &scratch)));
  }
  return absl::OkStatus();
}

// The nesting is bounded by the strict check of the encoding.
absl::Status CheckMessage(const Message& message) {
  CUSTODY_RETURN_IF_ERROR(CheckKnownMessage(message));
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    CUSTODY_RETURN_IF_ERROR(CheckField(message, *field));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHeader(const v1::Event& event) {
  CUSTODY_RETURN_IF_ERROR(CheckEventId(event.event_id()));
  CUSTODY_RETURN_IF_ERROR(CheckTime(event));
  CUSTODY_RETURN_IF_ERROR(CheckCounts(event));
  CUSTODY_RETURN_IF_ERROR(CheckLength("site_id", event.site_id(), kIdBytes));
  for (const std::string& id : event.device_ids()) {
    if (id.size() != kIdBytes) return FieldError("a device id is not 16 bytes");
  }
  CUSTODY_RETURN_IF_ERROR(CheckHeads(event));
  CUSTODY_RETURN_IF_ERROR(CheckScans(event));
  CUSTODY_RETURN_IF_ERROR(CheckText("reason.code", event.reason().code(), kReasonCodeBytesMax));
  CUSTODY_RETURN_IF_ERROR(CheckText("reason.text", event.reason().text(), kTextBytesMax));
  CUSTODY_RETURN_IF_ERROR(CheckLength("policy_hash", event.policy_hash(), kDigestBytes));
  for (const v1::Document& attachment : event.attachments()) {
    CUSTODY_RETURN_IF_ERROR(CheckMessage(attachment));
  }
  CUSTODY_RETURN_IF_ERROR(CheckLength("corrects", event.corrects(), kDigestBytes));
  CUSTODY_RETURN_IF_ERROR(CheckLength("annuls", event.annuls(), kDigestBytes));
  return CheckGroup(event);
}

absl::Status CheckBody(const v1::Event& event, const CatalogueEntry& entry) {
  return CheckMessage(event.GetReflection()->GetMessage(event, entry.body_field));
}

}  // namespace custody
