// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <array>
#include <charconv>
#include <string_view>

namespace gallery::rocks {

const char* const options_schema = R"({
"cache_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "256M", "description": "Memory for picture bytes that were read and verified; 0 keeps none. Bytes, or a number with K, M or G."},
"record_cache_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "32M", "description": "Memory for decoded image records."},
"block_cache_bytes": {"type": "size", "min": 1048576, "max": 17592186044416, "default": "64M", "description": "Memory for RocksDB's blocks: records, list entries, filters. At least 1M."},
"write_buffer_bytes": {"type": "size", "min": 8388608, "max": 68719476736, "default": "64M", "description": "Memory for committed writes that have not reached table files yet. At least 8M."},
"page_index_bytes": {"type": "size", "min": 1048576, "max": 17592186044416, "default": "16M", "description": "Memory for positions inside long lists, so that late pages are as quick as early ones."},
"reserve_bytes": {"type": "size", "min": 0, "max": 17592186044416, "default": "64M", "description": "Disk space kept for deleting images and logging out on a full disk, at most an eighth of the file system; 0 keeps none."},
"writers": {"type": "integer", "min": 1, "max": 256, "default": "16", "description": "Threads that write; as many writes can share one synchronisation of the disk. 1 to 256."},
"readers": {"type": "integer", "min": 1, "max": 256, "default": "8", "description": "Threads that read from the disk and build lists. 1 to 256."},
"background_jobs": {"type": "integer", "min": 1, "max": 64, "default": "2", "description": "Flushes and compactions at a time. 1 to 64."},
"max_open_files": {"type": "integer", "min": 64, "max": 1000000, "default": "512", "description": "Table and blob files kept open. 64 to 1000000; stay below the limit of open files of the process."},
"changes_kept": {"type": "integer", "min": 10000, "max": 100000000, "default": "100000", "description": "Length of the change feed. 10000 to 100000000."},
"accept_lost_writes": {"type": "boolean", "default": "false", "description": "true opens a store whose write-ahead log is damaged, without the writes that cannot be read any more. Set it once, after reading the error."}
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
    number_option{"reserve_bytes", &options::reserve_bytes, nullptr, 0, most_memory, true},
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
                             "rocksdb option accept_lost_writes is '" + text + "'; it takes true or false."};
            parsed.accept_lost_writes = text == "true";
            continue;
        }
        const number_option* option = nullptr;
        for (const auto& candidate : numbers)
            if (name == candidate.name) option = &candidate;
        if (option == nullptr)
            return error{errc::invalid_argument,
                         "The rocksdb plugin has no option '" + name + "'; remove it or correct its name."};
        std::uint64_t value = 0;
        if (!parse_number(text, value) || value < option->least || value > option->most)
            return error{errc::invalid_argument,
                         "rocksdb option " + name + " is '" + text + "'; it takes a whole number from " +
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
