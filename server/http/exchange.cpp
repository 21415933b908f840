// SPDX-License-Identifier: Apache-2.0
#include "http/exchange.hpp"

#include "http/content_coding.hpp"
#include "http/errors.hpp"
#include "http/io_thread.hpp"

#include <exception>
#include <string>
#include <utility>

namespace gallery::http {

namespace {

/// A body that no handler asked for is read and dropped up to this size.
constexpr std::uint64_t ignored_body = 16 * 1024;

}  // namespace

void exchange::set_peer(io_thread& thread, std::string_view address, bool secure, bool from_proxy) noexcept {
    thread_ = &thread;
    peer_ = address;
    is_secure_ = secure;
    from_proxy_ = from_proxy;
    message_.set_peer(address, secure);
    message_.set_ids(thread.ids());
}

void exchange::start() noexcept {
    if (thread_->core().options.observe) began_ = std::chrono::steady_clock::now();
    rules_ = thread_->kept_rules();
    message_.set_front(&rules_->front, from_proxy_);
    hot_ = false;
    target_ = nullptr;
}

bool exchange::begin(body_source& body) {
    start();
    body_ = &body;
    if (from_proxy_) find_client();
    route_request();
    if (!target_) return true;
    if (target_->options.limits_clients && !admit()) return true;
    message_.set_body({body, target_->options.body_limit});
    return target_->try_hot && try_at_once(target_->try_hot);
}

bool exchange::try_at_once(const hot_handler& first) {
    try {
        if (!first(message_, answer_)) return false;
    } catch (const std::exception& thrown) {
        answer_failure(thrown.what());
    } catch (...) {
        answer_failure("unknown exception");
    }
    hot_ = true;
    return true;
}

void exchange::answer_failure(std::string_view what) {
    answer_ = error_response({errc::internal, "A handler failed: " + std::string(what)});
}

task<> exchange::run_handler(bool has_body) {
    if (has_body) {
        message_.body().refuse_coding(body_coding(message_));
        if (target_->options.body_limit == 0) {
            co_await drop_body();
            if (answer_.is_error()) co_return;
        }
    }
    try {
        auto answering = target_->answer(message_);
        auto outcome = co_await std::move(answering);
        answer_ = outcome ? std::move(*outcome) : error_response(outcome.error());
    } catch (const std::exception& thrown) {
        answer_failure(thrown.what());
    } catch (...) {
        answer_failure("unknown exception");
    }
}

// Clients send "{}" with anything; it is read before the handler, so that nothing is left of it.
task<> exchange::drop_body() {
    body_reader ignored(*body_, ignored_body);
    ignored.refuse_coding(body_coding(message_));
    message_.set_body({});
    for (;;) {
        auto piece = co_await ignored.read_some();
        if (!piece) {
            answer_ = error_response(piece.error());
            co_return;
        }
        if (piece->empty()) co_return;
    }
}

// What few answers need.
void exchange::complete_special_answer() {
    if (!answer_.is_sound()) answer_failure("a response header with a name or value that must not be sent");
    if (answer_.is_error()) name_error(answer_, message_.request_id());
    if (message_.has(field::origin)) {
        const bool open = target_ != nullptr && target_->options.open_to_pages;
        rules_->cross_origin.complete(message_, open, answer_);
    }
    if (from_proxy_ && !is_secure_ && !rules_->hsts_line.empty() && view_of(message_).secure) {
        answer_.add_prepared(rules_->hsts_line);
    }
}

void exchange::report(const traffic& moved) {
    auto& core = thread_->core();
    if (core.options.observe) {
        const finished_exchange told{.message = message_,
                                     .verb = message_.verb(),
                                     .target = message_.target(),
                                     .route = message_.route_name(),
                                     .remote_address = message_.remote_address(),
                                     .status = answer_.status(),
                                     .bytes_in = moved.bytes_in,
                                     .bytes_out = moved.bytes_out,
                                     .duration = std::chrono::steady_clock::now() - began_,
                                     .hot = hot_,
                                     .may_be_hot = hot_ || (target_ != nullptr && target_->try_hot),
                                     .complete = moved.complete};
        core.options.observe(told);
    }
    if (!answer_.note().empty()) {
        std::string more;
        if (answer_.has_common_note()) {
            const auto withheld = core.refusals.admit(answer_.note(), std::chrono::steady_clock::now());
            if (!withheld) return;
            if (*withheld > 0)
                more =
                    "; " + std::to_string(*withheld) + " more requests were refused so since this was logged";
        }
        // Without the query, which may contain credentials.
        core.log(log_level::error, std::string(message_.verb_text()) + " " + std::string(message_.path()) +
                                       " -> " + std::to_string(answer_.status()) + " [" +
                                       std::string(message_.request_id()) + "]: " + answer_.note() + more);
    }
}

void exchange::note_broken_answer(std::string_view why) {
    answer_.set_note("the response was aborted: " + std::string(why));
}

void exchange::reset() noexcept {
    message_.reset();
    answer_.reset();
    target_ = nullptr;
    rules_.reset();  // last: the others may refer to what belongs to the rules
}

}  // namespace gallery::http
