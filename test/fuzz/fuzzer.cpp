// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entry points, built by etc/fuzz.sh. GALLERY_FUZZ_TARGET names the target. "list" prints all
// names.
#include "targets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

void (*run)(std::string_view) = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const char* wanted = std::getenv("GALLERY_FUZZ_TARGET");
    const auto& all = gallery::fuzz::targets;
    if (wanted != nullptr && std::string_view(wanted) == "list") {
        for (const auto& target : all)
            std::printf("%s\n", target.name.data());
        std::exit(0);
    }
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& target) {
        return wanted != nullptr && target.name == wanted;
    });
    if (found == all.end()) {
        std::fputs("GALLERY_FUZZ_TARGET names none of these targets:", stderr);
        for (const auto& target : all)
            std::fprintf(stderr, " %s", target.name.data());
        std::fputc('\n', stderr);
        std::exit(2);
    }
    run = found->run;
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    run({reinterpret_cast<const char*>(data), size});
    return 0;
}
