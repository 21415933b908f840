// SPDX-License-Identifier: Apache-2.0
/// A storage engine: what a plugin opens. It owns the three parts of a store. Part of the storage contract;
/// storage.hpp has the rules that hold for every function.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/image_store.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace gallery {

/// What check() found. Empty problems: sound.
struct check_report {
    std::uint64_t records = 0;
    std::uint64_t kept_versions = 0;
    std::uint64_t index_entries = 0;
    std::uint64_t documents = 0;
    /// At most 1,000, each with what is wrong, with which image, and what helps.
    std::vector<std::string> problems;
};

/// Whether a store takes writes at the moment.
struct write_state {
    enum class kind : std::uint8_t {
        ok,         ///< writes are accepted; also on a full disk, where each answers no_space
        read_only,  ///< opened without being able to store anything new; reads are served
        failed,     ///< a failure ended writing until the store is opened again; reads are served
    };
    kind state = kind::ok;
    /// What happened and what to do, for operators: a short text that may name files. It is never sent to a
    /// client. Empty where state is ok.
    std::string reason;

    friend bool operator==(const write_state&, const write_state&) = default;
};

/// One figure for the metrics endpoint.
struct statistic {
    enum class kind : std::uint8_t {
        gauge,    ///< goes up and down
        counter,  ///< only grows while the engine is open; its name ends with "_total"
    };
    std::string name;  ///< snake_case, with its unit: "block_cache_bytes", "body_cache_hits_total"
    kind what = kind::gauge;
    std::string help;  ///< one sentence for operators, in one line
    double value = 0;
};

class storage_engine {
public:
    storage_engine() = default;
    storage_engine(const storage_engine&) = delete;
    storage_engine& operator=(const storage_engine&) = delete;

    /// Closes the store; blocks until work in progress has ended. No coroutine of it may be running.
    virtual ~storage_engine() = default;

    /// The parts of the store: the same objects at each call, valid until the engine is destroyed.
    [[nodiscard]] virtual image_store& images() noexcept = 0;
    [[nodiscard]] virtual document_store& documents() noexcept = 0;
    [[nodiscard]] virtual change_feed& feed() noexcept = 0;

    /// Compares the engine's structures with each other: each record and kept version has its index entries
    /// and bodies (existence and length; hashes are checked by reading), each record its public key, each of
    /// those has its record, counts and usage are right. What the engine has taken out of service because it
    /// could not be understood is a problem at every call, until an operator has dealt with it. May take
    /// long; writes may go on meanwhile only where the engine says so.
    virtual task<result<check_report>> check() = 0;

    /// Whether writes are accepted. While they are not, a write fails with read_only and changes nothing;
    /// removals may still succeed where they need no space. The write whose failure ended writing fails with
    /// io_error: its outcome is unknown.
    /// Any thread; cheap; never blocks. An engine that never stops writing inherits this.
    [[nodiscard]] virtual write_state writing() const { return {}; }

    /// Figures for the metrics endpoint, the same names at each call. Any thread; cheap.
    [[nodiscard]] virtual std::vector<statistic> statistics() const = 0;
};

}  // namespace gallery
