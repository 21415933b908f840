// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include "http/io_thread.hpp"
#include "http/listener.hpp"
#include "http/serving_rules.hpp"

#include <gallery/mutex.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/smart_ptr/make_shared.hpp>

#include <csignal>
#include <future>
#include <thread>
#include <utility>
#include <vector>

namespace gallery::http {

struct server::state {
    server_core core;
    std::vector<std::unique_ptr<io_thread>> threads;
    std::uint16_t port = 0;
    mutex applying;  ///< so that all threads end with the rules of the same call
    std::uint64_t rules_made GALLERY_GUARDED_BY(applying) = 0;

    shared_rules next_rules(const server_options& options, std::shared_ptr<const router> routes)
        GALLERY_REQUIRES(applying) {
        return make_rules(options, std::move(routes), ++rules_made);
    }

    /// Runs @p action(io_thread&) on every I/O thread and waits for all of them.
    template <class Action>
    void on_each(Action action) {
        std::vector<std::future<void>> done;
        for (auto& thread : threads) {
            std::promise<void> promise;
            done.push_back(promise.get_future());
            asio::post(thread->executor(), [&thread, action, promise = std::move(promise)]() mutable {
                action(*thread);
                promise.set_value();
            });
        }
        for (auto& each : done)
            each.wait();
    }

    bool wait_until_empty(std::chrono::steady_clock::time_point deadline) {
        const lock_guard hold(core.none_left_mutex);
        while (core.open.load() != 0)
            if (core.none_left.wait_until(core.none_left_mutex, deadline) == std::cv_status::timeout)
                return core.open.load() == 0;
        return true;
    }
};

shared_rules make_rules(const server_options& options, std::shared_ptr<const router> routes,
                        std::uint64_t number) {
    const auto made = boost::make_shared<serving_rules>();
    made->number = number;
    made->connections = options.limits.connections;
    made->connections_per_client = options.limits.connections_per_client;
    made->timeouts = options.timeouts;
    made->front = options.front;
    made->admit = options.admit;
    made->cross_origin = cross_origin(options.cross_origin);
    if (options.hsts_max_age.count() > 0) {
        made->hsts_line =
            "Strict-Transport-Security: max-age=" + std::to_string(options.hsts_max_age.count()) + "\r\n";
    }
    made->routes = std::move(routes);
    return made;
}

server::server(std::unique_ptr<state> made) : state_(std::move(made)) {}

server::~server() {
    stop();
}

result<std::unique_ptr<server>> server::create(server_options options) {
    auto made = std::make_unique<state>();
    boost::system::error_code failure;
    boost::asio::ip::make_address(options.address, failure);
    if (failure) {
        return error{errc::invalid_argument,
                     "'" + options.address + "' is not an IPv4 or IPv6 address to listen on"};
    }
    if (options.tls) {
        auto tls = load_tls(*options.tls);
        if (!tls) return std::move(tls.error());
        made->core.tls = std::make_unique<tls_context>(std::move(*tls));
    }
    // sendfile has no flag against SIGPIPE: a closed connection must not end the process.
    std::signal(SIGPIPE, SIG_IGN);
    auto count = options.io_threads != 0 ? options.io_threads : std::thread::hardware_concurrency();
    if (count == 0) count = 1;
    made->core.options = std::move(options);
    {
        const lock_guard hold(made->applying);
        const auto rules = made->next_rules(made->core.options, nullptr);
        for (unsigned i = 0; i < count; ++i)
            made->threads.push_back(std::make_unique<io_thread>(made->core, i, rules));
    }
    for (auto& thread : made->threads)
        thread->start();
    return std::unique_ptr<server>(new server(std::move(made)));
}

result<void> server::listen(std::shared_ptr<const router> routes) {
    auto opened = open_listeners(state_->core.options, state_->threads.size());
    if (!opened) return std::move(opened.error());
    state_->port = opened->port;
    const lock_guard hold(state_->applying);
    const auto rules = state_->next_rules(state_->core.options, std::move(routes));
    std::size_t index = 0;
    for (auto& thread : state_->threads) {
        asio::post(thread->executor(),
                   [&target = *thread, rules, descriptor = opened->take(index), is_v6 = opened->is_v6] {
                       target.use(rules);
                       target.listen(descriptor, is_v6);
                   });
        ++index;
    }
    return {};
}

std::uint16_t server::port() const noexcept {
    return state_->port;
}

std::size_t server::io_threads() const noexcept {
    return state_->threads.size();
}

io_executor server::executor(std::size_t index) const noexcept {
    return state_->threads[index]->executor();
}

std::uint64_t server::refused_connections() const {
    return state_->core.clients.refused();
}

std::size_t server::connections() const noexcept {
    return state_->core.open.load(std::memory_order_relaxed);
}

bool server::drain(std::chrono::milliseconds deadline) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    state_->core.draining = true;
    state_->on_each([](io_thread& thread) {
        thread.stop_listening();
        thread.close_idle_connections();
    });
    if (state_->wait_until_empty(until)) return true;
    state_->on_each([](io_thread& thread) { thread.abort_connections(); });
    state_->wait_until_empty(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    return false;
}

void server::share_session_tickets(std::string_view secret) {
    if (state_->core.tls) state_->core.tls->share_tickets(secret);
}

void server::apply(const server_options& options, std::shared_ptr<const router> routes) {
    const lock_guard hold(state_->applying);
    const auto rules = state_->next_rules(options, std::move(routes));
    state_->on_each([rules](io_thread& thread) { thread.use(rules); });
}

void server::use_tls(loaded_tls loaded) {
    if (state_->core.tls) state_->core.tls->use(std::move(loaded));
}

std::string server::certificate() const {
    return state_->core.tls ? state_->core.tls->certificate() : std::string();
}

void server::wait_for_threads() {
    state_->on_each([](io_thread&) {});
}

void server::advance(std::chrono::seconds by) {
    for (auto left = by.count(); left > 0; --left) {
        state_->on_each([](io_thread& thread) { thread.tick(); });
        // What the tick cancelled was queued before this, and what that starts before the next.
        for (int round = 0; round < 3; ++round)
            state_->on_each([](io_thread&) {});
    }
}

void server::stop() {
    for (auto& thread : state_->threads)
        thread->stop();
}

}  // namespace gallery::http
