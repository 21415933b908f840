// SPDX-License-Identifier: Apache-2.0
/// Other servers, as a test decides.
#pragma once

#include "mirror/other_servers.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace gallery::mirror::test {

/// Both stores can be shared. What the mirror asks for is noted, and can be refused.
class noted_others final : public other_servers {
public:
    std::vector<std::string> calls;  ///< of the mirror's thread, while a switch is in progress
    std::function<result<void>(const std::string& call, storage_engine* on)> on_call;
    std::atomic<bool> has_turn{true};
    std::atomic<bool> is_turn_ended{false};

    [[nodiscard]] std::string id() const override { return "this-server"; }
    [[nodiscard]] bool can_share(const target_address&) const override { return true; }
    task<result<bool>> take_turn() override { co_return has_turn.load(); }
    task<result<void>> end_turn() override {
        is_turn_ended = true;
        co_return result<void>();
    }
    task<result<void>> check_alone() override { co_return note("check", nullptr); }
    task<result<void>> check_absent(storage_engine& on) override { co_return note("check", &on); }
    task<result<void>> join(storage_engine& on) override { co_return note("join", &on); }
    task<result<void>> leave(storage_engine& on) override { co_return note("leave", &on); }
    task<result<void>> read_theirs() override { co_return note("read", nullptr); }
    task<result<void>> admit() override { co_return note("admit", nullptr); }

private:
    result<void> note(const std::string& call, storage_engine* on) {
        calls.push_back(call);
        return on_call ? on_call(call, on) : result<void>();
    }
};

}  // namespace gallery::mirror::test
