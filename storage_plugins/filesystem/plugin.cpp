// SPDX-License-Identifier: Apache-2.0
// The engine as a storage plugin: its options and its descriptor.
#include "filesystem_store.hpp"

#include <gallery/kit/open_files.hpp>
#include <gallery/plugin.hpp>

#include <charconv>
#include <exception>

namespace gallery::file_store {
namespace {

constexpr const char* schema = R"({
  "cache_bytes": {"type": "size", "reload": true, "cache": true, "default": "64M", "min": 0, "max": 1099511627776,
    "description": "Memory for small images (below 32 KiB). 0: off"},
  "open_files": {"type": "integer", "reload": true, "cache": true, "default": "512", "min": 0, "max": 1000000,
    "description": "Number of files of larger images that are kept open; at most a quarter of the process's limit of open files. 0: none"},
  "threads": {"type": "integer", "default": "16", "min": 1, "max": 256,
    "description": "Number of threads that read and write files"},
  "rename_exchange": {"type": "choice", "values": ["auto", "never"], "default": "auto",
    "description": "auto: replace a folder in one step if the file system supports it; never: always replace it in two steps"}
})";

result<std::size_t> number_option(const plugin_context& context, const std::string& name, std::size_t preset,
                                  std::size_t least, std::size_t most) {
    const auto found = context.options.find(name);
    if (found == context.options.end() || found->second.empty()) return preset;
    const auto& text = found->second;
    std::size_t value = 0;
    const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || stop != text.data() + text.size() || value < least || value > most)
        return error{errc::invalid_argument, "The option " + name + " of the filesystem store is \"" + text +
                                                 "\"; expected a number from " + std::to_string(least) +
                                                 " to " + std::to_string(most) + "."};
    return value;
}

result<store_options> parse_options(const plugin_context& context) {
    store_options options;
    for (const auto& [name, value] : context.options)
        if (name != "cache_bytes" && name != "open_files" && name != "threads" && name != "rename_exchange")
            return error{errc::invalid_argument,
                         "The filesystem store has no option " + name +
                             "; it has cache_bytes, open_files, threads and rename_exchange."};
    const auto cache = number_option(context, "cache_bytes", options.cache_bytes, 0, std::size_t{1} << 40);
    if (!cache) return cache.error();
    options.cache_bytes = *cache;
    const auto files = number_option(context, "open_files", options.open_files, 0, 1'000'000);
    if (!files) return files.error();
    options.open_files = kit::bounded_by_limit(*files);
    const auto threads = number_option(context, "threads", options.threads, 1, 256);
    if (!threads) return threads.error();
    options.threads = *threads;
    if (const auto found = context.options.find("rename_exchange"); found != context.options.end()) {
        if (found->second != "auto" && found->second != "never")
            return error{errc::invalid_argument, "The option rename_exchange of the filesystem store is \"" +
                                                     found->second + "\"; expected auto or never."};
        options.may_exchange = found->second == "auto";
    }
    return options;
}

result<std::unique_ptr<storage_engine>> create(const plugin_context& context) noexcept {
    try {
        const auto options = parse_options(context);
        if (!options) return options.error();
        auto log = context.log ? context.log : [](log_level, std::string_view) {};
        return filesystem_store::open(context.path, *options, log);
    } catch (const std::exception& e) {
        return error{errc::unavailable, "The store in " + context.path + " cannot be opened: " + e.what()};
    }
}

constexpr plugin_descriptor descriptor = {
    GALLERY_PLUGIN_HEADER, "filesystem", GALLERY_VERSION, schema, false, &create, true};

}  // namespace

void filesystem_store::change_options(const std::map<std::string, std::string>& options) {
    plugin_context context;
    context.options = options;
    const auto chosen = parse_options(context);
    if (chosen) cache_.set_bounds(chosen->cache_bytes, chosen->open_files);
}

}  // namespace gallery::file_store

GALLERY_STORAGE_PLUGIN(gallery::file_store::descriptor)
