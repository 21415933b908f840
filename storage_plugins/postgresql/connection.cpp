// SPDX-License-Identifier: Apache-2.0
// libpq never blocks here: its socket is waited for with Asio, and its functions are called when there is
// something to read or room to write. The descriptor belongs to libpq; Asio only borrows it, and is given the
// new one after each step of connecting, in which libpq may replace it.
#include "connection.hpp"

#include <boost/asio/redirect_error.hpp>

#include <sys/socket.h>
#include <cstring>
#include <utility>

namespace gallery::postgres {
namespace {

/// More than this is sent before the next statement is given to libpq, which copies it.
constexpr std::size_t send_at_once = 512 * 1024;

/// Without line breaks, tabs and a full stop at the end.
std::string one_line(const char* text) {
    std::string line;
    for (const char* at = text == nullptr ? "" : text; *at != '\0'; ++at) {
        const bool is_space = *at == '\n' || *at == '\t' || *at == ' ';
        if (!is_space)
            line += *at;
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == '.'))
        line.pop_back();
    return line;
}

std::uint16_t big_endian_16(const char* from) noexcept {
    return static_cast<std::uint16_t>(static_cast<unsigned char>(from[0]) << 8 |
                                      static_cast<unsigned char>(from[1]));
}
std::int32_t big_endian_32(const char* from) noexcept {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 8 | static_cast<unsigned char>(from[i]);
    return static_cast<std::int32_t>(value);
}

/// One row of a binary copy; false at its end.
bool parse_copied(std::string_view data, bool is_first, fields& row) {
    constexpr std::string_view signature("PGCOPY\n\377\r\n\0", 11);
    if (is_first) {
        if (!data.starts_with(signature) || data.size() < 19) throw std::runtime_error("malformed copy");
        const auto extension = static_cast<std::size_t>(big_endian_32(data.data() + 15));
        data.remove_prefix(19 + extension);
    }
    row.clear();
    if (data.size() < 2) return false;
    const auto count = big_endian_16(data.data());
    if (count == 0xffff) return false;
    data.remove_prefix(2);
    for (unsigned i = 0; i < count; ++i) {
        if (data.size() < 4) throw std::runtime_error("malformed copy");
        const auto size = big_endian_32(data.data());
        data.remove_prefix(4);
        if (size >= 0 && data.size() < static_cast<std::size_t>(size))
            throw std::runtime_error("malformed copy");
        row.push_back({data.data(), size});
        if (size > 0) data.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
}

}  // namespace

field answer::at(std::size_t which, int row, int column) const noexcept {
    const auto* from = results[which].get();
    if (PQgetisnull(from, row, column) != 0) return {};
    return {PQgetvalue(from, row, column), PQgetlength(from, row, column)};
}

void answer::row(std::size_t which, int row, fields& to) const {
    to.clear();
    for (int i = 0, count = PQnfields(results[which].get()); i < count; ++i)
        to.push_back(at(which, row, i));
}

std::string answer::text(std::size_t which, int row, int column) const {
    return std::string(at(which, row, column).view());
}

/// Shuts the socket down where an operation takes too long: every wait then ends.
class connection::deadline {
public:
    deadline(connection& of, std::chrono::milliseconds within) : of_(of) {
        of.timed_out_ = false;
        of.guarded_ = std::make_shared<int>(of.handle_ ? PQsocket(of.handle_.get()) : -1);
        of.timer_.expires_after(within);
        of.timer_.async_wait([guarded = of.guarded_, &of](const boost::system::error_code& stopped) {
            // After the operation's end guarded holds no socket, and `of` may not exist any more.
            if (stopped || *guarded < 0) return;
            of.timed_out_ = true;
            ::shutdown(*guarded, SHUT_RDWR);
        });
    }
    deadline(const deadline&) = delete;
    deadline& operator=(const deadline&) = delete;
    ~deadline() {
        if (!of_.guarded_) return;
        *of_.guarded_ = -1;
        of_.guarded_.reset();
        of_.timer_.cancel();
    }
    /// libpq has another socket.
    void watch(int socket) {
        if (of_.guarded_) *of_.guarded_ = socket;
    }

private:
    connection& of_;
};

connection::connection(asio::io_context& engine, std::chrono::milliseconds timeout)
    : engine_(engine), timeout_(timeout), timer_(engine) {}

connection::~connection() {
    close();
}

void connection::abort() noexcept {
    aborted_ = true;
    if (handle_ && PQsocket(handle_.get()) >= 0) ::shutdown(PQsocket(handle_.get()), SHUT_RDWR);
}

void connection::close() noexcept {
    if (socket_) socket_->release();
    socket_.reset();
    handle_.reset();
}

void connection::note(void* self, const PGresult* notice) {
    const auto* text = PQresultErrorMessage(notice);
    static_cast<connection*>(self)->notices_.push_back(one_line(text));
}

answer connection::lose() {
    answer none;
    none.failed = lost_failure();
    close();
    return none;
}

failure connection::lost_failure() const {
    failure what;
    what.lost = true;
    what.message = timed_out_
                       ? "no answer within " + std::to_string(timeout_.count()) + " ms"
                       : one_line(handle_ ? PQerrorMessage(handle_.get()) : "the connection is closed");
    if (what.message.empty()) what.message = "the connection was lost";
    return what;
}

task<bool> connection::wait(asio::posix::stream_descriptor::wait_type what) {
    boost::system::error_code failed;
    co_await socket_->async_wait(what, asio::redirect_error(use_task, failed));
    co_return !failed && !aborted_;
}

task<std::optional<failure>> connection::open(endpoint where, std::string address,
                                              std::chrono::milliseconds within) {
    close();
    aborted_ = false;
    notices_.clear();
    if (!address.empty()) where.parameters["hostaddr"] = address;
    handle_.reset(PQconnectStart(where.connection_string().c_str()));
    if (!handle_) co_return failure{"53200", "out of memory", true};
    PQsetNoticeReceiver(handle_.get(), &connection::note, this);

    deadline limit(*this, within);
    auto next = PGRES_POLLING_WRITING;
    int known = -1;
    while (PQstatus(handle_.get()) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
           next != PGRES_POLLING_FAILED) {
        const int now = PQsocket(handle_.get());
        if (now < 0) break;
        if (socket_) socket_->release();
        socket_.emplace(engine_, now);
        if (now != known) limit.watch(known = now);
        const bool ready =
            co_await wait(next == PGRES_POLLING_READING ? asio::posix::stream_descriptor::wait_read
                                                        : asio::posix::stream_descriptor::wait_write);
        if (!ready || timed_out_) break;
        socket_->release();
        socket_.reset();
        next = PQconnectPoll(handle_.get());
    }
    if (PQstatus(handle_.get()) != CONNECTION_OK || next != PGRES_POLLING_OK) {
        auto failed = lost_failure();
        if (timed_out_) failed.message = "no answer within " + std::to_string(within.count()) + " ms";
        close();
        co_return failed;
    }
    // Otherwise the login is that of the server's user, for instance on a socket of this machine.
    if (where.is_confined && PQconnectionUsedPassword(handle_.get()) == 0) {
        close();
        co_return failure{"28000", "the database does not ask for the password, which a mirror requires",
                          false};
    }
    socket_.emplace(engine_, PQsocket(handle_.get()));
    PQsetnonblocking(handle_.get(), 1);
    co_return std::nullopt;
}

task<bool> connection::flush() {
    for (;;) {
        const int left = PQflush(handle_.get());
        if (left == 0) co_return true;
        if (left < 0) co_return false;
        const bool ready = co_await wait(asio::posix::stream_descriptor::wait_write);
        if (!ready) co_return false;
        if (PQconsumeInput(handle_.get()) == 0) co_return false;
    }
}

task<bool> connection::receive() {
    while (PQisBusy(handle_.get()) != 0) {
        const bool ready = co_await wait(asio::posix::stream_descriptor::wait_read);
        if (!ready) co_return false;
        if (PQconsumeInput(handle_.get()) == 0) co_return false;
    }
    co_return true;
}

void connection::take(const PGresult* result, answer& into) const {
    if (into.failed) return;
    failure what;
    const auto* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const auto* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    what.sqlstate = state == nullptr ? "" : state;
    what.message = one_line(primary == nullptr ? PQresultErrorMessage(result) : primary);
    what.lost = PQstatus(handle_.get()) == CONNECTION_BAD || ends_connection(what.sqlstate);
    if (timed_out_) what = lost_failure();
    into.failed = std::move(what);
}

task<answer> connection::collect(std::size_t queries, bool in_pipeline) {
    answer all;
    std::size_t index = 0;
    bool at_end = false;
    if (in_pipeline) all.results.resize(queries);
    while (!at_end) {
        const bool ready = co_await receive();
        if (!ready) break;
        result_ptr one(PQgetResult(handle_.get()));
        if (!one) {
            if (!in_pipeline) {
                at_end = true;
            } else if (PQstatus(handle_.get()) == CONNECTION_BAD || ++index > queries) {
                break;
            }
            continue;
        }
        switch (PQresultStatus(one.get())) {
            case PGRES_PIPELINE_SYNC:
                at_end = true;
                break;
            case PGRES_PIPELINE_ABORTED:
                break;
            case PGRES_FATAL_ERROR:
            case PGRES_BAD_RESPONSE:
                take(one.get(), all);
                break;
            default:
                if (!in_pipeline)
                    all.results.push_back(std::move(one));
                else if (index < queries)
                    all.results[index] = std::move(one);
        }
    }
    if (!at_end && (!all.failed || !all.failed->lost)) {
        // Keep what the server said last: "terminating connection due to administrator command".
        auto lost = lost_failure();
        if (all.failed) lost.sqlstate = all.failed->sqlstate;
        all.failed = std::move(lost);
    }
    all.notices = std::exchange(notices_, {});
    if (all.failed && all.failed->lost) close();
    co_return all;
}

task<answer> connection::execute(std::string statements) {
    const deadline limit(*this, timeout_);
    notices_.clear();
    bool sent = PQsendQuery(handle_.get(), statements.c_str()) == 1;
    if (sent) sent = co_await flush();
    if (!sent) co_return lose();
    co_return co_await collect(0, false);
}

task<std::optional<failure>> connection::copy_out(std::string statement,
                                                  std::function<void(const fields&)> on_row) {
    bool sent = PQsendQuery(handle_.get(), statement.c_str()) == 1;
    if (sent) {
        const deadline limit(*this, timeout_);
        sent = co_await flush();
        if (sent) sent = co_await receive();
    }
    if (sent) {
        const result_ptr head(PQgetResult(handle_.get()));
        if (head && PQresultStatus(head.get()) == PGRES_COPY_OUT) {
            fields row;
            bool is_first = true;
            for (;;) {
                char* data = nullptr;
                const int size = PQgetCopyData(handle_.get(), &data, 1);
                if (size < 0) break;
                if (size == 0) {
                    const deadline limit(*this, timeout_);
                    const bool ready = co_await wait(asio::posix::stream_descriptor::wait_read);
                    if (!ready || PQconsumeInput(handle_.get()) == 0) break;
                    continue;
                }
                const std::unique_ptr<char, decltype(&PQfreemem)> owned(data, &PQfreemem);
                if (parse_copied({data, static_cast<std::size_t>(size)}, is_first, row)) on_row(row);
                is_first = false;
            }
            auto rest = co_await collect(0, false);
            co_return std::move(rest.failed);
        }
        answer refused;
        if (head) take(head.get(), refused);
        auto rest = co_await collect(0, false);
        if (refused.failed) co_return std::move(refused.failed);
        if (rest.failed) co_return std::move(rest.failed);
        co_return failure{"", "the server did not begin a copy", false};
    }
    auto lost = lost_failure();
    close();
    co_return lost;
}

task<std::optional<failure>> connection::begin_pipeline() {
    const deadline limit(*this, timeout_);
    bool sent = PQenterPipelineMode(handle_.get()) == 1;
    for (std::size_t i = 0; sent && i < statement_count; ++i) {
        const auto which = static_cast<statement>(i);
        sent = PQsendPrepare(handle_.get(), name_of(which), text_of(which).c_str(), 0, nullptr) == 1;
    }
    sent = sent && PQpipelineSync(handle_.get()) == 1;
    if (sent) sent = co_await flush();
    if (!sent) {
        auto lost = lost_failure();
        close();
        co_return lost;
    }
    auto prepared = co_await collect(statement_count, true);
    co_return std::move(prepared.failed);
}

void connection::leave_pipeline() noexcept {
    if (handle_) PQexitPipelineMode(handle_.get());
}

void connection::resume_pipeline() noexcept {
    if (handle_) PQenterPipelineMode(handle_.get());
}

bool connection::send(const batch::query& what) {
    const auto count = what.parameters.size();
    std::vector<const char*> values(count);
    std::vector<int> lengths(count);
    const std::vector<int> formats(count, 1);
    for (std::size_t i = 0; i < count; ++i) {
        const auto& one = what.parameters[i];
        const auto view = one.view();
        // An empty value is not null.
        values[i] = one.is_null() ? nullptr : view.data() == nullptr ? "" : view.data();
        lengths[i] = static_cast<int>(view.size());
    }
    const int number = static_cast<int>(count);
    if (what.what != statement::count_)
        return PQsendQueryPrepared(handle_.get(), name_of(what.what), number, values.data(), lengths.data(),
                                   formats.data(), 1) == 1;
    return PQsendQueryParams(handle_.get(), what.text.c_str(), number, nullptr, values.data(), lengths.data(),
                             formats.data(), 1) == 1;
}

task<answer> connection::run(batch what, std::chrono::milliseconds within) {
    const deadline limit(*this, within);
    notices_.clear();
    bool sent = true;
    std::size_t unsent = 0;
    for (const auto& query : what.queries()) {
        sent = send(query);
        if (!sent) break;
        for (const auto& one : query.parameters)
            unsent += one.view().size();
        if (unsent < send_at_once) continue;
        unsent = 0;
        sent = co_await flush();
        if (!sent) break;
    }
    sent = sent && PQpipelineSync(handle_.get()) == 1;
    if (sent) sent = co_await flush();
    if (!sent) co_return lose();
    co_return co_await collect(what.size(), true);
}

task<std::vector<std::string>> connection::wait_for_notifications() {
    std::vector<std::string> payloads;
    while (payloads.empty()) {
        const bool ready = co_await wait(asio::posix::stream_descriptor::wait_read);
        if (!ready || PQconsumeInput(handle_.get()) == 0) {
            close();
            break;
        }
        while (PGnotify* one = PQnotifies(handle_.get())) {
            payloads.emplace_back(one->extra);
            PQfreemem(one);
        }
    }
    co_return payloads;
}

}  // namespace gallery::postgres
