// SPDX-License-Identifier: Apache-2.0
#include "mirror/switching.hpp"

#include "mirror/starts.hpp"
#include "mirror/superseded.hpp"

#include <gallery/clock.hpp>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace gallery::mirror {

namespace {

using clock = std::chrono::steady_clock;

/// Writes wait while it exists.
class sealed_writes {
public:
    explicit sealed_writes(const switch_parts& parts)
        : served_(parts.served), begin_(clock::now()), until_(begin_ + parts.longest) {
        served_.seal_writes(parts.longest);
    }
    sealed_writes(const sealed_writes&) = delete;
    sealed_writes& operator=(const sealed_writes&) = delete;
    ~sealed_writes() { served_.open_gate(); }

    [[nodiscard]] bool is_late() const { return clock::now() >= until_; }
    [[nodiscard]] std::chrono::nanoseconds held() const { return clock::now() - begin_; }

private:
    served_store& served_;
    const clock::time_point begin_;
    const clock::time_point until_;
};

error too_long(const switch_parts& parts, const char* what) {
    return {errc::busy, "The store was not switched, and nothing has changed: " + std::string(what) +
                            " took longer than " + std::to_string(parts.longest.count()) +
                            " ms (MIRROR_SWITCH_TIMEOUT). Try again when there is less load."};
}

task<result<void>> wait_for_writes(switch_parts& parts, const sealed_writes& sealed) {
    constexpr std::chrono::milliseconds look_again{1};
    asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor> timer(
        co_await asio::this_coro::executor);
    while (parts.served.writes_under_way() != 0) {
        if (sealed.is_late()) co_return too_long(parts, "a write that had begun before");
        timer.expires_after(look_again);
        co_await timer.async_wait(use_task);
    }
    co_return result<void>();
}

task<result<void>> apply_all(switch_parts& parts, const sealed_writes& sealed) {
    for (;;) {
        const auto reached = co_await parts.all.follow();
        if (!reached && is_stopped(reached.error())) co_return too_long(parts, "applying the last changes");
        if (!reached) co_return reached.error();
        if (*reached == copier::reach::end) co_return result<void>();
        if (*reached == copier::reach::gap) {
            co_return error{
                errc::busy,
                "The store was not switched, and nothing has changed: changes were lost from the feed, "
                "and the stores are compared again. Try again when the mirror follows."};
        }
        if (sealed.is_late()) co_return too_long(parts, "applying the last changes");
    }
}

/// Finds a store that disagrees with its own records.
task<result<void>> compare_figures(switch_parts& parts) {
    const std::optional<tenant_id> everybody;
    const auto ours = co_await parts.served.engine().images().usage(everybody);
    if (!ours) co_return of_source(ours.error());
    const auto theirs = co_await parts.target->images().usage(everybody);
    if (!theirs) co_return of_target(theirs.error());
    if (*ours == *theirs) co_return result<void>();
    const auto text = [](const tenant_usage& of) {
        return std::to_string(of.images.count) + " images (" +
               std::to_string(of.images.original_bytes + of.images.preview_bytes) + " bytes) and " +
               std::to_string(of.kept.count) + " kept versions";
    };
    co_return error{errc::corrupt, "The store was not switched, and nothing has changed: it contains " +
                                       text(*ours) + ", and the mirror " + text(*theirs) +
                                       ". Verify the mirror: gallery-admin mirror verify"};
}

/// The bytes were hashed when they were copied. This finds what the mirror has acknowledged and lost.
task<result<void>> compare_last(switch_parts& parts) {
    constexpr bool is_end = false;  // what differs from now on is not explained, whenever it was compared
    auto compared = co_await parts.check.note_changes(parts.all.position(), is_end);
    if (compared) compared = co_await parts.check.compare_open();
    if (compared) compared = parts.check.verdict();
    if (!compared && is_stopped(compared.error())) co_return too_long(parts, "comparing the last changes");
    co_return compared;
}

/// The replacement of the file decides, also if it is not known to be on the disk: then the server must not
/// go on with the old store, because its next start would use the new one.
result<void> decide(const switch_parts& parts, const active_store& next) {
    const auto written = write_active_store(parts.active_file, next);
    if (written) return {};
    if (written.error().code != errc::unknown_outcome) {
        return error{written.error().code,
                     "The store was not switched, and nothing has changed: " + written.error().message};
    }
    parts.log(true, "the store is switched, although a crash of the machine may undo it: " +
                        written.error().message);
    return {};
}

void report(const switch_parts& parts, const result<void>& done, const char* what) {
    if (!done) parts.log(true, std::string(what) + ": " + done.error().message);
}

/// After the decision, nothing may end the switch. An exception violates the storage contract.
template <class T>
task<result<T>> guarded(task<result<T>> work) {
    try {
        co_return co_await std::move(work);
    } catch (const std::exception& thrown) {
        co_return error{errc::internal, std::string("a storage engine threw an exception: ") + thrown.what()};
    }
}

/// As a server that starts on the store. The position after that; 0 if the feed cannot be read.
task<revision> begin_history(switch_parts& parts) {
    auto asked = guarded(parts.target->feed().last());
    const auto found = co_await std::move(asked);
    report(parts, found ? result<void>() : result<void>(found.error()),
           "the feed of the store cannot be read");
    if (!found) co_return 0;
    auto adding = guarded(add_start(parts.target->documents(), *found));
    const auto added = co_await std::move(adding);
    report(parts, added, "this start on the store cannot be stored");
    asked = guarded(parts.target->feed().last());
    const auto last = co_await std::move(asked);
    co_return last ? *last : *found;
}

}  // namespace

task<result<switched>> switch_store(switch_parts parts) {
    const sealed_writes sealed(parts);
    if (auto ended = co_await wait_for_writes(parts, sealed); !ended) co_return ended.error();
    const auto begun = parts.served.writes_begun();
    if (auto applied = co_await apply_all(parts, sealed); !applied) co_return applied.error();
    constexpr bool accept_damage = false;
    auto held = parts.claims.target_condition();
    if (auto completed = co_await parts.all.complete(accept_damage, std::move(held)); !completed)
        co_return completed.error();
    if (auto same = co_await compare_figures(parts); !same) co_return same.error();
    if (auto same = co_await compare_last(parts); !same) co_return same.error();
    if (auto claimed = co_await parts.claims.confirm(parts.served.ungated_documents()); !claimed)
        co_return of_source(claimed.error());
    if (!parts.served.hold_on(begun)) co_return too_long(parts, "applying the last changes");

    switched out;
    out.decided = active_store{parts.to, parts.from, now_ms()};
    if (auto decided = decide(parts, out.decided); !decided) co_return decided.error();

    known_store place = parts.to;
    out.before = parts.served.exchange(parts.target, std::move(place));
    if (!parts.claims.has_claimed_target()) {
        auto releasing = guarded(release_store(parts.target->documents()));
        const auto released = co_await std::move(releasing);
        report(parts, released, "the store is still marked as a copy of another one");
    }
    auto noting = guarded(note_successor(out.before->documents(), successor_of(out.decided)));
    const auto noted = co_await std::move(noting);
    report(parts, noted, "the old store is not marked as superseded");
    out.position = co_await begin_history(parts);
    out.held = sealed.held();
    co_return out;
}

}  // namespace gallery::mirror
