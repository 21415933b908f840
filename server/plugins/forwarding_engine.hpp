// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gallery/storage_engine.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gallery::plugins {

/// Passes each call on to another engine, which the derived class keeps.
class forwarding_engine : public storage_engine {
public:
    image_store& images() noexcept override { return inner_.images(); }
    document_store& documents() noexcept override { return inner_.documents(); }
    change_feed& feed() noexcept override { return inner_.feed(); }
    task<result<check_report>> check() override { return inner_.check(); }
    task<result<rewrite_report>> rewrite_bodies(std::function<void(std::uint64_t)> progress) override {
        return inner_.rewrite_bodies(std::move(progress));
    }
    [[nodiscard]] write_state writing() const override { return inner_.writing(); }
    void change_options(const std::map<std::string, std::string>& options) override {
        inner_.change_options(options);
    }
    [[nodiscard]] std::vector<statistic> statistics() const override { return inner_.statistics(); }

protected:
    explicit forwarding_engine(storage_engine& inner) noexcept : inner_(inner) {}

private:
    storage_engine& inner_;
};

}  // namespace gallery::plugins
