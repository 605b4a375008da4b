// The files of the vectors, made in memory.
//
// Threads: one.

#ifndef CUSTODY_TESTS_VECTORS_VECTOR_FILES_H_
#define CUSTODY_TESTS_VECTORS_VECTOR_FILES_H_

#include <map>
#include <string>

namespace custody {

// Bytes by path below the folder of the vectors.
using VectorFiles = std::map<std::string, std::string>;

// events.json, statements.json, signed_events.json, batches.json
void MakeEventFiles(VectorFiles* files);
// merkle.json, index.json, checkpoints.json, tiles.json
void MakeTreeFiles(VectorFiles* files);
// entries.json, receipts.json, bundles.json, bundles/, trust.toml and its companions
void MakeBundleFiles(VectorFiles* files);

VectorFiles MakeVectorFiles();

}  // namespace custody

#endif  // CUSTODY_TESTS_VECTORS_VECTOR_FILES_H_
