// SPDX-License-Identifier: Apache-2.0
/// Reports when the store stops accepting writes, and when it accepts them again.
#pragma once

#include <gallery/mutex.hpp>
#include <gallery/storage.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace gallery::app {

/// Threads: check() by any at any time; @p store outlives this. @p say is called under a lock and must not
/// call check().
class write_watch {
public:
    using log_function = std::function<void(bool accepts, std::string_view text)>;

    write_watch(const storage_engine& store, log_function say) : store_(store), say_(std::move(say)) {}

    /// Whether the store accepts writes. Logs where the answer differs from the last one; the first one is
    /// compared with "yes".
    bool check();

private:
    const storage_engine& store_;
    log_function say_;
    mutex mutex_;
    write_state last_ GALLERY_GUARDED_BY(mutex_);
};

}  // namespace gallery::app
