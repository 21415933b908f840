// SPDX-License-Identifier: Apache-2.0
/// Removes data from the database that is no longer needed.
#pragma once

#include "mirror.hpp"
#include "pool.hpp"
#include "signal.hpp"

namespace gallery::postgres {

/// Old changes, bytes that were stored ahead of a record that was never committed, and entries of processes
/// that have ended. One process at a time does it, under an advisory lock. Used on the engine's thread.
class upkeep {
public:
    upkeep(environment& in, pool& connections, const mirror& contents);

    task<> run();
    void stop();

private:
    environment& in_;
    pool& pool_;
    const mirror& mirror_;
    signal wake_;
    revision trimmed_at_ = 0;  ///< position of the mirror when changes were removed last
    bool stopping_ = false;
};

}  // namespace gallery::postgres
