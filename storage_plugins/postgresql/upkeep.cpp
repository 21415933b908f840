// SPDX-License-Identifier: Apache-2.0
#include "upkeep.hpp"

#include "schema.hpp"

namespace gallery::postgres {
namespace {

constexpr std::chrono::milliseconds interval{10'000};
constexpr unsigned rounds_between_sweeps = 6;

/// Only one process goes on behind this; it ends with the transaction.
std::string guard(const std::string& schema) {
    return "(select pg_try_advisory_xact_lock(1734437997, hashtext(" + quoted_literal(schema) + ")))";
}

/// The state's row is locked last, and for a moment only.
std::string trim_statement(const std::string& schema, std::size_t keep) {
    return "with last as (select rev from change order by rev desc offset " + std::to_string(keep) +
           " limit 1), gone as (delete from change where " + guard(schema) +
           " and rev <= (select rev from last) returning rev) "
           "update state set trimmed = (select max(rev) from gone) where (select count(*) from gone) > 0";
}

/// An upload commits its record within seconds of storing its bytes.
std::string sweep_statement(const std::string& schema) {
    return "with old as (select body from staged where " + guard(schema) +
           " and since < now() - interval '15 minutes' for update skip locked), "
           "gone as (delete from staged where body in (select body from old) returning body) "
           "delete from body where id in (select body from gone)";
}

constexpr const char* forget_nodes = "delete from node where seen < now() - interval '1 day'";

}  // namespace

upkeep::upkeep(environment& in, pool& connections, const mirror& contents)
    : in_(in), pool_(connections), mirror_(contents), wake_(in.engine) {}

task<> upkeep::run() {
    for (unsigned round = 0; !stopping_; ++round) {
        co_await wake_.wait_for(interval);
        if (stopping_) break;
        batch work;
        if (round % rounds_between_sweeps == 0) {
            work.add(sweep_statement(in_.chosen.schema));
            work.add(forget_nodes);
        }
        const auto now = mirror_.position();
        if (now - trimmed_at_ > in_.chosen.changes_kept / 8) {
            work.add(trim_statement(in_.chosen.schema, in_.chosen.changes_kept));
            trimmed_at_ = now;
        }
        if (work.size() == 0) continue;
        auto done = co_await pool_.run(std::move(work));
        if (done.failed && !stopping_)
            in_.log(log_level::warning, "postgresql: upkeep failed: " + done.failed->message + ".");
    }
}

void upkeep::stop() {
    stopping_ = true;
    wake_.set();
}

}  // namespace gallery::postgres
