// SPDX-License-Identifier: Apache-2.0
/// What the steps of a copy share: the two stores, the options, the figures and the problems.
#pragma once

#include "mirror/absences.hpp"
#include "mirror/bodies.hpp"
#include "mirror/mark.hpp"
#include "mirror/pace.hpp"

#include <gallery/error.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gallery::mirror {

/// The progress of a copy. All numbers but the totals count from the creation of the copier.
struct figures {
    stage at = stage::documents;
    std::uint64_t images_done = 0;   ///< of the pass: compared, and copied where they differed
    std::uint64_t images_total = 0;  ///< in the source when the pass began
    std::uint64_t bytes_done = 0;    ///< of the images that are done; originals and previews
    std::uint64_t bytes_total = 0;
    std::uint64_t images_copied = 0;   ///< with their bytes
    std::uint64_t bytes_copied = 0;    ///< of images and kept versions
    std::uint64_t images_updated = 0;  ///< records without bytes
    std::uint64_t images_erased = 0;
    std::uint64_t versions_copied = 0;
    std::uint64_t versions_dropped = 0;
    std::uint64_t documents_written = 0;
    std::uint64_t documents_erased = 0;
    std::uint64_t changes_applied = 0;  ///< changes of the source that were read from its feed
    std::uint64_t damaged = 0;          ///< items that the source cannot return or has out of service
    std::uint64_t bodies_compared = 0;  ///< pairs of bodies that were read from both stores and hashed

    [[nodiscard]] std::uint64_t writes() const noexcept {
        return images_copied + images_updated + images_erased + versions_copied + versions_dropped +
               documents_written + documents_erased;
    }
};

struct copy_options {
    std::size_t at_once = 16;                    ///< images that are copied at the same time, at least 1
    std::uint64_t memory = 32U << 20;            ///< bytes of bodies in memory; a larger body is copied alone
    std::size_t page = 256;                      ///< items of one scan, at least 1
    std::uint64_t bytes_per_second = 0;          ///< of bodies that are read; 0: no limit
    bool is_source_written = false;              ///< others write to the source during the copy
    std::function<void(const figures&)> report;  ///< after each page and batch, on the copier's thread
    std::function<bool()> is_stopping;           ///< asked between items and during waits; may be empty
};

class work {
public:
    work(storage_engine& source, storage_engine& target, copy_options chosen);

    storage_engine& from;
    storage_engine& to;
    const copy_options options;
    figures done;
    body_reader bodies;
    absences absent;
    bool reads_bodies = false;  ///< the pass reads and hashes the bodies of both stores
    bool is_hurried = false;    ///< options.bytes_per_second does not apply

    static constexpr std::size_t max_problems = 1'000;  ///< of a list of texts
    static constexpr std::size_t max_differences = 10'000;

    /// Notes an item that the source cannot return. The copy goes on without it. @p item is its name here.
    void note_damage(std::string item, std::string text);
    /// Notes an item that only the target has, and that is kept because it may be one that the source has out
    /// of service (absences.hpp). It counts as damage. @p what describes it: "the image ...".
    void note_only_in_target(std::string item, const std::string& what);
    /// The item is in the target as it is in the source, or in neither.
    void clear_damage(const std::string& item);
    /// Likewise of all items whose names begin with @p prefix, except these.
    void clear_damage_below(const std::string& prefix, const std::set<std::string>& except);
    /// Forgets all damage, and reads how much the source has out of service.
    void begin_pass();
    /// Reads how much the source has out of service.
    void look_at_source();
    [[nodiscard]] bool is_damaged(const std::string& item) const {
        return problems_.contains(item) || only_in_target_.contains(item);
    }
    /// What is known to be damaged, one text per item, at most max_problems and the number of the others.
    [[nodiscard]] std::vector<std::string> problems() const;

    /// Notes an item that was different in the target, and is repaired. Only while reads_bodies is set: in
    /// other passes, differences are expected.
    void note_difference(std::string item, std::string text);
    /// Forgets the difference, because the feed contains a change of the item.
    void explain_difference(const std::string& item);
    /// Likewise of all items whose names begin with @p prefix, except these.
    void explain_differences_below(const std::string& prefix, const std::set<std::string>& except);
    void forget_differences() noexcept;
    /// At most max_problems and the number of the others.
    [[nodiscard]] std::vector<std::string> differences() const;

    /// Error: unavailable if the copy is to stop.
    [[nodiscard]] result<void> may_go_on() const;
    /// Waits until @p bytes more may be read by options.bytes_per_second. Error: as may_go_on().
    task<result<void>> wait_for_share(std::uint64_t bytes);
    void report() const;

private:
    void count_damage() noexcept;
    /// Entries that the source has out of service and of which the target has no copy, as far as is known.
    [[nodiscard]] std::uint64_t missing_entries() const noexcept;

    std::map<std::string, std::string> problems_;        ///< by item; all of them, since each may be cleared
    std::map<std::string, std::string> only_in_target_;  ///< likewise
    std::uint64_t set_aside_ = 0;
    std::map<std::string, std::string> differences_;  ///< by item; at most max_differences
    bool has_more_differences_ = false;
    pace pace_;
};

/// The error of a copy that was told to stop.
bool is_stopped(const error& e) noexcept;

/// Whether an error is about one stored item rather than about the store.
bool is_damage(const error& e) noexcept;

/// An error of one of the stores, preceded by which: "the source: ...".
error of_source(const error& e);
error of_target(const error& e);

}  // namespace gallery::mirror
