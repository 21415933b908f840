// SPDX-License-Identifier: Apache-2.0
/// One request and its answer, whatever carried them.
#pragma once

#include "http/head_parser.hpp"
#include "http/request.hpp"
#include "http/response.hpp"
#include "http/router.hpp"
#include "http/serving_rules.hpp"

#include <gallery/task.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gallery::http {

class io_thread;

/// Routes a request, runs its handler and completes the answer. Knows no socket and no bytes: a protocol
/// fills message(), calls the functions below in order, and writes answer().
///
///     set_peer();                          once for a connection
///     begin() or refuse();                 the request's head is complete, or cannot be accepted
///     run_handler();                       only when begin() returned false
///     complete_answer();                   before the answer's head is written
///     report();                            when the answer has been written, or given up
///     reset();
///
/// Keeps its memory from one request to the next. Threads: the I/O thread only.
class exchange {
public:
    exchange() = default;
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;

    /// Who sends the requests. @p address outlives them; @p from_proxy: it is a trusted proxy's.
    void set_peer(io_thread& thread, std::string_view address, bool secure, bool from_proxy) noexcept;

    [[nodiscard]] request& message() noexcept { return message_; }
    [[nodiscard]] response& answer() noexcept { return answer_; }

    /// Routes the request and tries what answers at once. True when the answer is there. Precondition: HTTP
    /// allows the head of message(). @p body outlives the exchange.
    bool begin(body_source& body);
    /// Answers a request that no handler may see. message() may be incomplete.
    void refuse(const head_error& why);
    /// The route's handler. @p has_body: the request has one, which a route that takes none reads and drops
    /// first. Precondition: begin() returned false.
    task<> run_handler(bool has_body);
    /// Adds what depends on the request rather than on its handler: the request's id to errors, the fields
    /// that pages of other origins need.
    void complete_answer() {
        if (!answer_.is_plain() || from_proxy_ || message_.has(field::origin)) complete_special_answer();
    }

    struct traffic {
        std::uint64_t bytes_in = 0;   ///< of the body
        std::uint64_t bytes_out = 0;  ///< of head and body
        bool complete = false;        ///< the whole answer was sent
    };
    /// Tells the observer and the log.
    void report(const traffic& moved);
    /// Makes a note for the log: the answer could not be sent whole.
    void note_broken_answer(std::string_view why);
    /// Forgets request and answer.
    void reset() noexcept;

private:
    void start() noexcept;
    void find_client();
    void route_request(int strips = 0);  // prefixes cut off the path so far
    bool admit();
    bool strip_prefix();
    bool answer_preflight(std::string_view allow);
    bool try_at_once(const hot_handler& first);
    void answer_failure(std::string_view what);
    void complete_special_answer();
    task<> drop_body();

    io_thread* thread_ = nullptr;
    rules_ptr rules_;  ///< from begin() or refuse() to reset(); what the request refers to may belong to them
    std::string_view peer_;
    bool is_secure_ = false;
    bool from_proxy_ = false;

    request message_;
    response answer_;
    std::string forwarded_;  // the client's address where a trusted proxy names it
    body_source* body_ = nullptr;
    const route* target_ = nullptr;
    std::chrono::steady_clock::time_point began_;
    bool hot_ = false;
};

}  // namespace gallery::http
