#include "crypto/pkcs11_uri.h"

#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr std::string_view kScheme = "pkcs11:";
constexpr std::string_view kFileScheme = "file:";

// Attributes by name, with their places.
using Places = std::array<std::pair<std::string_view, std::string*>, 4>;

bool IsPlain(char c) {
  constexpr std::string_view kOthers = "-._~:[]@!$'()*+,=/";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

absl::StatusOr<std::string> Decode(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      if (!IsPlain(text[i])) {
        return absl::InvalidArgumentError(absl::StrFormat("byte %02x stands as it is; write %%%02x",
                                                          static_cast<std::uint8_t>(text[i]),
                                                          static_cast<std::uint8_t>(text[i])));
      }
      bytes.push_back(text[i]);
      continue;
    }
    const absl::StatusOr<std::string> byte = FromHex(text.substr(i + 1, 2));
    if (!byte.ok() || byte->size() != 1) {
      return absl::InvalidArgumentError("'%' is not followed by two hexadecimal digits");
    }
    bytes.append(*byte);
    i += 2;
  }
  return bytes;
}

absl::Status SetAttribute(std::string_view attribute, const Places& places) {
  const std::size_t equals = attribute.find('=');
  const std::string_view name = attribute.substr(0, equals);
  for (const auto& [known, place] : places) {
    if (name != known || known.empty()) continue;
    if (equals == std::string_view::npos || equals + 1 == attribute.size()) {
      return absl::InvalidArgumentError(absl::StrFormat("'%s' has no value", name));
    }
    if (!place->empty())
      return absl::InvalidArgumentError(absl::StrFormat("'%s' stands twice", name));
    absl::StatusOr<std::string> value = Decode(attribute.substr(equals + 1));
    if (!value.ok()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("'%s': %s", name, std::string(value.status().message())));
    }
    *place = *std::move(value);
    return absl::OkStatus();
  }
  if (name == "pin-value") {
    return absl::InvalidArgumentError("a PIN stands in a file: use pin-source=file:/path");
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "attribute '%s' is not known; known are token, serial, object, id, and after '?' module-path "
      "and pin-source",
      name));
}

absl::Status SetAttributes(std::string_view list, char separator, const Places& places) {
  for (;;) {
    const std::size_t end = list.find(separator);
    CUSTODY_RETURN_IF_ERROR(SetAttribute(list.substr(0, end), places));
    if (end == std::string_view::npos) return absl::OkStatus();
    list.remove_prefix(end + 1);
  }
}

absl::Status CheckComplete(Pkcs11Uri* uri) {
  if (uri->token.empty() && uri->serial.empty()) {
    return absl::InvalidArgumentError("it names no token; add token= or serial=");
  }
  if (uri->object.empty() && uri->id.empty()) {
    return absl::InvalidArgumentError("it names no key; add object= or id=");
  }
  if (!uri->module_path.starts_with('/') || uri->module_path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "it wants ?module-path= with the absolute path of the token's PKCS#11 library");
  }
  if (uri->pin_file.starts_with(kFileScheme)) uri->pin_file.erase(0, kFileScheme.size());
  if (!uri->pin_file.empty() && !uri->pin_file.starts_with('/')) {
    return absl::InvalidArgumentError("pin-source wants file: and an absolute path");
  }
  return absl::OkStatus();
}

absl::Status Parse(std::string_view text, Pkcs11Uri* uri) {
  const std::size_t question = text.find('?');
  const std::string_view path = text.substr(0, question);
  CUSTODY_RETURN_IF_ERROR(SetAttributes(path, ';',
                                        {{{"token", &uri->token},
                                          {"serial", &uri->serial},
                                          {"object", &uri->object},
                                          {"id", &uri->id}}}));
  if (question != std::string_view::npos) {
    CUSTODY_RETURN_IF_ERROR(SetAttributes(
        text.substr(question + 1), '&',
        {{{"module-path", &uri->module_path}, {"pin-source", &uri->pin_file}, {}, {}}}));
  }
  return CheckComplete(uri);
}

}  // namespace

bool IsPkcs11Uri(std::string_view text) { return text.starts_with(kScheme); }

absl::StatusOr<Pkcs11Uri> ParsePkcs11Uri(std::string_view text) {
  if (!IsPkcs11Uri(text) || text.size() > kPkcs11UriBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "a PKCS#11 URI begins with %s and has at most %d bytes", kScheme, kPkcs11UriBytesMax));
  }
  Pkcs11Uri uri;
  const absl::Status parsed = Parse(text.substr(kScheme.size()), &uri);
  if (parsed.ok()) return uri;
  return absl::InvalidArgumentError(
      absl::StrFormat("PKCS#11 URI: %s", std::string(parsed.message())));
}

}  // namespace custody
