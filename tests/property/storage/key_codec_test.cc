#include "storage/key_codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>
#include <tuple>

namespace custody {
namespace {

// Few different bytes, so that strings share prefixes and escapes meet.
rc::Gen<std::string> TextGen() {
  return rc::gen::container<std::string>(
      rc::gen::elementOf(std::string("\x00\x01\xFF"
                                     "a",
                                     4)));
}

RC_GTEST_PROP(KeyCodecProperty, ByteOrderIsOrderOfTheParts, ()) {
  const auto text_a = *TextGen();
  const auto text_b = *rc::gen::oneOf(TextGen(), rc::gen::just(text_a));
  const auto number_a = *rc::gen::arbitrary<std::uint64_t>();
  const auto number_b = *rc::gen::arbitrary<std::uint64_t>();
  const std::string a = KeyWriter('t').Bytes(text_a).U64(number_a).Take();
  const std::string b = KeyWriter('t').Bytes(text_b).U64(number_b).Take();
  RC_ASSERT((a < b) == (std::tie(text_a, number_a) < std::tie(text_b, number_b)));
  RC_ASSERT((a == b) == (std::tie(text_a, number_a) == std::tie(text_b, number_b)));
}

RC_GTEST_PROP(KeyCodecProperty, ReaderReadsWhatTheWriterWrote,
              (std::uint8_t u8, std::uint16_t u16, std::uint32_t u32, std::uint64_t u64)) {
  const auto text = *TextGen();
  const auto rest = *TextGen();
  const std::string key =
      KeyWriter('t').U8(u8).U16(u16).Bytes(text).U32(u32).U64(u64).Rest(rest).Take();
  KeyReader reader(key);
  RC_ASSERT(reader.U8().value() == u8);
  RC_ASSERT(reader.U16().value() == u16);
  RC_ASSERT(reader.Bytes().value() == text);
  RC_ASSERT(reader.U32().value() == u32);
  RC_ASSERT(reader.U64().value() == u64);
  RC_ASSERT(reader.Rest() == rest);
  RC_ASSERT(reader.Finish().ok());
}

// Any bytes at all: a status, never a crash, and what is read back is what was there.
RC_GTEST_PROP(KeyCodecProperty, ReaderSurvivesAnyBytes, ()) {
  const auto key = *TextGen();
  KeyReader reader(key);
  const auto text = reader.Bytes();
  if (text.ok()) {
    const std::string again = KeyWriter(reader.table()).Bytes(*text).Rest(reader.Rest()).Take();
    RC_ASSERT(again == key);
  }
}

RC_GTEST_PROP(KeyCodecProperty, PrefixEndIsTheExactBorder, ()) {
  const auto prefix = *TextGen();
  const auto key = *rc::gen::oneOf(
      TextGen(), rc::gen::map(TextGen(), [&](std::string tail) { return prefix + tail; }));
  const std::string end = PrefixEnd(prefix);
  const bool in_range = key >= prefix && (end.empty() || key < end);
  RC_ASSERT(in_range == (key.compare(0, prefix.size(), prefix) == 0));
}

}  // namespace
}  // namespace custody
