// SPDX-License-Identifier: Apache-2.0
#include "app/write_watch.hpp"

namespace gallery::app {

bool write_watch::check() {
    auto state = store_.writing();
    const bool accepts = state.state == write_state::kind::ok;
    const lock_guard lock(mutex_);
    if (state.state != last_.state) {
        if (accepts) {
            say_(true, "the store accepts writes again");
        } else {
            const auto* what =
                state.state == write_state::kind::read_only ? "was opened read-only" : "has stopped writing";
            say_(false,
                 "the store " + std::string(what) + ": " +
                     (state.reason.empty() ? std::string("the engine gives no reason") : state.reason) +
                     ". Reads are served; writes and /health/ready?for=write get 503");
        }
        last_ = std::move(state);
    }
    return accepts;
}

}  // namespace gallery::app
