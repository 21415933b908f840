// SPDX-License-Identifier: Apache-2.0
// fill_store --plugin <path of the .so> --folder <its folder> --tenant <uuid> [--images n] [--bytes n]
//
// Puts images into a tenant through the storage plugin, which is some twenty times as fast as uploading them.
// No server may have the folder open. Keys are picture-000000.png and so on, titles are of a few words,
// bytes are a PNG of one pixel with the number as its text. With --bytes, the text is so much longer that the
// pictures are between a tenth and nearly twice that many bytes long, that many on average.
#include "engine.hpp"

#include <gallery/text.hpp>

#include <boost/asio/co_spawn.hpp>

#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace gallery;
using load::must;
using load::stop;

namespace {

std::string be32(std::uint32_t value) {
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
    return out;
}

std::string chunk(const std::string& type, const std::string& data) {
    const auto checked = type + data;
    const auto sum =
        ::crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<z_size_t>(checked.size()));
    return be32(static_cast<std::uint32_t>(data.size())) + checked + be32(static_cast<std::uint32_t>(sum));
}

// One grey pixel: the row's filter and its value, deflated without compression.
std::string pixel(const std::string& text) {
    using namespace std::string_literals;
    return "\x89PNG\r\n\x1a\n" + chunk("IHDR", be32(1) + be32(1) + "\x08\0\0\0\0"s) +
           chunk("tEXt", "Comment\0"s + text) +
           chunk("IDAT", "\x78\x01\x01\x02\0\xfd\xff\0\x80\0\x82\0\x81"s) + chunk("IEND", "");
}

struct filling {
    image_store& store;
    tenant_id tenant;
    std::uint64_t images;
    std::uint64_t bytes;  ///< of an image, on average; 0: as few as possible
    std::uint64_t next = 0;
    std::mt19937_64 dice{20240501};

    std::string text(std::uint64_t number) {
        std::string out = std::to_string(number);
        if (bytes == 0) return out;
        std::uniform_int_distribution<std::uint64_t> length(bytes / 10, bytes * 19 / 10);
        const auto wanted = length(dice);
        while (out.size() < wanted) {
            const auto noise = dice();
            out.append(reinterpret_cast<const char*>(&noise), sizeof noise);
        }
        return out;
    }

    image_record record(std::uint64_t number, const std::string& bytes_of_it) {
        static const char* const words[] = {"north", "pump",  "Valve", "boiler", "room",
                                            "Plan",  "floor", "tank",  "meter",  "logo"};
        image_record made;
        for (auto& byte : made.id.value)
            byte = static_cast<std::uint8_t>(dice());
        made.tenant = tenant;
        char key[40];
        std::snprintf(key, sizeof key, "picture-%06llu.png", static_cast<unsigned long long>(number));
        made.key = made.file_name = key;
        for (int i = 0; i < 3; ++i)
            made.title += std::string(words[dice() % 10]) + " ";
        made.title += std::to_string(dice() % 100'000);
        for (int i = 0; i < 32; ++i)
            made.public_key += static_cast<char>('a' + dice() % 26);
        made.is_public = true;
        made.created_time = 1'700'000'000'000 + static_cast<std::int64_t>(dice() % 10'000'000'000);
        made.original = {"image/png", 1, 1, bytes_of_it.size(),
                         sha256({bytes_of_it.data(), bytes_of_it.size()})};
        made.preview_is_original = true;
        made.preview = made.original;
        return made;
    }

    task<void> work() {
        while (next < images) {
            const auto number = next++;
            auto content = pixel(text(number));
            auto what = record(number, content);
            body original = bytes::own(std::move(content));
            body none;
            must(co_await store.save(std::move(what), std::move(original), std::move(none),
                                     precondition::any()));
        }
    }
};

}  // namespace

int main(int argc, char** argv) {
    std::string plugin;
    std::string tenant;
    plugin_context context;
    std::uint64_t images = 100'000;
    std::uint64_t size = 0;
    const auto takes = [&](const std::string& name, const std::string& value) {
        if (name == "--tenant")
            tenant = value;
        else if (name == "--images")
            images = std::stoull(value);
        else if (name == "--bytes")
            size = std::stoull(value);
        else
            return false;
        return true;
    };
    load::read_options(argc, argv, plugin, context.path, takes);
    const auto owner = parse_uuid(tenant);
    if (!owner) stop("--tenant is needed: the tenant's id");
    context.log = [](log_level, std::string_view) {};
    const auto& descriptor = load::load_plugin(plugin);

    const auto begin = std::chrono::steady_clock::now();
    auto store = must(descriptor.create(context));
    filling all{store->images(), tenant_id{*owner}, images, size};
    asio::io_context io{1};
    constexpr unsigned writers = 64;
    for (unsigned i = 0; i < writers; ++i)
        asio::co_spawn(io, all.work(), [](std::exception_ptr thrown) {
            if (thrown) stop("an exception crossed the contract");
        });
    io.run();
    std::printf("%llu images in %.1f s\n", static_cast<unsigned long long>(images),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}
