// Reads one YAML node into one message, guided by the message's descriptor. Private to
// client/draft.

#ifndef CUSTODY_CLIENT_DRAFT_FIELD_READER_H_
#define CUSTODY_CLIENT_DRAFT_FIELD_READER_H_

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/draft/draft.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace custody {

// Threads: one thread. Owns nothing; file and context outlive it.
class FieldReader {
 public:
  FieldReader(std::string_view file, DraftContext* context) : file_(file), context_(context) {}

  absl::Status ReadMessage(const YAML::Node& node, google::protobuf::Message* message);

  // Bytes of a text: "@name", "@+name", "@name|text", hexadecimal.
  absl::StatusOr<std::string> ReadBytes(const YAML::Node& node);

  // "file:line:column: message".
  absl::Status ErrorAt(const YAML::Node& node, std::string_view message) const;
  absl::Status UnknownKey(const YAML::Node& key, std::string_view where,
                          const std::vector<std::string>& known) const;
  absl::StatusOr<std::string> Scalar(const YAML::Node& node) const;

 private:
  using Field = google::protobuf::FieldDescriptor;

  absl::Status ReadField(const YAML::Node& node, const Field& field,
                         google::protobuf::Message* message);
  absl::Status ReadOne(const YAML::Node& node, const Field& field,
                       google::protobuf::Message* message);
  absl::Status ReadScalar(const YAML::Node& node, const Field& field, std::string_view text,
                          google::protobuf::Message* message);
  absl::Status ReadNumber(const YAML::Node& node, const Field& field, std::string_view text,
                          google::protobuf::Message* message);
  // Short forms of Decimal, Document, SubjectRef and Commitment. kNotFound: the type has none.
  absl::Status ReadShortForm(const YAML::Node& node, std::string_view text,
                             google::protobuf::Message* message);
  absl::Status ReadDecimal(const YAML::Node& node, std::string_view text, v1::Decimal* decimal);
  absl::Status ReadDocument(const YAML::Node& node, std::string_view path, v1::Document* document);
  absl::Status ReadSubject(const YAML::Node& node, std::string_view text, v1::SubjectRef* subject);
  absl::StatusOr<std::int64_t> ReadInteger(const YAML::Node& node, const Field& field,
                                           std::string_view text);

  std::string_view file_;
  DraftContext* context_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_FIELD_READER_H_
