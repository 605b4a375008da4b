#include "lifecycle/wire_check.h"

#include <cstdint>
#include <limits>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr int kNestingMax = 32;
constexpr std::uint64_t kFieldNumberMax = (1U << 29) - 1;

// The low three bits of a tag.
enum class WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

WireType WireTypeOf(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return WireType::kFixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return WireType::kFixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE:
      return WireType::kBytes;
    default:
      return WireType::kVarint;
  }
}

// Number of continuation bytes after a lead byte, or -1; `low` and `high` bound the first of them
// (RFC 3629, table of well-formed sequences).
int Utf8Tail(unsigned char lead, unsigned char* low, unsigned char* high) {
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80) return 0;
  if (lead >= 0xC2 && lead <= 0xDF) return 1;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (lead == 0xE0) *low = 0xA0;
    if (lead == 0xED) *high = 0x9F;
    return 2;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (lead == 0xF0) *low = 0x90;
    if (lead == 0xF4) *high = 0x8F;
    return 3;
  }
  return -1;
}

// Reads one message. Offsets in errors count from the start of the outermost one.
class Reader {
 public:
  Reader(std::string_view all, std::size_t begin, std::size_t end, const Descriptor& type)
      : all_(all), at_(begin), end_(end), type_(type) {}

  absl::Status ReadMessage(int depth) {
    if (depth > kNestingMax) return Error("nesting is deeper than 32");
    while (at_ < end_) CUSTODY_RETURN_IF_ERROR(ReadField(depth));
    return absl::OkStatus();
  }

 private:
  absl::Status Error(std::string_view what) const {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s.%s: %s at byte %d", type_.name(), field_ == nullptr ? "?" : field_->name(), what, at_));
  }

