// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace gallery::rocks {

const char* const options_schema = R"({
"cache_bytes": {"type": "size", "reload": true, "cache": true, "min": 0, "max": 17592186044416, "default": "256M", "description": "Memory for bytes of images that are not in files, after they were read and verified. 0: off"},
"record_cache_bytes": {"type": "size", "reload": true, "cache": true, "min": 0, "max": 17592186044416, "default": "32M", "description": "Memory for decoded image records. 0: off"},
"block_cache_bytes": {"type": "size", "reload": true, "cache": true, "min": 1048576, "max": 17592186044416, "default": "64M", "description": "Memory for RocksDB's blocks: records, list entries and filters"},
"write_buffer_bytes": {"type": "size", "min": 8388608, "max": 68719476736, "default": "64M", "description": "Memory for committed writes that are not yet in table files"},
"page_index_bytes": {"type": "size", "reload": true, "cache": true, "min": 1048576, "max": 17592186044416, "default": "16M", "description": "Memory for positions in long lists, which make late pages as fast as early ones"},
"search_index_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "512M", "description": "Memory for names and orders of the images of tenants that were searched, about 100 bytes an image. A tenant whose images do not fit is searched on the disk. 0: off"},
"reserve_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "64M", "description": "Disk space reserved for deleting images and logging out on a full disk, at most an eighth of the file system. 0: none"},
"body_file_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "32K", "description": "Size from which the bytes of a new image or preview are stored in a file of their own, which the server sends without copying it. 0: never"},
"open_body_files": {"type": "integer", "reload": true, "cache": true, "min": 0, "max": 1000000, "default": "512", "description": "Number of such files that are kept open, at most a quarter of the process's limit of open files. 0: none"},
"writers": {"type": "integer", "min": 1, "max": 256, "default": "16", "description": "Number of writing threads. Concurrent writes share disk synchronisations"},
"readers": {"type": "integer", "min": 1, "max": 256, "default": "8", "description": "Number of threads that read from the disk and build lists"},
"background_jobs": {"type": "integer", "min": 1, "max": 64, "default": "2", "description": "Number of concurrent flushes and compactions"},
"max_open_files": {"type": "integer", "min": 64, "max": 1000000, "default": "512", "description": "Number of table and blob files that are kept open. Must be below the process's limit of open files"},
"changes_kept": {"type": "integer", "min": 10000, "max": 100000000, "default": "100000", "description": "Number of changes that the change feed keeps"},
"accept_lost_writes": {"type": "boolean", "default": "false", "description": "true: open a store with a damaged write-ahead log, without the writes that cannot be read. Read the error first, and set it for one start only"}
})";

namespace {

/// The host has checked the form and resolved units: decimal digits.
bool parse_number(std::string_view text, std::uint64_t& value) {
    const char* const end = text.data() + text.size();
    const auto [after, failure] = std::from_chars(text.data(), end, value);
    return failure == std::errc{} && after == end;
}

struct number_option {
    const char* name;
    std::uint64_t options::*wide;
    std::uint32_t options::*narrow;
    std::uint64_t least;
    std::uint64_t most;
    bool size;
};

constexpr std::uint64_t most_memory = 1ULL << 44;
constexpr std::array numbers = {
    number_option{"cache_bytes", &options::cache_bytes, nullptr, 0, most_memory, true},
    number_option{"record_cache_bytes", &options::record_cache_bytes, nullptr, 0, most_memory, true},
    number_option{"block_cache_bytes", &options::block_cache_bytes, nullptr, 1ULL << 20, most_memory, true},
    number_option{"write_buffer_bytes", &options::write_buffer_bytes, nullptr, 8ULL << 20, 1ULL << 36, true},
    number_option{"page_index_bytes", &options::page_index_bytes, nullptr, 1ULL << 20, most_memory, true},
    number_option{"search_index_bytes", &options::search_index_bytes, nullptr, 0, most_memory, true},
    number_option{"reserve_bytes", &options::reserve_bytes, nullptr, 0, most_memory, true},
    number_option{"body_file_bytes", &options::body_file_bytes, nullptr, 0, most_memory, true},
    number_option{"open_body_files", nullptr, &options::open_body_files, 0, 1'000'000, false},
    number_option{"writers", nullptr, &options::writers, 1, 256, false},
    number_option{"readers", nullptr, &options::readers, 1, 256, false},
    number_option{"background_jobs", nullptr, &options::background_jobs, 1, 64, false},
    number_option{"max_open_files", nullptr, &options::max_open_files, 64, 1'000'000, false},
    number_option{"changes_kept", &options::changes_kept, nullptr, 10'000, 100'000'000, false},
};

}  // namespace

result<options> parse_options(const std::map<std::string, std::string>& given) {
    options parsed;
    for (const auto& [name, text] : given) {
        if (name == "accept_lost_writes") {
            if (text != "true" && text != "false")
                return error{errc::invalid_argument,
                             "rocksdb option accept_lost_writes is '" + text + "'; expected true or false."};
            parsed.accept_lost_writes = text == "true";
            continue;
        }
        const number_option* option = nullptr;
        for (const auto& candidate : numbers)
            if (name == candidate.name) option = &candidate;
        if (option == nullptr)
            return error{errc::invalid_argument,
                         "The rocksdb plugin has no option '" + name + "'. Remove it or correct its name."};
        std::uint64_t value = 0;
        if (!parse_number(text, value) || value < option->least || value > option->most)
            return error{errc::invalid_argument,
                         "rocksdb option " + name + " is '" + text + "'; expected a whole number from " +
                             std::to_string(option->least) + " to " + std::to_string(option->most) +
                             (option->size ? " in bytes, or with K, M or G." : ".")};
        if (option->wide != nullptr)
            parsed.*option->wide = value;
        else
            parsed.*option->narrow = static_cast<std::uint32_t>(value);
    }
    return parsed;
}

}  // namespace gallery::rocks
