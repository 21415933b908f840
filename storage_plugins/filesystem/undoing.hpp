// SPDX-License-Identifier: Apache-2.0
/// Undoes a failed write.
#pragma once

#include <gallery/error.hpp>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace gallery::file_store {

/// Steps in order. It may be called again after a failure; completed steps are not repeated.
class undoing {
public:
    using step = std::function<result<>()>;

    void then(step next) { steps_.push_back(std::move(next)); }

    result<> operator()() {
        for (; done_ < steps_.size(); ++done_)
            if (auto outcome = steps_[done_](); !outcome) return outcome;
        return {};
    }

private:
    std::vector<step> steps_;
    std::size_t done_ = 0;
};

}  // namespace gallery::file_store