  absl::Status ReadVarint(std::size_t end, std::uint64_t* value) {
    *value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ >= end) return Error("truncated varint");
      const auto byte = static_cast<std::uint8_t>(all_[at_++]);
      if (shift == 63 && byte > 1) return Error("varint over 64 bits");
      *value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift > 0) return Error("varint is not minimal");
        return absl::OkStatus();
      }
    }
    return Error("varint over 64 bits");
  }

  absl::Status ReadLength(std::size_t* length) {
    std::uint64_t value = 0;
    CUSTODY_RETURN_IF_ERROR(ReadVarint(end_, &value));
    if (value > end_ - at_) return Error("length beyond the end");
    *length = static_cast<std::size_t>(value);
    return absl::OkStatus();
  }

  absl::Status ReadField(int depth) {
    std::uint64_t tag = 0;
    CUSTODY_RETURN_IF_ERROR(ReadVarint(end_, &tag));
    const std::uint64_t number = tag >> 3U;
    if (number == 0 || number > kFieldNumberMax) return Error("impossible field number");
    const FieldDescriptor* previous = field_;
    field_ = type_.FindFieldByNumber(static_cast<int>(number));
    if (field_ == nullptr) return Error(absl::StrFormat("unknown field %d", number));
    if (field_->is_map() || field_->type() == FieldDescriptor::TYPE_GROUP) {
      return Error("maps and groups are not allowed");
    }
    CUSTODY_RETURN_IF_ERROR(CheckOrder(previous));
    const bool packed = field_->is_packed();
    const WireType expected = packed ? WireType::kBytes : WireTypeOf(*field_);
    if ((tag & 7U) != static_cast<std::uint64_t>(expected)) return Error("wrong wire type");
    return packed ? ReadPacked() : ReadValue(expected, depth);
  }

  absl::Status CheckOrder(const FieldDescriptor* previous) {
    if (previous != nullptr) {
      if (field_->number() < previous->number()) return Error("field out of order");
      const bool again = field_->number() == previous->number();
      if (again && (!field_->is_repeated() || field_->is_packed())) return Error("field twice");
    }
    if (const auto* oneof = field_->containing_oneof(); oneof != nullptr) {
      const std::uint64_t bit = std::uint64_t{1} << (static_cast<unsigned>(oneof->index()) & 63U);
      if ((oneofs_seen_ & bit) != 0) return Error("two members of a oneof");
      oneofs_seen_ |= bit;
    }
    return absl::OkStatus();
  }

  absl::Status ReadPacked() {
    std::size_t length = 0;
    CUSTODY_RETURN_IF_ERROR(ReadLength(&length));
    if (length == 0) return Error("empty packed list");
    const std::size_t stop = at_ + length;
    while (at_ < stop) CUSTODY_RETURN_IF_ERROR(ReadScalar(WireTypeOf(*field_), stop, false));
    return absl::OkStatus();
  }

  absl::Status ReadValue(WireType type, int depth) {
    const bool refuse_default = !field_->is_repeated() && !field_->has_presence();
    if (type == WireType::kBytes) return ReadBytes(depth, refuse_default);
    return ReadScalar(type, end_, refuse_default);
  }

  absl::Status ReadBytes(int depth, bool refuse_default) {
    std::size_t length = 0;
    CUSTODY_RETURN_IF_ERROR(ReadLength(&length));
    if (length == 0 && refuse_default) return Error("explicit default");
    if (field_->message_type() != nullptr) {
      Reader inner(all_, at_, at_ + length, *field_->message_type());
      CUSTODY_RETURN_IF_ERROR(inner.ReadMessage(depth + 1));
    } else if (field_->type() == FieldDescriptor::TYPE_STRING &&
               !IsUtf8(all_.substr(at_, length))) {
      return Error("text is not UTF-8");
    }
    at_ += length;
    return absl::OkStatus();
  }

  absl::Status ReadScalar(WireType type, std::size_t stop, bool refuse_default) {
    if (type != WireType::kVarint) return ReadFixed(type, stop, refuse_default);
    std::uint64_t value = 0;
    CUSTODY_RETURN_IF_ERROR(ReadVarint(stop, &value));
    if (value == 0 && refuse_default) return Error("explicit default");
    return CheckVarintRange(value);
  }

  absl::Status ReadFixed(WireType type, std::size_t stop, bool refuse_default) {
    const std::size_t width = type == WireType::kFixed64 ? 8 : 4;
    if (stop - at_ < width) return Error("truncated number");
    if (refuse_default &&
        all_.substr(at_, width).find_first_not_of('\0') == std::string_view::npos) {
      return Error("explicit default");
    }
    at_ += width;
    return absl::OkStatus();
  }

  // A number that another parser would cut down to the width of the field is refused.
  absl::Status CheckVarintRange(std::uint64_t value) {
    const auto as_signed = static_cast<std::int64_t>(value);
    const bool fits_int32 = as_signed >= std::numeric_limits<std::int32_t>::min() &&
                            as_signed <= std::numeric_limits<std::int32_t>::max();
    const bool fits_uint32 = value <= std::numeric_limits<std::uint32_t>::max();
    switch (field_->type()) {
      case FieldDescriptor::TYPE_BOOL:
        return value <= 1 ? absl::OkStatus() : Error("boolean is neither 0 nor 1");
      case FieldDescriptor::TYPE_INT32:
        return fits_int32 ? absl::OkStatus() : Error("number over 32 bits");
      case FieldDescriptor::TYPE_UINT32:
      case FieldDescriptor::TYPE_SINT32:
        return fits_uint32 ? absl::OkStatus() : Error("number over 32 bits");
      case FieldDescriptor::TYPE_ENUM:
        if (!fits_int32 ||
            field_->enum_type()->FindValueByNumber(static_cast<int>(as_signed)) == nullptr) {
          return Error("unknown value");
        }
        return absl::OkStatus();
      default:
        return absl::OkStatus();
    }
  }

  std::string_view all_;
  std::size_t at_;
  std::size_t end_;
  const Descriptor& type_;
  const FieldDescriptor* field_ = nullptr;
  std::uint64_t oneofs_seen_ = 0;
};

}  // namespace

bool IsUtf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    unsigned char low = 0;
    unsigned char high = 0;
    const int tail = Utf8Tail(static_cast<unsigned char>(text[i]), &low, &high);
    if (tail < 0 || text.size() - i <= static_cast<std::size_t>(tail)) return false;
    for (int k = 1; k <= tail; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xBF;
    }
    i += 1 + static_cast<std::size_t>(tail);
  }
  return true;
}

absl::Status CheckStrictEncoding(std::string_view bytes, const Descriptor& descriptor) {
  return Reader(bytes, 0, bytes.size(), descriptor).ReadMessage(1);
}

}  // namespace custody
