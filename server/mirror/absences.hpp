// SPDX-License-Identifier: Apache-2.0
/// Whether an item that the source does not have was erased in it.
///
/// A storage engine takes an entry out of service that it cannot understand: the engine `filesystem` moves a
/// folder with a damaged record.json to `set-aside` at its start. The image is then not found, as if it had
/// been erased, and the copy in the target may be the only good one. Therefore an item is removed from the
/// target only if the feed of the source contains its erasure, or if the source has nothing out of service.
///
/// An engine reports the number of these entries as the figure entries_set_aside
/// (etc/doc/storage_plugins.md). An engine without this figure is checked completely
/// (storage_engine::check()), once in a pass that has found an item that only the target has; but only if
/// nothing writes to the source, as the contract requires. Otherwise it may have entries out of service.
#pragma once

#include "mirror/names.hpp"

#include <gallery/error.hpp>
#include <gallery/model.hpp>
#include <gallery/storage_engine.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace gallery::mirror {

/// The name of the figure.
inline constexpr std::string_view entries_set_aside_name = "entries_set_aside";

/// Empty if the engine does not report it.
std::optional<std::uint64_t> entries_set_aside(const storage_engine& store);

class absences {
public:
    /// @p source outlives it. @p may_check: nothing writes to it.
    absences(storage_engine& source, bool may_check) : source_(source), may_check_(may_check) {}

    /// @p entries that the source had out of service when it was completed as a copy itself: they were copied
    /// again, so nothing is missing because of them.
    void disregard(std::uint64_t entries) noexcept { disregarded_ = entries; }

    /// Forgets what was read for the pass before. Entries are taken out of service when a store is opened.
    void begin_pass();

    /// The entries that the source has out of service, as far as it reports them.
    [[nodiscard]] std::uint64_t set_aside() const;

    /// Whether everything that the source does not have was erased in it. Errors: those of check().
    task<result<bool>> are_all_erased();
    /// Likewise of one item, which the source does not have. Errors: those of check() and of the feed.
    task<result<bool>> is_erased(image_name name);
    task<result<bool>> is_erased(document_name name);

    /// Why are_all_erased() is false.
    [[nodiscard]] std::string reason() const;

private:
    /// Reads the feed to its end, at first from its beginning. An item whose last change is an erasure was
    /// erased, whatever was lost before.
    task<result<void>> read_feed();
    void add(const change_batch& batch);

    storage_engine& source_;
    const bool may_check_;
    std::uint64_t disregarded_ = 0;
    std::optional<std::string> problem_;  ///< the first one of check(); empty if there is none
    revision read_to_ = 0;                ///< position in the feed
    std::set<image_name> erased_images_;
    std::set<document_name> erased_documents_;
};

}  // namespace gallery::mirror
