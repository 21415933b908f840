// SPDX-License-Identifier: Apache-2.0
// preview_bench --worker <path of gallery-imaging-worker> [--pictures <folder>] [files]
//
// The folder has png/kodak-1.png, -5, -13 and -23 of the Kodak Lossless True Color Image Suite (768 x 512),
// which are too large for this repository. Without it a grey field with noise is measured, and no PNG.
//
// What looking at one picture takes, from handing it to an imaging worker until its preview is there: a
// photograph of 12 megapixels (made here of a real one, enlarged, with a camera's noise; baseline and
// progressive), photographs of 768 x 512 as PNG, and whatever files are named. Prints medians and slowest of
// 21, and ends with 1 where a median is above what is wanted.
#include "imaging/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <vips/vips.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace gallery;
namespace fs = std::filesystem;

namespace {

constexpr double wanted_photograph_ms = 250;
constexpr double wanted_png_ms = 30;

[[noreturn]] void stop(const std::string& why) {
    std::fprintf(stderr, "preview_bench: %s\n", why.c_str());
    std::exit(2);
}

std::string read(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Takes what an operation made. @p image is a reference because it is set while the other argument is
// evaluated.
VipsImage* made(int failed, VipsImage*& image) {
    if (failed != 0) stop(vips_error_buffer());
    return std::exchange(image, nullptr);
}

// 4000 x 3000 pixels as a camera writes them, some 4 MB. What is made on the way is kept until the end.
std::string photograph(const fs::path& from, bool progressive) {
    constexpr int width = 4000;
    constexpr int height = 3000;
    VipsImage* image = nullptr;
    VipsImage* out = nullptr;
    if (fs::exists(from)) {
        image = vips_image_new_from_file(from.c_str(), nullptr);
        if (image == nullptr) stop(vips_error_buffer());
        const double across = static_cast<double>(width) / image->Xsize;
        const double down = static_cast<double>(height) / image->Ysize;
        image = made(vips_resize(image, &out, across, "vscale", down, nullptr), out);
    } else {
        std::printf("# no real picture at %s: a grey field stands for it\n", from.c_str());
        image = made(vips_black(&out, width, height, "bands", 3, nullptr), out);
        image = made(vips_linear1(image, &out, 1, 128, nullptr), out);
    }
    VipsImage* noise = made(vips_gaussnoise(&out, width, height, "sigma", 10.0, "mean", 0.0, nullptr), out);
    image = made(vips_add(image, noise, &out, nullptr), out);
    image = made(vips_cast_uchar(image, &out, nullptr), out);
    image = made(vips_copy(image, &out, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr), out);
    void* bytes_made = nullptr;
    std::size_t size = 0;
    const gboolean interlace = progressive ? TRUE : FALSE;
    if (vips_jpegsave_buffer(image, &bytes_made, &size, "Q", 85, "interlace", interlace, nullptr) != 0)
        stop(vips_error_buffer());
    return {static_cast<const char*>(bytes_made), size};
}

result<imaging::picture> inspect(imaging::pool& pool, const std::string& data) {
    static asio::io_context context{1};  // outlives the pool, whose threads post to it
    context.restart();
    std::optional<result<imaging::picture>> answer;
    auto work = [](imaging::pool* where, imaging::upload what,
                   std::optional<result<imaging::picture>>* into) -> task<> {
        auto looked_at = co_await where->inspect(std::move(what));
        into->emplace(std::move(looked_at));
    };
    imaging::upload what{system_tenant, sha256(data), body(bytes::own(std::string(data)))};
    asio::co_spawn(context.get_executor(), work(&pool, std::move(what), &answer), asio::detached);
    context.run();
    return std::move(*answer);
}

bool measure(imaging::pool& pool, const std::string& name, const std::string& data, double wanted) {
    constexpr int times = 21;
    std::vector<double> took;
    std::string what;
    for (int i = 0; i < times; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        const auto picture = inspect(pool, data);
        took.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
        if (!picture) stop(name + ": " + picture.error().message);
        what = std::to_string(picture->width) + " x " + std::to_string(picture->height) + ", preview " +
               std::to_string(picture->preview.size()) + " bytes";
    }
    std::ranges::sort(took);
    const double median = took[times / 2];
    const bool good = wanted == 0 || median <= wanted;
    std::printf("%-34s %9zu bytes  median %7.1f ms  slowest %7.1f ms  %s  (%s)\n", name.c_str(), data.size(),
                median, took.back(), good ? "" : "MISSED", what.c_str());
    std::fflush(stdout);
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    imaging::pool_options options;
    options.workers = 1;
    fs::path pictures;
    std::vector<std::string> files;
    for (int i = 1; i < argc; ++i) {
        const std::string given = argv[i];
        if (given == "--worker" && i + 1 < argc)
            options.worker = argv[++i];
        else if (given == "--pictures" && i + 1 < argc)
            pictures = argv[++i];
        else
            files.push_back(given);
    }
    if (options.worker.empty()) stop("--worker is needed");
    if (vips_init(argv[0]) != 0) stop(vips_error_buffer());
    auto started = imaging::pool::start(std::move(options));
    if (!started) stop(started.error().message);
    auto& pool = **started;

    bool good = true;
    for (const bool progressive : {false, true}) {
        const auto data = photograph(pictures / "png" / "kodak-23.png", progressive);
        good = measure(pool, progressive ? "12 megapixels, progressive JPEG" : "12 megapixels, JPEG", data,
                       progressive ? 0 : wanted_photograph_ms) &&
               good;
    }
    for (const auto* name : {"kodak-1.png", "kodak-5.png", "kodak-13.png", "kodak-23.png"}) {
        const auto file = pictures / "png" / name;
        if (fs::exists(file)) good = measure(pool, name, read(file), wanted_png_ms) && good;
    }
    for (const auto& file : files)
        measure(pool, file, read(file), 0);
    return good ? 0 : 1;
}
