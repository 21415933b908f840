// SPDX-License-Identifier: Apache-2.0
#include "http/connection.hpp"

#include "http/errors.hpp"
#include "http/ip_address.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <cstring>
#include <exception>
#include <string>

namespace gallery::http {

namespace {

/// How long a connection keeps its read buffer without using it, in ticks.
constexpr std::chrono::seconds idle_time{2};

}  // namespace

connection::connection(io_thread& thread, tcp_socket socket, const asio::ip::tcp::endpoint& peer,
                       tls_connection tls, address_counts::place place)
    : thread_(thread), place_(std::move(place)), transport_(std::move(socket)) {
    if (tls) transport_.secure(std::move(tls));
    const auto address = unmapped(peer.address());
    const auto text = address.to_string();
    remote_size_ = static_cast<std::uint8_t>(text.copy(remote_.data(), remote_.size()));
    judge_peer();
    thread_.enter(*this);
}

// Once for a connection, and again where a reload may have changed which proxies are trusted.
void connection::judge_peer() {
    const auto& rules = thread_.rules();
    judged_by_ = rules.number;
    if (!rules.front.trusted) {
        from_proxy_ = false;
        return;
    }
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(std::string(remote_.data(), remote_size_), failure);
    from_proxy_ = !failure && rules.front.trusted(address);
}

connection::~connection() {
    if (transport_.is_secure()) transport_.end_writing();
    if (work_) thread_.give_back(std::move(work_));
    thread_.leave(*this);
}

void connection::arm(std::chrono::seconds in) noexcept {
    thread_.wheel().arm_in(*this, static_cast<timer_wheel::tick>(in.count()) + 1);
}

void connection::deadline_passed() noexcept {
    if (phase_ == phase::idle) {
        is_quiet_ = true;
    } else {
        expired_ = true;
    }
    boost::system::error_code ignored;
    socket().cancel(ignored);
}

void connection::close_if_idle() noexcept {
    if (phase_ != phase::without_buffer && phase_ != phase::idle) return;
    // A request that has arrived is still answered.
    char first = 0;
    if (::recv(socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
    is_ending_ = true;
    boost::system::error_code ignored;
    socket().cancel(ignored);
}

void connection::abort() noexcept {
    is_ending_ = true;
    ::shutdown(socket().native_handle(), SHUT_RDWR);
    boost::system::error_code ignored;
    socket().cancel(ignored);
}

// Reading heads.

bool connection::should_release_buffer() const noexcept {
    return !work_ ||
           (work_->input.unused() == 0 && (is_quiet_ || thread_.is_crowded()) && !transport_.holds_bytes());
}

void connection::release_buffer() noexcept {
    if (work_) thread_.give_back(std::move(work_));
    is_quiet_ = false;
    phase_ = phase::without_buffer;
    arm(thread_.rules().timeouts.keep_alive);
}

bool connection::take_buffer(bool failed) {
    if (failed || expired_ || is_ending_) return false;
    work_ = thread_.take_workspace();
    work_->exchange.set_peer(thread_, {remote_.data(), remote_size_}, is_secure(), from_proxy_);
    begin_idle();
    return true;
}

// Keeps the read buffer for a short time.
void connection::begin_idle() noexcept {
    phase_ = phase::idle;
    thread_.wheel().arm_in(*this, static_cast<timer_wheel::tick>(idle_time.count()));
}

head_status connection::take_head() noexcept {
    if (!work_) return head_status::incomplete;
    auto& w = *work_;
    if (w.refusal) return head_status::refused;
    const bool is_quiet = w.input.unused() == 0;
    const auto& allowed = thread_.core().options.limits;
    const auto outcome =
        w.input.take_head({allowed.head_bytes, allowed.target_bytes}, w.exchange.message().mutable_head());
    if (outcome.status == head_status::refused) w.refusal = outcome.error;
    if (outcome.status == head_status::incomplete) {
        // A record of TLS that has begun counts as a head that has begun.
        if (is_quiet && !transport_.holds_bytes()) {
            begin_idle();
        } else if (phase_ != phase::head) {
            phase_ = phase::head;
            arm(thread_.rules().timeouts.header);
        }
    }
    return outcome.status;
}

std::span<char> connection::read_room() noexcept {
    return work_->input.room();
}

bool connection::on_read(bool failed, std::size_t bytes) noexcept {
    work_->input.add(bytes);
    if (!failed) {
        is_quiet_ = false;
        return true;
    }
    if (is_ending_) return false;
    if (expired_ && phase_ == phase::head) {
        expired_ = false;
        // What was parsed of it views bytes that may have been moved since.
        work_->exchange.message().mutable_head().clear();
        work_->refusal = head_error{408, "The request's header did not arrive in time"};
        return true;
    }
    return is_quiet_ && !expired_;  // only quiet: the buffer goes back
}

// The exchange.

bool connection::begin_exchange() {
    auto& w = *work_;
    disarm();
    if (thread_.rules().number != judged_by_) [[unlikely]] {
        judge_peer();
        w.exchange.set_peer(thread_, {remote_.data(), remote_size_}, is_secure(), from_proxy_);
    }
    phase_ = phase::busy;
    w.bytes_out = w.bytes_credited = 0;
    w.write_allowance = static_cast<std::uint32_t>(thread_.rules().timeouts.write.count());
    if (w.refusal) {
        w.input.begin_nothing();
    } else {
        w.refusal = w.input.begin_request(w.exchange.message().mutable_head()).error;
    }
    begin_body();
    if (!w.refusal) return w.exchange.begin(*this);
    w.exchange.refuse(*w.refusal);
    lingers_ = true;
    return true;
}

task<> connection::run_handler() {
    auto& w = *work_;
    co_await w.exchange.run_handler(!w.input.body_ended());
    if (w.body_timed_out) {
        w.exchange.answer() =
            error_response(408, error_code::bad_request_params, "The request's body did not arrive in time");
    }
}

bool connection::end_exchange(bool complete) {
    auto& w = *work_;
    w.exchange.report({w.input.body_read(), w.bytes_out, complete});
    if (w.input.has_block()) thread_.give_back(w.input.return_block());
    if (w.out_block) thread_.give_back(std::move(w.out_block));
    w.piece = {};
    w.exchange.reset();
    w.refusal.reset();
    phase_ = phase::idle;
    answered_ = true;
    return complete && keep_alive_ && !is_ending_;
}

bool connection::owes_drain() const noexcept {
    return keep_alive_ && !work_->input.body_ended();
}

}  // namespace gallery::http
