// Runs a fuzz target over every file of the folders that are named on the command line, so that the
// corpus and old findings are tested wherever libFuzzer is not. A target with a mutator of its own
// is also run on mutations of each file, the same ones every time.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                             std::size_t max_size,
                                                             unsigned int seed);

namespace {

constexpr unsigned int kMutationsOfFile = 20;
constexpr std::size_t kInputBytesMax = 64U << 10;

// Each mutation starts from the one before.
void RunMutations(std::vector<std::uint8_t> bytes, unsigned int first_seed) {
  for (unsigned int i = 0; i < kMutationsOfFile; ++i) {
    std::size_t size = bytes.size();
    bytes.resize(kInputBytesMax);
    size = LLVMFuzzerCustomMutator(bytes.data(), size, bytes.size(), first_seed + i);
    bytes.resize(size);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  unsigned int files = 0;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i], error)) {
      if (!entry.is_regular_file()) {
        continue;
      }
      std::ifstream file(entry.path(), std::ios::binary);
      const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      if (LLVMFuzzerCustomMutator != nullptr) {
        RunMutations({bytes.begin(), bytes.end()}, files * kMutationsOfFile);
      }
      ++files;
    }
  }
  std::printf("%u inputs\n", files);
  return files > 0 ? 0 : 1;  // An empty corpus tests nothing.
}
