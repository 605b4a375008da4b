#include "daemon/http/address.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kTls = "https://";
constexpr std::size_t kUrlBytesMax = 2'048;

bool IsUrlCharacter(char c) {
  return c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '?' && c != '#' &&
         c != '@' && c != '\\';
}

absl::Status BadUrl(std::string_view url, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrFormat("\"%s\" %s, want http://HOST[:PORT][/PREFIX]", url, why));
}

// `rest` is behind the scheme.
absl::StatusOr<HttpUrl> ParseRest(std::string_view url, std::string_view rest,
                                  std::string_view default_port) {
  const std::size_t slash = rest.find('/');
  HttpUrl parsed;
  parsed.host_header = std::string(rest.substr(0, slash));
  if (slash != std::string_view::npos) parsed.prefix = std::string(rest.substr(slash));
  while (parsed.prefix.ends_with('/')) parsed.prefix.pop_back();
  const bool has_port =
      parsed.host_header.rfind(':') != std::string::npos && !parsed.host_header.ends_with(']');
  const absl::StatusOr<HostPort> target = ParseHostPort(
      has_port ? parsed.host_header : absl::StrFormat("%s:%s", parsed.host_header, default_port));
  if (!target.ok()) return BadUrl(url, "names no host and port");
  parsed.host = target->host;
  parsed.port = std::to_string(target->port);
  return parsed;
}

absl::Status CheckCharacters(std::string_view url) {
  if (url.size() <= kUrlBytesMax && std::all_of(url.begin(), url.end(), IsUrlCharacter)) {
    return absl::OkStatus();
  }
  return BadUrl(url.substr(0, 80), "is too long or has characters that a URL must not have");
}

}  // namespace

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  HostPort parsed;
  bool good = colon != std::string_view::npos && colon > 0;
  if (good) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, parsed.port);
    good = error == std::errc() && stop == end && colon + 1 < text.size();
  }
  if (!good) {
    return absl::InvalidArgumentError(absl::StrFormat("\"%s\" is not HOST:PORT", text));
  }
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrFormat("\"%s\": write an IPv6 address in brackets", text));
  }
  parsed.host = std::string(host);
  return parsed;
}

absl::StatusOr<HttpUrl> ParseHttpUrl(std::string_view url) {
  CUSTODY_RETURN_IF_ERROR(CheckCharacters(url));
  if (url.starts_with(kTls)) {
    return BadUrl(url,
                  "asks for TLS, which this program leaves to a proxy on its machine (what is sent "
                  "and taken is signed)");
  }
  if (!url.starts_with(kPlain)) return BadUrl(url, "is no URL of HTTP");
  return ParseRest(url, url.substr(kPlain.size()), "80");
}

absl::StatusOr<HttpUrl> ParseWebUrl(std::string_view url) {
  if (!url.starts_with(kTls)) return ParseHttpUrl(url);
  CUSTODY_RETURN_IF_ERROR(CheckCharacters(url));
  CUSTODY_ASSIGN_OR_RETURN(HttpUrl parsed, ParseRest(url, url.substr(kTls.size()), "443"));
  parsed.is_tls = true;
  return parsed;
}

}  // namespace custody
