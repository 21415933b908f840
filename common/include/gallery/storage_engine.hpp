// SPDX-License-Identifier: Apache-2.0
/// A storage engine, which a plugin opens. It owns the three parts of a store. Part of the storage contract;
/// storage.hpp contains the rules that apply to every function.
#pragma once

#include <gallery/change_feed.hpp>
#include <gallery/document_store.hpp>
#include <gallery/error.hpp>
#include <gallery/image_store.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace gallery {

/// The result of check(). The store is sound if problems is empty.
struct check_report {
    std::uint64_t records = 0;
    std::uint64_t kept_versions = 0;
    std::uint64_t index_entries = 0;
    std::uint64_t documents = 0;
    /// At most 1,000. Each contains the fault, the image, and the remedy.
    std::vector<std::string> problems;
};

/// The result of rewrite_bodies().
struct rewrite_report {
    std::uint64_t bodies = 0;  ///< originals and previews that were stored in another way
    std::uint64_t bytes = 0;   ///< of them
    /// Bodies that cannot be read and stay as they are; at most 1,000.
    std::vector<std::string> problems;
};

/// Whether a store accepts writes at the moment.
struct write_state {
    enum class kind : std::uint8_t {
        ok,         ///< writes are accepted; also on a full disk, where each returns no_space
        read_only,  ///< opened read-only; reads are served
        failed,     ///< a failure stopped writing until the store is opened again; reads are served
    };
    kind state = kind::ok;
    /// Cause and remedy for operators: a short text that may contain file names. It is never sent to a
    /// client. Empty if state is ok.
    std::string reason;

    friend bool operator==(const write_state&, const write_state&) = default;
};

/// One figure for the metrics endpoint.
struct statistic {
    enum class kind : std::uint8_t {
        gauge,    ///< increases and decreases
        counter,  ///< only increases while the engine is open; its name ends with "_total"
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
    /// and bodies (existence and length; hashes are checked by reading), each record its public key, and each
    /// of those has its record; counts and usage are right. Each entry that the engine has taken out of
    /// service is reported at every call, until an operator has dealt with it. May take long. Writes may
    /// continue meanwhile only if the engine documents this.
    virtual task<result<check_report>> check() = 0;

    /// Stores all bodies in the way in which the engine, with its options, stores new ones. A body that an
    /// earlier version or other options have stored in another way so gets its new place; bytes, records,
    /// revisions and the feed do not change. @p progress receives the number of records and kept versions
    /// that were looked at; it may be empty. May take long; reads and writes continue. After an error or a
    /// crash the store is sound, and a repetition continues. Errors: those of the store. An engine with one
    /// way to store bodies inherits this function, which does nothing.
    virtual task<result<rewrite_report>> rewrite_bodies(std::function<void(std::uint64_t)> progress);

    /// Whether writes are accepted. While they are not, a write fails with read_only and changes nothing;
    /// removals may still succeed if they require no space. The write during which writing stopped fails with
    /// io_error, and its outcome is unknown. Any thread; cheap; never blocks. An engine that never stops
    /// writing inherits this function.
    [[nodiscard]] virtual write_state writing() const { return {}; }

    /// Gives new values to the options that the schema declares with "reload": true. @p options has all
    /// options of the schema, in the form of plugin_context::options; all others are as in create(). A
    /// smaller cache evicts before the return. Any thread, one call at a time; work of the store may be in
    /// progress. May block for a short time. An engine without such options inherits this function.
    virtual void change_options(const std::map<std::string, std::string>& options) { (void)options; }

    /// Figures for the metrics endpoint, the same names at each call. Any thread; cheap.
    [[nodiscard]] virtual std::vector<statistic> statistics() const = 0;
};

inline task<result<rewrite_report>> storage_engine::rewrite_bodies(
    std::function<void(std::uint64_t)> progress) {
    static_cast<void>(progress);
    co_return rewrite_report();
}

}  // namespace gallery
