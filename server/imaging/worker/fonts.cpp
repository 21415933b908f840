// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/fonts.hpp"

#include "imaging/worker/fontconfig_start.hpp"

#include <fontconfig/fontconfig.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

namespace gallery::imaging::worker {
namespace {

constexpr std::size_t most_fonts = 64;

struct font {
    std::string path;
    int descriptor = -1;
};

// Filled before the first picture and only read afterwards, also by the signal handler.
std::vector<font>& open_fonts() {
    static auto* const fonts = new std::vector<font>;
    return *fonts;
}

bool known(const char* path) {
    return std::ranges::any_of(open_fonts(), [path](const font& f) { return f.path == path; });
}

void keep(FcPattern* pattern) {
    FcChar8* file = nullptr;
    if (open_fonts().size() >= most_fonts || FcPatternGetString(pattern, FC_FILE, 0, &file) != FcResultMatch)
        return;
    const auto* path = reinterpret_cast<const char*>(file);
    if (known(path)) return;
    const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) open_fonts().push_back({path, descriptor});
}

void keep_best(const char* family, int weight, int slant) {
    FcPattern* wish = FcPatternCreate();
    FcPatternAddString(wish, FC_FAMILY, reinterpret_cast<const FcChar8*>(family));
    FcPatternAddInteger(wish, FC_WEIGHT, weight);
    FcPatternAddInteger(wish, FC_SLANT, slant);
    FcConfigSubstitute(nullptr, wish, FcMatchPattern);
    FcDefaultSubstitute(wish);
    FcResult found = FcResultNoMatch;
    if (FcPattern* best = FcFontMatch(nullptr, wish, &found)) {
        keep(best);
        FcPatternDestroy(best);
    }
    FcPatternDestroy(wish);
}

void keep_for_other_scripts() {
    FcPattern* wish = FcPatternCreate();
    FcConfigSubstitute(nullptr, wish, FcMatchPattern);
    FcDefaultSubstitute(wish);
    FcResult found = FcResultNoMatch;
    if (FcFontSet* all = FcFontSort(nullptr, wish, FcTrue, nullptr, &found)) {
        for (int i = 0; i < all->nfont; ++i)
            keep(all->fonts[i]);
        FcFontSetDestroy(all);
    }
    FcPatternDestroy(wish);
}

// fontconfig must not offer what cannot be opened. The patterns left out are forgotten, not freed: they may
// lie in a mapped cache.
void leave_only_kept() {
    FcFontSet* all = FcConfigGetFonts(nullptr, FcSetSystem);
    if (all == nullptr) return;
    const auto* end = std::partition(all->fonts, all->fonts + all->nfont, [](FcPattern* pattern) {
        FcChar8* file = nullptr;
        return FcPatternGetString(pattern, FC_FILE, 0, &file) == FcResultMatch &&
               known(reinterpret_cast<const char*>(file));
    });
    all->nfont = static_cast<int>(end - all->fonts);
}

const font* kept(const char* path) {
    if (path == nullptr) return nullptr;
    for (const auto& f : open_fonts()) {
        if (std::strcmp(f.path.c_str(), path) == 0) return &f;
    }
    return nullptr;
}

// What follows runs inside the thread that made the call: only system calls and reading of open_fonts().
long answer_open(const char* path, long flags) {
    if ((flags & (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | O_DIRECTORY)) != O_RDONLY) return -EACCES;
    const auto* found = kept(path);
    if (found == nullptr) return -EACCES;
    const long copy = ::syscall(SYS_fcntl, found->descriptor, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -EMFILE : copy;
}

// cairo asks whether it may read a font before it opens it.
long answer_access(const char* path, long mode) {
    return (mode & ~R_OK) == 0 && kept(path) != nullptr ? 0 : -EACCES;
}

// The call with its arguments; those of the calls "at" a folder begin with the folder.
long answer(int call, const std::array<long, 4>& arguments) {
    const auto path = [&arguments](std::size_t at) { return reinterpret_cast<const char*>(arguments[at]); };
    switch (call) {
        case SYS_openat:
            return answer_open(path(1), arguments[2]);
#ifdef SYS_open
        case SYS_open:
            return answer_open(path(0), arguments[1]);
#endif
        case SYS_faccessat:
        case SYS_faccessat2:
            return answer_access(path(1), arguments[2]);
#ifdef SYS_access
        case SYS_access:
            return answer_access(path(0), arguments[1]);
#endif
        default:
            return -EPERM;
    }
}

#if defined(__x86_64__)
constexpr bool processor_known = true;
void on_trap(int, siginfo_t* info, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const int before = errno;
    registers[REG_RAX] = answer(
        info->si_syscall, {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX], registers[REG_R10]});
    errno = before;
}
#elif defined(__aarch64__)
constexpr bool processor_known = true;
void on_trap(int, siginfo_t* info, void* context) {
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.regs;
    const int before = errno;
    const auto argument = [&registers](int i) { return static_cast<long>(registers[i]); };
    registers[0] = static_cast<unsigned long long>(
        answer(info->si_syscall, {argument(0), argument(1), argument(2), argument(3)}));
    errno = before;
}
#else
constexpr bool processor_known = false;
void on_trap(int, siginfo_t*, void*) {}
#endif

}  // namespace

std::uint32_t fonts_start() {
    if (!fontconfig_start()) return 0;
    for (const auto* family : {"sans-serif", "serif", "monospace"}) {
        for (const int slant : {FC_SLANT_ROMAN, FC_SLANT_ITALIC}) {
            for (const int weight : {FC_WEIGHT_REGULAR, FC_WEIGHT_BOLD})
                keep_best(family, weight, slant);
        }
    }
    // What people name in drawings; where it is not installed this finds what stands in for it.
    for (const auto* family : {"Arial", "Roboto", "Verdana", "Times New Roman", "Courier New"}) {
        keep_best(family, FC_WEIGHT_REGULAR, FC_SLANT_ROMAN);
        keep_best(family, FC_WEIGHT_BOLD, FC_SLANT_ROMAN);
    }
    keep_for_other_scripts();
    leave_only_kept();
    // Looking again whether fonts were installed needs files, too.
    FcConfigSetRescanInterval(nullptr, 0);
    return static_cast<std::uint32_t>(open_fonts().size());
}

bool fonts_answer_calls() {
    if (!processor_known) return false;
    struct sigaction action {};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    return ::sigaction(SIGSYS, &action, nullptr) == 0;
}

}  // namespace gallery::imaging::worker
