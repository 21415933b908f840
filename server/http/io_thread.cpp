// SPDX-License-Identifier: Apache-2.0
#include "http/io_thread.hpp"

#include "http/connection.hpp"
#include "http/http_date.hpp"
#include "http/ip_address.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <string>
#include <utility>

namespace gallery::http {

namespace {

using io_timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                            asio::wait_traits<std::chrono::steady_clock>, io_executor>;

/// After "too many open files", and while the server is full.
constexpr std::chrono::milliseconds accept_pause{50};

// A session ends its own connection on every path; what escapes it is a bug of ours and only logged.
auto report_to(server_core& core) {
    return [&core](const std::exception_ptr& failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& thrown) {
            core.log(log_level::error, std::string("A connection failed: ") + thrown.what());
        } catch (...) {
            core.log(log_level::error, "A connection failed");
        }
    };
}

}  // namespace

void server_core::log(log_level level, std::string_view text) const noexcept {
    if (!options.log) return;
    try {
        options.log(level, text);
    } catch (...) {  // a log that fails must not take the server with it
    }
}

void server_core::connection_closed() noexcept {
    if (open.fetch_sub(1, std::memory_order_acq_rel) == 1 && draining.load(std::memory_order_relaxed)) {
        const lock_guard hold(none_left_mutex);
        none_left.notify_all();
    }
}

// One thread runs the context and starts everything on its sockets; other threads only post to it.
io_thread::io_thread(server_core& core, std::size_t index, const shared_rules& rules)
    : core_(core),
      index_(index),
      context_(std::make_unique<asio::io_context>(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO)),
      rules_(rules) {}

io_thread::~io_thread() {
    stop();
}

void io_thread::start() {
    if (!core_.options.manual_time) asio::co_spawn(executor(), clock(), report_to(core_));
    thread_ = std::thread([this] {
        const auto name = "io-" + std::to_string(index_);
        ::pthread_setname_np(::pthread_self(), name.c_str());
        const auto work = asio::make_work_guard(*context_);
        for (;;) {
            try {
                context_->run();
                return;
            } catch (const std::exception& thrown) {
                core_.log(log_level::error, std::string("An I/O thread caught: ") + thrown.what());
            }
        }
    });
}

void io_thread::stop() {
    if (!context_) return;
    context_->stop();
    if (thread_.joinable()) thread_.join();
    acceptor_.reset();
    context_.reset();  // the connections in it give back to the pools, which are still there
}

task<> io_thread::clock() {
    io_timer timer(executor());
    auto next = std::chrono::steady_clock::now();
    for (;;) {
        next = std::max(next + std::chrono::seconds(1), std::chrono::steady_clock::now());
        timer.expires_at(next);
        const auto [failure] = co_await timer.async_wait(plain_result);
        if (failure) co_return;
        tick();
    }
}

void io_thread::tick() noexcept {
    wheel_.advance([](timer_wheel::node& due) { static_cast<connection&>(due).deadline_passed(); });
}

std::unique_ptr<workspace> io_thread::take_workspace() {
    ++workspaces_out_;
    if (workspaces_.empty()) {
        return std::make_unique<workspace>(core_.options.limits.head_bytes);
    }
    auto spare = std::move(workspaces_.back());
    workspaces_.pop_back();
    return spare;
}

void io_thread::give_back(std::unique_ptr<workspace> used) noexcept {
    --workspaces_out_;
    if (used->input.has_block()) give_back(used->input.return_block());
    used->input.clear();
    used->exchange.reset();
    used->refusal.reset();
    if (used->out_block) give_back(std::move(used->out_block));
    if (workspaces_.size() < spare_workspaces) workspaces_.push_back(std::move(used));
}

std::unique_ptr<char[]> io_thread::take_block() {
    if (blocks_.empty()) return std::make_unique_for_overwrite<char[]>(body_block);
    auto spare = std::move(blocks_.back());
    blocks_.pop_back();
    return spare;
}

void io_thread::give_back(std::unique_ptr<char[]> block) noexcept {
    if (blocks_.size() < spare_blocks) blocks_.push_back(std::move(block));
}

std::string_view io_thread::date_line() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != date_second_) {
        date_second_ = now.tv_sec;
        const auto date = format_http_date(now.tv_sec);
        date_line_.assign("Date: ").append(date.data(), date.size()).append("\r\n");
        if (core_.tls) date_line_ += rules_->hsts_line;
    }
    return date_line_;
}

void io_thread::use(const shared_rules& rules) {
    rules_ = rules_ptr(rules);
    date_second_ = -1;  // the line contains the one of HSTS
}

