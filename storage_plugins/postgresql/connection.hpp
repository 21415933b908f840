// SPDX-License-Identifier: Apache-2.0
/// One connection to PostgreSQL, asynchronous on the engine's io_context.
#pragma once

#include "endpoints.hpp"
#include "failure.hpp"
#include "statements.hpp"

#include <gallery/task.hpp>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gallery::postgres {

struct result_deleter {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using result_ptr = std::unique_ptr<PGresult, result_deleter>;

/// What a batch was answered. Without `failed` there is a result for each of its statements.
struct answer {
    std::vector<result_ptr> results;
    std::optional<failure> failed;  ///< of the first statement that failed; those behind it were not executed
    /// The server's notices and warnings meanwhile. One during a commit means that the commit may be lost
    /// with the primary: a cancelled wait for the standbys ends with a warning and success.
    std::vector<std::string> notices;

    [[nodiscard]] int rows(std::size_t which) const noexcept { return PQntuples(results[which].get()); }
    [[nodiscard]] field at(std::size_t which, int row, int column) const noexcept;
    /// A whole row; @p to is reused.
    void row(std::size_t which, int row, fields& to) const;
    /// In text, of execute().
    [[nodiscard]] std::string text(std::size_t which, int row, int column) const;
};

/// Not thread-safe: used on the engine's thread, by one coroutine at a time. An operation that takes longer
/// than the timeout ends the connection, as does every failure of the socket; is_open() is false then, and
/// nothing but open() may be called.
class connection {
public:
    connection(asio::io_context& engine, std::chrono::milliseconds timeout);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    std::string server;  ///< that it is open to (server_facts::server); for its owner's use

    [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }

    /// Connects to one server. @p address: of its host where that is a name, else empty.
    task<std::optional<failure>> open(endpoint where, std::string address, std::chrono::milliseconds within);

    /// One or more statements without parameters, in one transaction unless they begin their own. Results are
    /// text. Not in pipeline mode.
    task<answer> execute(std::string statements);
    /// Rows of a `copy ... to stdout (format binary)`. Not in pipeline mode. @p on_row throws nothing that
    /// may not end the copy.
    task<std::optional<failure>> copy_out(std::string statement, std::function<void(const fields&)> on_row);

    /// Prepares all statements; from here on run() may be called.
    task<std::optional<failure>> begin_pipeline();
    /// For execute() and copy_out(), and back; nothing may be in progress.
    void leave_pipeline() noexcept;
    void resume_pipeline() noexcept;
    /// Statements outside an explicit transaction are one transaction.
    task<answer> run(batch what) { return run(std::move(what), timeout_); }
    task<answer> run(batch what, std::chrono::milliseconds within);

    /// Waits for a notification of a channel that was listened to; returns the payloads. Empty: the
    /// connection is lost. No timeout.
    task<std::vector<std::string>> wait_for_notifications();

    /// Any operation in progress fails.
    void abort() noexcept;
    void close() noexcept;

private:
    struct handle_deleter {
        void operator()(PGconn* handle) const noexcept { PQfinish(handle); }
    };
    class deadline;

    task<bool> wait(asio::posix::stream_descriptor::wait_type what);
    /// Sends what libpq has buffered.
    task<bool> flush();
    /// Until PQgetResult() does not block.
    task<bool> receive();
    task<answer> collect(std::size_t queries, bool in_pipeline);
    bool send(const batch::query& what);
    [[nodiscard]] failure lost_failure() const;
    /// Closes the connection, which is lost; what was asked has no other answer.
    answer lose();
    void take(const PGresult* result, answer& into) const;
    static void note(void* self, const PGresult* notice);

    asio::io_context& engine_;
    const std::chrono::milliseconds timeout_;
    std::unique_ptr<PGconn, handle_deleter> handle_;
    std::optional<asio::posix::stream_descriptor> socket_;
    asio::steady_timer timer_;
    std::shared_ptr<int> guarded_;  ///< the socket that the timer shuts down; -1 between operations
    std::vector<std::string> notices_;
    bool aborted_ = false;
    bool timed_out_ = false;
};

}  // namespace gallery::postgres
