// SPDX-License-Identifier: Apache-2.0
/// The figures of an engine for the metrics endpoint.
#pragma once

#include <gallery/storage_engine.hpp>

#include <utility>
#include <vector>

namespace gallery::kit {

/// Figures that the server uses (etc/doc/storage_plugins.md). An engine that takes no entries out of service
/// reports 0.
inline constexpr const char* entries_set_aside = "entries_set_aside";
inline constexpr const char* none_set_aside =
    "Entries out of service; this engine takes none out of service.";

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
