// SPDX-License-Identifier: Apache-2.0
/// Makes the kept versions of the target those of the source, in the same order.
///
/// A version cannot be inserted between others: save_kept() stores it as the newest one. The target is
/// therefore compared as a sequence, oldest first. While both sequences are equal nothing happens. A version
/// of the target that does not fit was dropped in the source and is dropped, or it is dropped to be stored
/// again behind one that is missing before it. What the source has beyond the end of the target is appended.
/// This ends with equal sequences, whatever the target contained, if the source can return every version. A
/// version that it cannot return is noted as damage, and the target keeps its own one.
#pragma once

#include "mirror/work.hpp"

#include <gallery/change_feed.hpp>
#include <gallery/error.hpp>
#include <gallery/image_store.hpp>
#include <gallery/task.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gallery::mirror {

/// Reads kept versions one by one, oldest first.
class kept_reader {
public:
    kept_reader(image_store& store, std::size_t page) : store_(store), page_size_(page) {}

    /// Empty after the last one. The same one again until skip(). Errors: those of the store.
    task<result<std::optional<kept_version>>> current();
    void skip() { ++at_; }

private:
    image_store& store_;
    std::size_t page_size_;
    scan_page<kept_version> page_;
    std::size_t at_ = 0;
    bool is_begun_ = false;
};

/// All kept versions of one image, newest first. @p page: of one read. Errors: those of the store.
task<result<std::vector<kept_version>>> versions_of(image_store& store, image_id id, std::size_t page);

/// The version that a change of the source has kept; empty if it has been dropped since. Errors: those of the
/// source.
task<result<std::optional<kept_version>>> version_kept_by(work& all, change one);

/// Compares and repairs all kept versions. Errors: those of the stores.
task<result<void>> sync_kept(work& all);

/// Applies one change of the source's feed, as far as it concerns kept versions. Precondition: sync_kept()
/// has compared all versions that were kept before. Errors: those of the stores.
task<result<void>> apply_kept(work& all, change one);

}  // namespace gallery::mirror
