// Writes the vectors of the formats: custody-vectors FOLDER. The same bytes each time.

#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/vectors/vector_files.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: custody-vectors FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  for (const auto& [name, bytes] : custody::MakeVectorFiles()) {
    std::filesystem::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }
}