void io_thread::enter(connection& member) noexcept {
    core_.connection_opened();
    member.next_ = members_;
    if (members_) members_->previous_ = &member;
    members_ = &member;
}

void io_thread::leave(connection& member) noexcept {
    if (member.next_) member.next_->previous_ = member.previous_;
    (member.previous_ ? member.previous_->next_ : members_) = member.next_;
    core_.connection_closed();
}

void io_thread::close_idle_connections() noexcept {
    for (auto* member = members_; member; member = member->next_)
        member->close_if_idle();
}

void io_thread::abort_connections() noexcept {
    for (auto* member = members_; member; member = member->next_)
        member->abort();
}

void io_thread::listen(int descriptor, bool is_v6) {
    acceptor_ = std::make_unique<tcp_acceptor>(executor());
    acceptor_->assign(is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), descriptor);
    asio::co_spawn(executor(), accept_loop(), report_to(core_));
}

void io_thread::stop_listening() noexcept {
    boost::system::error_code ignored;
    if (acceptor_) acceptor_->close(ignored);
}

task<> io_thread::accept_loop() {
    io_timer pause(executor());
    bool complained = false;
    while (acceptor_->is_open()) {
        bool full = core_.open.load(std::memory_order_relaxed) >= rules_->connections;
        if (!full) {
            const auto [failure] = co_await acceptor_->async_wait(tcp_acceptor::wait_read, plain_result);
            if (failure) co_return;
            full = core_.open.load(std::memory_order_relaxed) >= rules_->connections;  // after a reload
        }
        // Some at a time, so that clients already here get their turn.
        for (int burst = 0; burst < 32 && !full && acceptor_->is_open(); ++burst) {
            asio::ip::tcp::endpoint peer;
            auto size = static_cast<socklen_t>(peer.capacity());
            const int accepted =
                ::accept4(acceptor_->native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (accepted >= 0) {
                peer.resize(size);
                // Memory that is short now must not end the accepting of connections for ever.
                try {
                    receive(accepted, peer);
                    complained = false;
                    full = core_.open.load(std::memory_order_relaxed) >= rules_->connections;
                } catch (const std::bad_alloc&) {
                    full = true;
                    if (!std::exchange(complained, true))
                        core_.log(log_level::error, "A connection was closed, because memory is short");
                }
                continue;
            }
            if (errno == EAGAIN || errno == EWOULDBLOCK) break;
            if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) continue;
            full = true;
            if (!std::exchange(complained, true)) {
                core_.log(log_level::error, std::string("No more connections can be accepted: ") +
                                                std::strerror(errno) +
                                                "; raise the limit of open files (ulimit -n, LimitNOFILE)");
            }
        }
        if (full) {
            pause.expires_after(accept_pause);
            const auto [failure] = co_await pause.async_wait(plain_result);
            if (failure) co_return;
        }
    }
}

std::optional<address_counts::place> io_thread::place_for(const asio::ip::address& peer) {
    const auto most = rules_->connections_per_client;
    const auto& exempt = core_.options.exempt;
    const auto& trusted = rules_->front.trusted;
    if (most == 0 || (exempt && exempt(peer)) || (trusted && trusted(peer))) return address_counts::place();
    auto place = core_.clients.enter(address_counts::key_of(peer), most);
    if (!place) {
        const auto withheld =
            core_.refused_clients.admit("connections of a client", std::chrono::steady_clock::now());
        if (withheld) {
            core_.log(
                log_level::warning,
                "Connections of " + peer.to_string() + " are refused: it has " + std::to_string(most) +
                    " already, and no client may have more (HTTP_MAX_CONNECTIONS_PER_CLIENT)" +
                    (*withheld == 0 ? ""
                                    : "; " + std::to_string(*withheld) +
                                          " connections of clients were refused since the last such line"));
        }
    }
    return place;
}

void io_thread::receive(int descriptor, const asio::ip::tcp::endpoint& peer) {
    tcp_socket socket(executor());
    boost::system::error_code failure;
    try {
        socket.assign(peer.protocol(), descriptor, failure);
    } catch (const std::bad_alloc&) {
        ::close(descriptor);
        throw;
    }
    if (failure) {
        ::close(descriptor);
        return;
    }
    socket.native_non_blocking(true, failure);
    auto place = place_for(unmapped(peer.address()));
    if (!place) return;
    tls_connection tls;
    if (core_.tls) {
        tls = core_.tls->accept(descriptor);
        if (!tls) return;
    }
    auto client =
        std::make_unique<connection>(*this, std::move(socket), peer, std::move(tls), std::move(*place));
    asio::co_spawn(executor(), serve(std::move(client)), report_to(core_));
}

}  // namespace gallery::http
