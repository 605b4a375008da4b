#include "client/draft/document.h"

#include <string>

#include "crypto/digest.h"

namespace custody {
namespace {

const char* MediaTypeOf(std::string_view path) {
  if (path.ends_with(".pdf")) return "application/pdf";
  if (path.ends_with(".json")) return "application/json";
  if (path.ends_with(".csv")) return "text/csv";
  if (path.ends_with(".txt") || path.ends_with(".md")) return "text/plain";
  return "application/octet-stream";
}

}  // namespace

v1::Document DescribeDocument(std::string_view path, std::string_view content) {
  v1::Document document;
  document.set_sha256(std::string(Sha256(content).view()));
  document.set_media_type(MediaTypeOf(path));
  document.set_size_bytes(content.size());
  document.set_document_number(std::string(path.substr(path.rfind('/') + 1)));
  return document;
}

}  // namespace custody
