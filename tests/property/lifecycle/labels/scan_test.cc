#include "lifecycle/labels/scan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace custody {
namespace {

std::string Text(std::string_view alphabet, int size) {
  std::string text;
  for (int i = 0; i < size; ++i) {
    text.push_back(alphabet[*rc::gen::inRange<std::size_t>(0, alphabet.size())]);
  }
  return text;
}

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLower0 = "abcdefghijklmnopqrstuvwxyz0";
constexpr std::string_view kUpperDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kFinFirst = "ABCDEFGHIJKLMNPQRSTUVWXYZ123456789";
constexpr std::string_view kFinNext = "ABCDEFGHIJKLMNPQRSTUVWXYZ0123456789";
constexpr std::string_view kGs1Text = "ABCxyz0189!\"%&'*+,-./:;<=>?_";

std::string AnyFin() { return Text(kFinFirst, 1) + Text(kFinNext, 2) + Text(kDigits, 2); }
std::string AnyDin() { return AnyFin() + Text(kDigits, 8); }

// One structure of a random kind; `used` keeps kinds that may stand once from repeating.
std::string AnyStructure(int kind) {
  switch (kind) {
    case 0:
      return "=" + AnyDin() + "00";
    case 1:
      return "=<S" + Text(kUpperDigits, 4) + "V" + Text(kUpper, 1) + Text(kLower0, 1);
    case 2:
      return "&>0303652359";
    case 3:
      return "=;" + AnyFin() + Text(kDigits, 16);
    case 4:
      return "='" + AnyFin() + Text(kUpperDigits, 6);
    case 5:
      return "&#0006" + Text("AB =&[]9", 6);
    case 6:
      return "&/CH" + AnyFin() + Text(kDigits, 2) + Text(kUpperDigits, 6);
    default:
      return "=#" + Text(kDigits, 10);
  }
}

std::vector<int> AnyKinds() {
  std::vector<int> kinds;
  for (int kind = 0; kind < 8; ++kind) {
    if (*rc::gen::arbitrary<bool>()) kinds.push_back(kind);
  }
  std::rotate(kinds.begin(),
              kinds.begin() + *rc::gen::inRange<std::ptrdiff_t>(
                                  0, static_cast<std::ptrdiff_t>(kinds.size()) + 1),
              kinds.end());
  return kinds;
}

RC_GTEST_PROP(LabelProperty, TypedDinIsReadBackAndAnyWrongCharacterIsNot, ()) {
  const std::string text = AnyDin();
  const Din din = *Din::Parse(text);
  RC_ASSERT(din.text() == text);
  const std::string typed = text + din.CheckCharacter();
  RC_ASSERT(*Din::ParseKeyboard(typed) == din);
  const auto position = *rc::gen::inRange<std::size_t>(0, typed.size());
  std::string changed = typed;
  changed[position] = Text(kUpperDigits, 1)[0];
  if (changed == typed) return;
  RC_ASSERT(!Din::ParseKeyboard(changed).ok());
}

// Splitting a scan and joining the structures gives the scan, and a compound header counts them.
RC_GTEST_PROP(LabelProperty, SplitAndJoinIsIdentity, ()) {
  const std::vector<int> kinds = AnyKinds();
  RC_PRE(!kinds.empty());
  std::string text;
  for (const int kind : kinds) text += AnyStructure(kind);
  const auto structures = SplitIsbtScan(text);
  RC_ASSERT(structures.ok());
  std::string joined;
  for (const IsbtStructure& structure : *structures) joined += structure.raw;
  RC_ASSERT(joined == text);
  RC_ASSERT(structures->size() == kinds.size());
  const auto header = [](std::size_t count) { return "=+0" + std::to_string(count) + "000"; };
  RC_ASSERT(ParseScan(header(kinds.size()) + text).ok());
  const auto wrong = ParseScan(header(kinds.size() + 1) + text);
  RC_ASSERT(ReasonCodeOf(wrong.status()) == "E_SCAN_COUNT");
}

// After redaction nothing personal is left, keys are the same, and redacting again changes nothing.
RC_GTEST_PROP(LabelProperty, RedactionLeavesNothingPersonalAndKeepsKeys, ()) {
  const std::vector<int> kinds = AnyKinds();
  RC_PRE(!kinds.empty());
  std::string text;
  for (const int kind : kinds) text += AnyStructure(kind);
  const auto scan = ParseScan(text);
  RC_ASSERT(scan.ok());
  const auto redacted = RedactScan(text, "t0");
  RC_ASSERT(redacted.ok());
  const auto again = ParseScan(*redacted);
  RC_ASSERT(again.ok());
  RC_ASSERT(!ContainsPersonalData(*again));
  RC_ASSERT(again->container_key == scan->container_key);
  RC_ASSERT(again->donation_key == scan->donation_key);
  RC_ASSERT(again->chain_of_identity == scan->chain_of_identity);
  RC_ASSERT(*RedactScan(*redacted, "t1") == *redacted);
  for (const IsbtStructure& structure : scan->isbt->structures) {
    if (structure.personal_data) RC_ASSERT(redacted->find(structure.raw) == std::string::npos);
  }
}

RC_GTEST_PROP(LabelProperty, Gs1FormatOfParseIsIdentity, ()) {
  const std::string body = Text(kDigits, 13);
  const std::string gtin = body + Gs1CheckDigit(body);
  const std::string serial = Text(kGs1Text, *rc::gen::inRange(1, 21));
  const std::string lot = Text(kGs1Text, *rc::gen::inRange(1, 21));
  const std::string text = "]d201" + gtin + "10" + lot +
                           "\x1d"
                           "21" +
                           serial;
  const auto scan = ParseGs1Scan(text);
  RC_ASSERT(scan.ok());
  RC_ASSERT(scan->serial == serial);
  RC_ASSERT("]d2" + FormatGs1ElementString(scan->elements) == text);
  const auto key = Gs1ContainerKey(gtin, serial);
  RC_ASSERT(key.ok());
  RC_ASSERT(ParseCanonicalKey(*key)->text == *key);
  std::string changed = text;
  const auto position = *rc::gen::inRange<std::size_t>(5, 19);
  changed[position] =
      static_cast<char>('0' + (changed[position] - '0' + *rc::gen::inRange(1, 10)) % 10);
  const auto wrong = ParseScan(changed);
  RC_ASSERT(ReasonCodeOf(wrong.status()) == "E_CHECK_DIGIT");
}

RC_GTEST_PROP(LabelProperty, SecPrintedAndParsedIsIdentity, ()) {
  const std::string text = Text(kUpper, 2) + Text(kUpperDigits, 6) + Text(kUpperDigits, 13) +
                           "A00S" + Text(kUpperDigits, 4) + "0" + Text(kUpper, 1) +
                           Text(kLower0, 1) + "20301231";
  const auto sec = SingleEuropeanCode::Parse(text);
  RC_ASSERT(sec.ok());
  RC_ASSERT(*SingleEuropeanCode::ParsePrinted(sec->Printed()) == *sec);
  RC_ASSERT(sec->text() == text);
}

}  // namespace
}  // namespace custody
