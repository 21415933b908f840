// SPDX-License-Identifier: Apache-2.0
/// One pass over all bodies of a store, in pieces.
///
/// A pass reads the bodies that are known to be damaged, then those of all images, then those of all kept
/// versions. An operator who has restored an image therefore sees it as sound soon after a new pass was
/// started. A piece ends with a page of the store's scan. The state up to there is what is stored, so a piece
/// that was interrupted is read again, and every body that is stored during the whole pass is read.
///
/// Records that cannot be read are counted and logged, and the pass goes on behind them. Their bodies are not
/// known, so such a pass is not complete.
///
/// A body is read a second time before it counts as damaged, because the first error may have been one of
/// the memory or of a lack of descriptors. Bodies that are replaced or removed meanwhile are no damage.
#pragma once

#include "mirror/pace.hpp"
#include "scrub/saved.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::scrub {

struct pass_options {
    std::size_t page = 32;                 ///< items of one scan, at least 1
    std::function<std::uint64_t()> rate;   ///< bytes per second; 0: no limit
    std::function<bool()> is_interrupted;  ///< the piece is to end; asked between bodies and during waits
    std::function<task<result<bool>>()> go_on;    ///< awaited before each body; false: the pass is given up
    std::function<void(const figures&)> on_read;  ///< after each body, with what was read up to then
    std::function<std::int64_t()> now;            ///< milliseconds since 1970-01-01T00:00Z
    std::function<void(bool is_problem, std::string_view text)> log;
};

enum class piece : std::uint8_t {
    done,         ///< there is more to read
    end,          ///< nothing is left to read
    interrupted,  ///< nothing of the piece counts
    lost,         ///< go_on() has returned false
};

class pass {
public:
    /// All outlive it.
    pass(storage_engine& store, const pass_options& options) : store_(store), options_(options) {}

    /// Sets @p state to the start of a new pass, and counts what there is to read. Errors: those of the
    /// store, after which @p state is unchanged.
    task<result<void>> begin(saved_scrub& state);

    /// Reads the next piece and advances @p state, which outlives the call. Damage is noted in it at once.
    /// Errors: those of the store that are not damage; the piece can be repeated. If a scan fails because of
    /// damage, the rest of its stage is skipped, and state.unread describes it.
    task<result<piece>> advance(saved_scrub& state);

private:
    task<result<piece>> known(saved_scrub& state);
    task<result<piece>> images(saved_scrub& state);
    task<result<piece>> kept(saved_scrub& state);
    /// The version that is noted to be damaged; null if it is not stored any more.
    task<result<record_ptr>> find_version(const damaged_body& noted);
    task<result<piece>> version(saved_scrub& state, record_ptr record, figures& done);
    task<result<piece>> one_body(saved_scrub& state, record_ptr record, representation which, figures& done);
    task<result<void>> read_twice(record_ptr record, representation which);
    /// The scan of the stage has failed. Error: @p failed, if it is not damage.
    result<piece> end_stage_early(saved_scrub& state, const error& failed, const char* what);
    /// Adds what could not be read to @p done and to @p state.
    void note_unread(saved_scrub& state, const std::vector<std::string>& texts, figures& done) const;
    static void next_stage(saved_scrub& state);

    storage_engine& store_;
    const pass_options& options_;
    mirror::pace pace_;
};

}  // namespace gallery::scrub
