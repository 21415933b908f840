// SPDX-License-Identifier: Apache-2.0
/// The storage engine on PostgreSQL. See etc/doc/storage_plugins.md for the design and gallery/storage.hpp
/// for what is promised.
///
/// Threads: one thread of the engine's own runs an io_context with all connections. Coroutines of callers
/// stay on their I/O threads; what needs the database is done on the engine's thread, and the caller resumes
/// where it was.
#pragma once

#include "bodies.hpp"
#include "committer.hpp"
#include "environment.hpp"
#include "follower.hpp"
#include "listener.hpp"
#include "mirror.hpp"
#include "options.hpp"
#include "pool.hpp"
#include "session.hpp"
#include "upkeep.hpp"

#include <gallery/plugin.hpp>
#include <gallery/storage.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gallery::postgres {

/// The lock of a node's own folder.
class folder_lock {
public:
    /// Error: unavailable where another process has it.
    static result<folder_lock> take(const std::string& folder);
    folder_lock(folder_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    folder_lock& operator=(folder_lock&&) = delete;
    ~folder_lock();

private:
    explicit folder_lock(int descriptor) noexcept : descriptor_(descriptor) {}
    int descriptor_;
};

class store final : public storage_engine, public image_store, public document_store, public change_feed {
public:
    /// See plugin_descriptor::create.
    static result<std::unique_ptr<storage_engine>> open(const plugin_context& context);

    store(folder_lock lock, options chosen, log_function log);
    ~store() override;

    image_store& images() noexcept override { return *this; }
    document_store& documents() noexcept override { return *this; }
    change_feed& feed() noexcept override { return *this; }
    task<result<check_report>> check() override;
    [[nodiscard]] write_state writing() const override;
    void change_options(const std::map<std::string, std::string>& options) override;
    [[nodiscard]] std::vector<statistic> statistics() const override;

    // ---- images ----
    task<result<record_ptr>> find(tenant_id tenant, std::string key) override;
    task<result<record_ptr>> find_by_id(image_id id) override;
    task<result<record_ptr>> find_by_public_key(std::string public_key) override;
    task<result<std::vector<record_ptr>>> find_by_content(tenant_id tenant, sha256_digest etag) override;
    task<result<body>> read(record_ptr record, representation which) override;
    task<result<body>> read_aside(record_ptr record, representation which) override;
    task<result<void>> check_body(record_ptr record, representation which) override;
    std::optional<record_ptr> find_now(const tenant_id& tenant, std::string_view key) override;
    std::optional<record_ptr> find_by_public_key_now(std::string_view public_key) override;
    std::optional<body> read_now(const image_record& record, representation which) override;
    task<result<image_page>> list(image_query query) override;
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> tenant, std::string cursor,
                                             std::size_t limit) override;
    task<result<tenant_usage>> usage(std::optional<tenant_id> tenant) override;
    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> tenant, kept_order order,
                                               std::string cursor, std::size_t limit) override;
    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                  std::size_t limit) override;
    task<result<kept_version>> find_kept(image_id id, revision content_rev) override;
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override;
    task<result<write_outcome>> update(image_record record, precondition condition) override;
    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override;
    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override;
    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override;

    // ---- documents ----
    task<result<document>> find(std::string kind, std::string id) override;
    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override;
    task<result<documents_outcome>> write(std::vector<document_write> parts) override;

    // ---- feed ----
    task<result<change_batch>> changes(revision after, std::size_t limit) override;
    task<result<revision>> last() override;
    void on_change(std::function<void()> notify) override;

private:
    result<void> start();
    template <class T>
    task<result<T>> on_engine(task<result<T>> work);
    void keep_running(task<> (*loop)(store&), const char* what);

    // On the engine's thread.
    task<result<change_batch>> changes_here(revision after, std::size_t limit);
    task<result<check_report>> check_here();
    template <class Write, class... Arguments>
    task<result<write_outcome>> commit_here(Arguments... arguments);
    template <class Make>
    task<result<write_outcome>> store_here(bytes original, bytes preview, Make make);
    /// Both bodies in memory; those that arrive as files are read on a worker.
    task<result<std::pair<bytes, bytes>>> loaded(body original, body preview, bool preview_is_original);

    const folder_lock lock_;
    const options chosen_;
    const log_function log_;
    asio::io_context engine_{1};
    asio::thread_pool workers_;
    environment environment_;
    dialer dialer_;
    mirror mirror_;
    follower follower_;
    pool pool_;
    body_store bodies_;
    listener listener_;
    committer committer_;
    upkeep upkeep_;
    std::function<void()> notify_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> busy_;
    std::thread thread_;
};

/// Runs @p work on the engine's thread.
template <class T>
task<> complete_with(task<result<T>> work, reply<T> waiting) {
    result<T> outcome = error{errc::internal, "The storage engine postgresql failed."};
    try {
        outcome = co_await std::move(work);
    } catch (const std::bad_alloc&) {
        outcome = error{errc::busy, "The storage engine postgresql is out of memory; try again later."};
    } catch (const std::exception& bug) {
        outcome = error{errc::internal, std::string("The storage engine postgresql failed: ") + bug.what()};
    }
    waiting.complete(std::move(outcome));
}

template <class T>
task<result<T>> store::on_engine(task<result<T>> work) {
    auto start = [this, work = std::move(work)](resumption<result<T>> waiting) mutable {
        asio::co_spawn(engine_, complete_with<T>(std::move(work), reply<T>(std::move(waiting))),
                       asio::detached);
    };
    co_return co_await suspend<result<T>>(std::move(start));
}

}  // namespace gallery::postgres
