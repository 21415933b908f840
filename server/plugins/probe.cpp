// SPDX-License-Identifier: Apache-2.0
#include "plugins/probe.hpp"

#include "plugins/probe_steps.hpp"

#include <gallery/mutex.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::plugins {

namespace {

struct state {
    asio::io_context context{1};
    std::unique_ptr<measured_engine> store;
    std::optional<result<void>> outcome;
    std::string unwritable;
    revision found = 0;
    bool shared = false;
    probe_permission may_write;
    bool is_refused = false;
};

task<void> drive(std::shared_ptr<state> s) {
    try {
        if (s->may_write) {
            if (auto permitted = co_await s->may_write(s->store->documents()); !permitted) {
                s->is_refused = true;
                s->outcome = std::move(permitted);
                co_return;
            }
        }
        auto probed = co_await run_probe_steps(*s->store, s->shared);
        s->unwritable = std::move(probed.unwritable);
        s->found = probed.found;
        s->outcome = std::move(probed.steps);
    } catch (const std::exception& e) {
        s->outcome =
            error{errc::internal, std::string("expected error values, found an exception: ") + e.what()};
    } catch (...) {
        s->outcome = error{errc::internal, "expected error values, found an exception of unknown type"};
    }
}

/// Kept until the process ends: a thread of the engine may still be leaving the context that it has posted
/// to, and where the time is up a coroutine of the store still refers to all of it.
std::shared_ptr<state> kept_state() {
    static auto& kept = *new std::vector<std::shared_ptr<state>>;
    static auto& access = *new mutex;
    const lock_guard lock(access);
    return kept.emplace_back(std::make_shared<state>());
}

}  // namespace

result<probed_store> probe(std::unique_ptr<measured_engine> store, bool shared, std::chrono::seconds deadline,
                           probe_permission may_write) {
    const auto s = kept_state();
    s->store = std::move(store);
    s->shared = shared;
    s->may_write = std::move(may_write);
    asio::co_spawn(s->context.get_executor(), drive(s), [](std::exception_ptr) {});
    s->context.run_for(deadline);
    if (!s->outcome) {
        return error{errc::unavailable,
                     "the probe of the store did not end within " + std::to_string(deadline.count()) + " s"};
    }
    auto probed = std::move(s->store);
    if (s->is_refused) return s->outcome->error();
    if (!*s->outcome)
        return error{s->outcome->error().code,
                     "the probe of the store failed: " + s->outcome->error().message};
    return probed_store{std::move(probed), std::move(s->unwritable), s->found};
}

}  // namespace gallery::plugins
