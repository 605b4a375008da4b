// deps: custody_crypto
//
// A body that parses is written back byte for byte; so is a size, and lines of cosignatures.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/tlog_witness.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = custody::AsText({data, size});
  if (const auto request = custody::ParseAddCheckpoint(text); request.ok()) {
    CUSTODY_CHECK(custody::FormatAddCheckpoint(*request) == text);
    CUSTODY_CHECK(request->proof.size() <= custody::kAddCheckpointHashesMax);
  }
  if (const auto tree_size = custody::ParseTreeSize(text); tree_size.ok()) {
    CUSTODY_CHECK(custody::FormatTreeSize(*tree_size) == text);
  }
  if (const auto lines = custody::ParseCosignatureLines(text); lines.ok()) {
    std::string again;
    for (const custody::NoteSignature& line : *lines) {
      again += custody::FormatNoteSignatureLine(line);
    }
    CUSTODY_CHECK(again == text);
  }
  return 0;
}
