// SPDX-License-Identifier: Apache-2.0
#include "http/connection.hpp"

#include "http/content_coding.hpp"
#include "http/errors.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <cstring>
#include <exception>
#include <string>

namespace gallery::http {

namespace {

/// How long a connection keeps its read buffer without using it, in ticks.
constexpr std::chrono::seconds pause_time{2};
/// A body that no handler asked for is read and dropped up to this size.
constexpr std::uint64_t ignored_body = 16 * 1024;
/// A path may have its prefix twice: once in a link, once before it.
constexpr int most_strips = 2;

}  // namespace

connection::connection(io_thread& home, tcp_socket socket, const asio::ip::tcp::endpoint& peer,
                       tls_connection tls)
    : home_(home), transport_(std::move(socket)) {
    if (tls) transport_.secure(std::move(tls));
    auto address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    const auto& trusted = home_.core().options.front.trusted;
    from_proxy_ = trusted && trusted(address);
    const auto text = address.to_string();
    remote_size_ = static_cast<std::uint8_t>(text.copy(remote_.data(), remote_.size()));
    home_.enter(*this);
}

connection::~connection() {
    if (transport_.is_secure()) transport_.end_writing();
    if (work_) home_.give_back(std::move(work_));
    home_.leave(*this);
}

void connection::arm(std::chrono::seconds in) noexcept {
    home_.wheel().arm_in(*this, static_cast<timer_wheel::tick>(in.count()) + 1);
}

void connection::deadline_passed() noexcept {
    if (phase_ == phase::pausing) {
        must_rest_ = true;
    } else {
        expired_ = true;
    }
    boost::system::error_code ignored;
    socket().cancel(ignored);
}

void connection::shed(bool anyway) noexcept {
    boost::system::error_code ignored;
    if (anyway) {
        shed_ = true;
        ::shutdown(socket().native_handle(), SHUT_RDWR);
        socket().cancel(ignored);
        return;
    }
    if (phase_ != phase::resting && phase_ != phase::pausing) return;
    // A request that has arrived is still answered.
    char first = 0;
    if (::recv(socket().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
    shed_ = true;
    socket().cancel(ignored);
}

// Reading heads.

bool connection::should_rest() const noexcept {
    return !work_ ||
           (work_->unused() == 0 && (must_rest_ || home_.is_crowded()) && !transport_.holds_bytes());
}

void connection::rest() noexcept {
    if (work_) home_.give_back(std::move(work_));
    must_rest_ = false;
    phase_ = phase::resting;
    arm(home_.core().options.timeouts.keep_alive);
}

bool connection::wake(bool failed) {
    if (failed || expired_ || shed_) return false;
    work_ = home_.take_workspace();
    work_->message.set_peer({remote_.data(), remote_size_}, is_secure());
    work_->message.set_front(&home_.core().options.front, from_proxy_);
    phase_ = phase::pausing;
    home_.wheel().arm_in(*this, static_cast<timer_wheel::tick>(pause_time.count()));
    return true;
}

head_status connection::take_head() noexcept {
    if (!work_) return head_status::incomplete;
    auto& w = *work_;
    if (w.refusal) return head_status::refused;
    if (w.unused() == 0) {
        w.begin = w.end = w.parsed_to = 0;
        phase_ = phase::pausing;
        home_.wheel().arm_in(*this, static_cast<timer_wheel::tick>(pause_time.count()));
        return head_status::incomplete;
    }
    const auto& allowed = home_.core().options.limits;
    const auto data = w.unread();
    if (w.parsed_to > 0 && data.size() < allowed.head_bytes && data.find('\n', w.parsed_to) == data.npos) {
        w.parsed_to = data.size();
        return head_status::incomplete;
    }
    const auto outcome =
        parse_head(data, {allowed.head_bytes, allowed.target_bytes}, w.message.mutable_head());
    switch (outcome.status) {
        case head_status::incomplete:
            w.parsed_to = data.size();
            if (phase_ != phase::head) {
                phase_ = phase::head;
                arm(home_.core().options.timeouts.header);
            }
            break;
        case head_status::complete:
            w.begin += outcome.size;
            w.parsed_to = 0;
            break;
        case head_status::refused:
            w.refusal = outcome.error;
            break;
    }
    return outcome.status;
}

std::span<char> connection::read_room() noexcept {
    auto& w = *work_;
    if (w.begin > 0 && w.end == w.capacity) {
        std::memmove(w.buffer.get(), w.buffer.get() + w.begin, w.unused());
        w.end -= w.begin;
        w.begin = 0;
    }
    return {w.buffer.get() + w.end, w.capacity - w.end};
}

bool connection::took(bool failed, std::size_t bytes) noexcept {
    work_->end += bytes;
    if (!failed) {
        must_rest_ = false;
        return true;
    }
    if (shed_) return false;
    if (expired_ && phase_ == phase::head) {
        expired_ = false;
        work_->refusal = head_error{408, "The request's header did not arrive in time"};
        return true;
    }
    return must_rest_ && !expired_;  // only quiet: the buffer goes back
}

// The exchange.

void connection::begin_body() noexcept {
    auto& w = *work_;
    w.body_read = 0;
    w.body_ended = w.frame.body == framing::kind::none;
    w.continue_owed = w.frame.expects_continue && !w.body_ended;
    w.body_broken = w.body_timed_out = false;
    w.block_begin = w.block_end = 0;
    body_allowance_ = static_cast<std::uint32_t>(home_.core().options.timeouts.body.count());
    body_credit_ = 0;
}

void connection::answer_failure(std::string_view what) {
    auto& w = *work_;
    w.answer = error_response({errc::internal, "A handler failed: " + std::string(what)});
}

bool connection::try_at_once(const hot_handler& first) {
    auto& w = *work_;
    try {
        if (!first(w.message, w.answer)) return false;
    } catch (const std::exception& thrown) {
        answer_failure(thrown.what());
    } catch (...) {
        answer_failure("unknown exception");
    }
    w.hot = true;
    return true;
}

// The fast scanner is enough for the requests that it was measured to pay for.
bool connection::needs_beast() const noexcept {
    const auto verb = work_->message.verb();
    return work_->frame.body != framing::kind::none || (verb != method::get && verb != method::head);
}

void connection::read_by_beast() {
    auto& w = *work_;
    auto& head = w.message.mutable_head();
    const auto skipped = head.verb_text.data() - w.buffer.get();  // empty lines, and the request before it
    const std::span<char> bytes(w.buffer.get() + skipped, w.buffer.get() + w.begin);
    if (!w.parser.read_head(bytes, w.frame, head)) {
        w.refusal = head_error{400, "The request's header cannot be read"};
    }
}

bool connection::begin_exchange() {
    auto& w = *work_;
    disarm();
    phase_ = phase::busy;
    if (home_.core().options.observe) w.began = std::chrono::steady_clock::now();
    w.hot = false;
    w.target = nullptr;
    w.bytes_out = 0;
    w.frame = {};
    if (!w.refusal) {
        const auto checked = validate_head(w.message.head());
        w.refusal = checked.error;
        w.frame = checked.framing;
        if (!w.refusal && needs_beast()) read_by_beast();
    }
    if (from_proxy_) find_client();
    if (w.refusal) {
        w.frame = {};
        w.frame.has_origin = w.message.has(field::origin);
        // The path without its prefix decides whether pages of other origins may read the answer.
        for (int strips = 0; w.frame.has_origin && strips < most_strips && strip_prefix();)
            ++strips;
        begin_body();
        w.answer = error_response(w.refusal->status, error_code::bad_request_params, w.refusal->message);
        w.answer.close_connection();
        lingers_ = true;
        return true;
    }
    begin_body();
    route_request();
    if (!w.target) return true;
    w.message.set_body({*this, w.target->options.body_limit});
    return w.target->try_hot && try_at_once(w.target->try_hot);
}

void connection::find_client() {
    auto& w = *work_;
    w.forwarded.clear();
    // A head that was refused is not all there.
    if (!w.refusal) w.forwarded = forwarded_client(w.message, home_.core().options.front.trusted);
    const std::string_view peer(remote_.data(), remote_size_);
    w.message.set_peer(w.forwarded.empty() ? peer : w.forwarded, is_secure());
}

void connection::route_request(int strips) {
    auto& w = *work_;
    const auto& routes = *home_.core().routes;
    auto match = routes.find(w.message);
    const auto verb = w.message.verb();
    switch (match.what) {
        case router::outcome::found:
            w.target = match.target;
            return;
        case router::outcome::wrong_method:
            if (answer_preflight(match.allow)) return;
            w.answer = wrong_method(w.message, match.allow);
            return;
        case router::outcome::bad_path:
            w.answer = error_response(
                {errc::invalid_argument,
                 "The path has a '%' without two hexadecimal digits behind it, or is not valid UTF-8"});
            return;
        case router::outcome::not_found:
            break;
    }
    if (strips < most_strips && strip_prefix()) {
        route_request(strips + 1);
        return;
    }
    if (answer_preflight({})) return;
    if (verb == method::options && w.message.path() == "*") {
        w.answer = response::empty(204);
        w.answer.add("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
        return;
    }
    if (routes.fallback() && try_at_once(routes.fallback())) return;
    w.answer = error_response(404, error_code::item_not_found,
                              "There is nothing at '" + std::string(w.message.path().substr(0, 256)) + "'");
}

// For proxies that pass the path on as the client sent it, and clients that write the prefix in front of a
// link that has it already. No route begins as a prefix does, so a request without one has found its route
// before.
bool connection::strip_prefix() {
    auto& w = *work_;
    const auto prefix = path_prefix(w.message);
    auto path = w.message.path();
    if (prefix.empty() || !path.starts_with(prefix)) return false;
    path.remove_prefix(prefix.size());
    if (!path.empty() && path.front() != '/') return false;
    w.message.set_path(path.empty() ? std::string_view("/") : path);
    return true;
}

bool connection::answer_preflight(std::string_view allow) {
    auto& w = *work_;
    if (!w.frame.has_origin || !cross_origin::is_preflight(w.message)) return false;
    // The route that the request to come will find.
    auto& head = w.message.mutable_head();
    head.verb = boost::beast::http::string_to_verb(w.message.header("Access-Control-Request-Method"));
    const auto match = home_.core().routes->find(w.message);
    head.verb = method::options;
    w.message.clear_params();
    w.message.set_route_name({});
    const bool open = match.target != nullptr && match.target->options.open_to_pages;
    const auto& rules = home_.core().cross_origin;
    if (!open && !(rules.enabled() && cross_origin::covers(w.message.path()))) return false;
    w.answer = rules.answer_preflight(w.message, open ? "GET, HEAD, OPTIONS" : allow, open);
    return true;
}

// What few answers need.
void connection::complete_answer() {
    auto& w = *work_;
    if (!w.answer.is_sound()) answer_failure("a response header with a name or value that must not be sent");
    if (w.answer.is_error()) {
        // Another system may count the request by the id that a trusted proxy gave it.
        const auto given = from_proxy_ ? w.message.header(field::x_request_id) : std::string_view();
        const bool usable = !given.empty() && given.size() <= 128 && is_token(given);
        w.message.set_request_id(usable ? given : home_.new_request_id());
        w.answer.add("X-Request-ID", w.message.request_id());
    }
    if (w.frame.has_origin) {
        const bool open = w.target != nullptr && w.target->options.open_to_pages;
        home_.core().cross_origin.complete(w.message, open, w.answer);
    }
    if (from_proxy_ && !is_secure() && !home_.core().hsts_line.empty() && view_of(w.message).secure) {
        w.answer.add_prepared(home_.core().hsts_line);
    }
}

task<> connection::run_handler() {
    auto& w = *work_;
    if (!w.body_ended) w.message.body().refuse_coding(body_coding(w.message));
    if (!w.body_ended && w.target->options.body_limit == 0) {
        // Clients send "{}" with anything; it is read before the handler, so that nothing is left of it.
        body_reader ignored(*this, ignored_body);
        ignored.refuse_coding(body_coding(w.message));
        for (;;) {
            auto piece = co_await ignored.read_some();
            if (!piece) {
                w.answer = error_response(piece.error());
                break;
            }
            if (piece->empty()) break;
        }
        w.message.set_body({});
    }
    if (w.body_ended || w.target->options.body_limit > 0) {
        try {
            auto answering = w.target->answer(w.message);
            w.answer = co_await std::move(answering);
        } catch (const std::exception& thrown) {
            answer_failure(thrown.what());
        } catch (...) {
            answer_failure("unknown exception");
        }
    }
    if (w.body_timed_out) {
        w.answer =
            error_response(408, error_code::bad_request_params, "The request's body did not arrive in time");
    }
}

// What a chunked body's reader took too much of belongs to the next request.
void connection::keep_leftovers() noexcept {
    auto& w = *work_;
    if (const auto size = w.block_end - w.block_begin; size > 0) {
        std::memcpy(w.buffer.get(), w.block.get() + w.block_begin, size);
        w.begin = 0;
        w.end = size;
    }
    w.block_begin = w.block_end = 0;
    if (w.block) home_.give_back(std::move(w.block));
}

bool connection::end_exchange(bool complete) {
    auto& w = *work_;
    const auto& core = home_.core();
    if (core.options.observe) {
        const exchange told{.message = w.message,
                            .verb = w.message.verb(),
                            .target = w.message.target(),
                            .route = w.message.route_name(),
                            .remote_address = w.message.remote_address(),
                            .status = w.answer.status(),
                            .bytes_in = w.body_read,
                            .bytes_out = w.bytes_out,
                            .duration = std::chrono::steady_clock::now() - w.began,
                            .hot = w.hot,
                            .complete = complete};
        core.options.observe(told);
    }
    if (!w.answer.note().empty()) {
        // Without the query, which may hold what lets somebody in.
        core.log(log_level::error, std::string(w.message.verb_text()) + " " + std::string(w.message.path()) +
                                       " -> " + std::to_string(w.answer.status()) + " [" +
                                       std::string(w.message.request_id()) + "]: " + w.answer.note());
    }
    if (w.block) keep_leftovers();
    if (w.out_block) home_.give_back(std::move(w.out_block));
    w.piece = {};
    w.message.reset();
    w.answer.reset();
    w.refusal.reset();
    phase_ = phase::pausing;
    answered_ = true;
    return complete && goes_on_ && !shed_;
}

bool connection::owes_drain() const noexcept {
    return goes_on_ && !work_->body_ended;
}

}  // namespace gallery::http
