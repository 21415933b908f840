// SPDX-License-Identifier: Apache-2.0
// Opening and closing, and the figures for the metrics.
#include "store.hpp"

#include <gallery/kit/figures.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <future>

namespace gallery::postgres {
namespace {

using level = log_level;

constexpr std::size_t worker_threads = 2;

}  // namespace

result<folder_lock> folder_lock::take(const std::string& folder) {
    const auto file = folder + "/postgresql.lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return error{errc::io_error, "The file " + file + " cannot be opened: " + std::strerror(errno) + "."};
    folder_lock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
        return error{errc::unavailable,
                     "The folder " + folder +
                         " is in use by another process. Each server needs a folder of its own; "
                         "the store in the database may be the same."};
    return lock;
}

folder_lock::~folder_lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

result<std::unique_ptr<storage_engine>> store::open(const plugin_context& context) {
    auto chosen = parse_options(context.options, context.confined);
    if (!chosen) return chosen.error();
    auto lock = folder_lock::take(context.path);
    if (!lock) return lock.error();
    if (auto used = use_root_certificates(chosen->root_certificates, context.path, chosen->servers); !used)
        return used.error();
    log_function log = context.log;
    if (!log) log = [](level, std::string_view) {};
    auto made = std::make_unique<store>(std::move(*lock), std::move(*chosen), std::move(log));
    if (auto started = made->start(); !started) return started.error();
    return std::unique_ptr<storage_engine>(std::move(made));
}

store::store(folder_lock lock, options chosen, log_function log)
    : lock_(std::move(lock)),
      chosen_(std::move(chosen)),
      log_(std::move(log)),
      workers_(worker_threads),
      environment_{engine_, workers_, chosen_, log_, random_uuid()},
      dialer_(environment_),
      mirror_(chosen_.changes_kept),
      follower_(environment_, dialer_, mirror_),
      pool_(environment_, dialer_, [this] { return follower_.server(); }),
      bodies_(environment_, pool_, mirror_, follower_),
      listener_(environment_, dialer_, follower_),
      committer_(environment_, dialer_, mirror_, follower_, [this] { listener_.tell(); }),
      upkeep_(environment_, pool_, mirror_) {
    mirror_.on_drop([this](const image_record& record) { bodies_.forget(record); });
    mirror_.on_change([this] {
        if (notify_) notify_();
    });
}

void store::keep_running(task<> (*loop)(store&), const char* what) {
    asio::co_spawn(engine_, loop(*this), [this, loop, what](std::exception_ptr thrown) {
        if (!thrown) return;
        // What can be thrown is a lack of memory, and rows that another version or somebody else has written.
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& bug) {
            log_(level::error,
                 std::string("postgresql: ") + what + " failed and is restarted: " + bug.what());
        }
        auto again = std::make_shared<asio::steady_timer>(engine_, std::chrono::seconds(1));
        again->async_wait([this, again, loop, what](const boost::system::error_code& stopped) {
            if (!stopped && busy_) keep_running(loop, what);
        });
    });
}

result<void> store::start() {
    busy_.emplace(asio::make_work_guard(engine_));
    thread_ = std::thread([this] { engine_.run(); });
    std::promise<result<void>> opened;
    asio::co_spawn(engine_, follower_.open(), [&opened](std::exception_ptr thrown, result<void> outcome) {
        if (!thrown) return opened.set_value(std::move(outcome));
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& bug) {
            opened.set_value(
                error{errc::corrupt, std::string("The store cannot be read: ") + bug.what() + "."});
        }
    });
    if (auto outcome = opened.get_future().get(); !outcome) return outcome.error();
    asio::post(engine_, [this] {
        keep_running([](store& self) { return self.follower_.run(); }, "following the feed");
        keep_running([](store& self) { return self.follower_.expire_waiters(); }, "watching requests");
        keep_running([](store& self) { return self.committer_.run(); }, "committing");
        keep_running([](store& self) { return self.listener_.run_sender(); }, "notifying");
        keep_running([](store& self) { return self.listener_.run_receiver(); }, "listening");
        keep_running([](store& self) { return self.upkeep_.run(); }, "upkeep");
    });
    log_(level::info, "postgresql: opened the schema \"" + chosen_.schema + "\" with " +
                          std::to_string(mirror_.images().size()) + " images; the last change is revision " +
                          std::to_string(mirror_.position()) + ".");
    return {};
}

store::~store() {
    if (thread_.joinable()) {
        asio::post(engine_, [this] {
            follower_.stop();
            committer_.stop();
            listener_.stop();
            upkeep_.stop();
            pool_.stop();
            busy_.reset();
        });
        thread_.join();
    }
    workers_.join();
}

write_state store::writing() const {
    auto reason = follower_.unreplicated();
    if (reason.empty()) return {};
    return {write_state::kind::read_only,
            "PostgreSQL does not replicate commits: " + reason + ". Set the synchronous standbys up again."};
}

void store::change_options(const std::map<std::string, std::string>& options) {
    // They are of the configuration.
    const auto chosen = parse_options(options, std::nullopt);
    if (chosen) bodies_.set_bound(chosen->cache_bytes);
}

std::vector<statistic> store::statistics() const {
    std::vector<statistic> figures;
    const auto gauge = [&figures](const char* name, auto value, const char* help) {
        figures.push_back({name, statistic::kind::gauge, help, static_cast<double>(value)});
    };
    const auto counter = [&figures](const char* name, auto value, const char* help) {
        figures.push_back({name, statistic::kind::counter, help, static_cast<double>(value)});
    };
    gauge("images", mirror_.images().size(), "Stored images.");
    gauge("kept_versions", mirror_.images().kept_size(), "Kept versions of images.");
    gauge("documents", mirror_.documents().size(), "Stored documents.");
    gauge(kit::entries_set_aside, 0, kit::none_set_aside);
    gauge("changes_kept", mirror_.changes_kept(), "Changes that can be read again.");
    gauge("connected", follower_.is_connected() ? 1 : 0, "1 while the feed of the primary is followed.");
    gauge("horizon_age_seconds", follower_.age(), "Time since the feed was last read to its end.");
    gauge("unreplicated", follower_.unreplicated().empty() ? 0 : 1,
          "1 while writes are refused because commits are not replicated.");
    gauge("writes_waiting", committer_.waiting(), "Writes that wait for a transaction.");
    gauge("bodies_waiting", bodies_.waiting(), "Transfers of image bytes that wait for memory.");
    counter("reconnects_total", follower_.reconnects(),
            "How often the feed was followed on a new connection.");
    counter("reloads_total", follower_.reloads(), "Reloads of the store after a lost history.");
    counter("polls_total", follower_.polls(), "Readings of the feed.");
    counter("transactions_total", committer_.transactions(), "Transactions with writes of this server.");
    counter("writes_total", committer_.writes(), "Writes in transactions that were committed.");
    counter("writes_looked_up_total", committer_.looked_up(),
            "Writes whose connection was lost during the commit.");
    counter("writes_unknown_total", committer_.doubtful(), "Writes that ended without a known outcome.");
    const auto bodies = bodies_.statistics();
    gauge("body_cache_bytes", bodies.bytes, "Image bytes kept in memory.");
    gauge("body_cache_entries", bodies.entries, "Images and previews kept in memory.");
    counter("body_cache_hits_total", bodies.hits, "Reads of picture bytes answered from memory.");
    counter("body_cache_misses_total", bodies.misses, "Reads of picture bytes not answered from memory.");
    counter("body_cache_evictions_total", bodies.evictions, "Pictures dropped from memory for others.");
    return figures;
}

}  // namespace gallery::postgres
