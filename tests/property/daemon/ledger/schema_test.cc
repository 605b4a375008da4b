#include "daemon/ledger/schema.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdint>
#include <string>

#include "storage/key_codec.h"

namespace custody {
namespace {

SubjectKey Subject(std::uint8_t kind, const std::string& id) {
  return {static_cast<v1::SubjectKind>(1 + kind % 18), id};
}

RC_GTEST_PROP(SchemaProperty, ByteOrderIsOrderOfIndices, (std::uint64_t a, std::uint64_t b)) {
  RC_ASSERT((a < b) == (KeyOfEntry(a) < KeyOfEntry(b)));
  RC_ASSERT((a < b) == (KeyOfCheckpoint(a) < KeyOfCheckpoint(b)));
}

RC_GTEST_PROP(SchemaProperty, ChainsOrderBySubjectThenPosition,
              (std::uint8_t kind_a, std::string id_a, std::uint64_t position_a, std::uint8_t kind_b,
               std::string id_b, std::uint64_t position_b)) {
  const SubjectKey a = Subject(kind_a, id_a);
  const SubjectKey b = Subject(kind_b, id_b);
  const bool less = a == b ? position_a < position_b : a < b;
  RC_ASSERT(less == (KeyOfChain(a, position_a) < KeyOfChain(b, position_b)));
}

// No subject's range of edges holds an edge of another subject.
RC_GTEST_PROP(SchemaProperty, EdgesOfASubjectLieInItsPrefix,
              (std::uint8_t kind_a, std::string id_a, std::uint8_t kind_b, std::string id_b,
               std::string target)) {
  const SubjectKey a = Subject(kind_a, id_a);
  const SubjectKey b = Subject(kind_b, id_b);
  const SubjectKey to = Subject(3, target);
  const std::string prefix = PrefixOfEdges(Table::kEdgeForward, a);
  const std::string key = KeyOfEdge(Table::kEdgeForward, b, to);
  const bool inside = key >= prefix && key < PrefixEnd(prefix);
  RC_ASSERT(inside == (a == b));
  RC_ASSERT(*TargetOfEdgeKey(key) == to);
}

RC_GTEST_PROP(SchemaProperty, SubjectsAreReadBack, (std::uint8_t kind, std::string id)) {
  const SubjectKey subject = Subject(kind, id);
  RC_ASSERT(*SubjectOfStateKey(KeyOfState(subject)) == subject);
  RC_ASSERT(*SubjectOfExternalKey(KeyOfExternal("lims:lot", id, subject)) == subject);
}

}  // namespace
}  // namespace custody
