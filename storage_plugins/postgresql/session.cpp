// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

namespace gallery::postgres {
namespace {

using level = log_level;

/// pg_walfile_name() shows the timeline that is written now; pg_control_checkpoint() is behind after a
/// promotion. What the server keeps for a session that has stopped in the middle of a transaction, it keeps
/// for five seconds only: the lock of the store's state, for instance of a process that was stopped.
std::string set_up_statements(const std::string& schema, durability how) {
    return "select (('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int8)::text, "
           "(select system_identifier from pg_control_system())::text, "
           "current_setting('synchronous_standby_names'), "
           "(select reset_val from pg_settings where name = 'synchronous_commit'), current_setting('fsync'), "
           "current_setting('server_encoding');"
           "set search_path to " +
           quoted_identifier(schema) + ";set synchronous_commit to " +
           (how == durability::synchronous ? "on" : "off") +
           ";set client_encoding to 'UTF8';set default_transaction_isolation to 'read committed';"
           "set statement_timeout to 0;set lock_timeout to 0;set idle_in_transaction_session_timeout to 5000;"
           "set client_min_messages to warning;set jit to off";
}

error cannot(const std::string& what) {
    return {errc::unavailable, "No PostgreSQL primary can be reached. " + what};
}

}  // namespace

std::string why_unreplicated(std::string_view synchronous_standby_names,
                             std::string_view synchronous_commit) {
    if (synchronous_standby_names.find_first_not_of(" \t") == std::string_view::npos)
        return "synchronous_standby_names is empty";
    // A level that is stronger than on, and the setting of every session, are overwritten by this engine's
    // own.
    if (synchronous_commit != "on" && synchronous_commit != "remote_apply")
        return "synchronous_commit is " + std::string(synchronous_commit);
    return {};
}

task<result<server_facts>> dialer::set_up(connection& on, durability how) {
    auto statements = set_up_statements(in_.chosen.schema, how);
    auto done = co_await on.execute(std::move(statements));
    if (done.failed) {
        on.close();
        co_return to_error(*done.failed, "setting a session up");
    }
    server_facts facts;
    facts.timeline = std::stoll(done.text(0, 0, 0));
    facts.server = done.text(0, 0, 1) + '/' + done.text(0, 0, 0);
    facts.unreplicated = why_unreplicated(done.text(0, 0, 2), done.text(0, 0, 3));
    facts.syncs = done.text(0, 0, 4) == "on";
    facts.encoding = done.text(0, 0, 5);
    co_return facts;
}

task<result<server_facts>> dialer::dial(connection& on, durability how) {
    std::string problems;
    const auto count = in_.chosen.servers.size();
    const auto first = preferred_;
    for (std::size_t i = 0; i < count; ++i) {
        const auto index = (first + i) % count;
        const auto& where = in_.chosen.servers[index];
        std::vector<std::string> addresses(1);
        if (where.is_name()) {
            auto look = [host = where.host()] { return look_up(host); };
            addresses = co_await offload(in_.workers, std::move(look));
            if (addresses.empty()) problems += where.name() + ": the name has no address. ";
        }
        for (const auto& address : addresses) {
            auto failed = co_await on.open(where, address, in_.chosen.connect_timeout);
            if (failed) {
                problems += where.name() + ": " + failed->message + ". ";
                continue;
            }
            auto facts = co_await set_up(on, how);
            if (facts) {
                preferred_ = index;
                co_return facts;
            }
            problems += where.name() + ": " + facts.error().message + ". ";
        }
    }
    if (!problems.empty()) problems.pop_back();
    co_return cannot(problems);
}

task<result<server_facts>> dialer::open(connection& on, durability how) {
    auto facts = co_await dial(on, how);
    if (!facts) co_return facts.error();
    auto failed = co_await on.begin_pipeline();
    if (failed) {
        on.close();
        co_return to_error(*failed, "preparing statements");
    }
    co_return facts;
}

task<result<server_facts>> dialer::open_believed(connection& on) {
    auto facts = co_await open(on, durability::synchronous);
    if (!facts) co_return facts.error();
    batch first;
    first.add(statement::beat, {of_uuid(in_.node)});
    first.add(statement::begin_epoch, {of_text(facts->server)});
    auto beaten = co_await on.run(std::move(first));
    if (!beaten.failed && beaten.notices.empty()) co_return facts;
    on.close();
    if (beaten.failed) co_return to_error(*beaten.failed, "proving that the server is the primary");
    co_return error{errc::unavailable, "PostgreSQL did not replicate a commit: " + beaten.notices.front()};
}

}  // namespace gallery::postgres
