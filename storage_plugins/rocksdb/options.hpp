// SPDX-License-Identifier: Apache-2.0
/// What an operator can set for this engine, checked when the store is opened.
#pragma once

#include <gallery/error.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace gallery::rocks {

struct options {
    // Memory, in bytes. The engine's resident memory is about the sum of these.
    std::uint64_t cache_bytes = 256ULL << 20;         ///< bodies that were verified and are kept for reading
    std::uint64_t record_cache_bytes = 32ULL << 20;   ///< decoded records
    std::uint64_t block_cache_bytes = 64ULL << 20;    ///< RocksDB's blocks: records, index entries, filters
    std::uint64_t write_buffer_bytes = 64ULL << 20;   ///< committed writes that are not in table files yet
    std::uint64_t page_index_bytes = 16ULL << 20;     ///< positions inside long lists
    std::uint64_t search_index_bytes = 512ULL << 20;  ///< names and orders of tenants that were searched

    std::uint64_t reserve_bytes = 64ULL << 20;  ///< disk space for erasing on a full disk

    std::uint64_t body_file_bytes = 32ULL << 10;  ///< bodies of this size and more are files; 0: none
    std::uint32_t open_body_files = 512;          ///< of them, kept open

    std::uint32_t writers = 16;          ///< threads that wait for the disk's synchronisation
    std::uint32_t readers = 8;           ///< threads that read from the disk and build lists
    std::uint32_t background_jobs = 2;   ///< RocksDB's flushes and compactions at a time
    std::uint32_t max_open_files = 512;  ///< table and blob files kept open
    std::uint64_t changes_kept = 100'000;
    bool accept_lost_writes = false;  ///< open although the log has lost acknowledged writes
};

/// JSON text for plugin_descriptor::config_schema; names and defaults agree with parse_options.
extern const char* const options_schema;

/// Error: invalid_argument, with the option's name, its value and what is expected.
result<options> parse_options(const std::map<std::string, std::string>& given);

}  // namespace gallery::rocks
