// SPDX-License-Identifier: Apache-2.0
/// The figures of an engine for the metrics endpoint.
#pragma once

#include <gallery/storage_engine.hpp>

#include <utility>
#include <vector>

namespace gallery::kit {

/// Collects what storage_engine::statistics() returns.
class figures {
public:
    template <class Number>
    void gauge(const char* name, Number value, const char* help) {
        all_.push_back({name, statistic::kind::gauge, help, static_cast<double>(value)});
    }
    template <class Number>
    void counter(const char* name, Number value, const char* help) {
        all_.push_back({name, statistic::kind::counter, help, static_cast<double>(value)});
    }
    [[nodiscard]] std::vector<statistic> take() { return std::move(all_); }

private:
    std::vector<statistic> all_;
};

}  // namespace gallery::kit
