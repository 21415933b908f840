// SPDX-License-Identifier: Apache-2.0
#include "app/parts.hpp"

#include "app/data_folder.hpp"
#include "app/http_options.hpp"
#include "app/log.hpp"
#include "app/part_options.hpp"
#include "app/start_report.hpp"
#include "app/upkeep.hpp"
#include "app/wait.hpp"
#include "app/watchdog.hpp"
#include "auth/signing_key.hpp"
#include "mirror/identity.hpp"
#include "mirror/mark.hpp"
#include "mirror/starts.hpp"
#include "mirror/superseded.hpp"

#include <gallery/abi_headers.hpp>
#include <gallery/clock.hpp>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace gallery::app {

namespace {

constexpr std::size_t coded_bodies_memory = 64ULL << 20;

/// As long as three runs of the upkeep, so that a late one does not lose it.
constexpr std::chrono::milliseconds upkeep_lease = 3 * upkeep_interval;

/// As several renewals (mirror_options::keep_turn), so that a copy of large images does not lose it.
constexpr std::chrono::milliseconds mirror_lease{60'000};

/// How long the end waits for the store to hear of it.
constexpr std::chrono::seconds farewell_time{2};

follower_options follower_options_of(const config::cluster_settings& cluster) {
    follower_options out;
    // Often enough that one late answer does not let the time run out.
    out.interval = cluster.staleness / 4;
    out.patience = cluster.staleness;
    return out;
}

}  // namespace

gallery_server::parts::parts(config::configuration start, const start_options& options)
    : settings(start.values),
      fresh_(settings.cluster.staleness),
      reloader_(std::move(start), reload_steps(options)),
      reloading_(options.reloading),
      reloaded_(options.reloaded) {
    set_live(settings);
}

void gallery_server::parts::set_live(const config::settings& from) {
    max_resource_size_.store(from.image.max_resource_size);
    drain_timeout_.store(from.server.timeouts.drain);
}

result<void> gallery_server::parts::open_store() {
    auto folder = prepare_folder(settings.data.folder, is_data_folder(settings.data.folder));
    if (!folder) return folder.error();
    if (!folder->note.empty()) log_warning(folder->note);
    data_folder_ = std::move(folder->path);
    auto chosen = find_active_storage(settings.storage, data_folder_);
    if (!chosen) return chosen.error();
    active_ = std::move(*chosen);
    if (auto there = active_.require_store(); !there) return there;
    ask_configured_store(active_, settings.storage);
    if (const auto note = active_.note(); !note.empty()) log_warning("the store was " + note);
    auto id = load_or_create_node_id(data_folder_);
    if (!id) log_warning(id.error().message + ". It has another one at each start");
    node_id_ = id ? std::move(*id) : to_string(random_uuid());
    auto may_write = [chosen = active_, node = node_id_](document_store& documents) {
        return require_current_store(documents, chosen, node);
    };
    auto opened = open_storage(active_.settings, data_folder_, std::move(may_write));
    if (!opened) return opened.error();
    storage_ = std::move(*opened);
    sharing_ =
        std::make_unique<store_sharing>(storage_.shared, fresh_, settings.storage.plugin_dir, node_id_);
    writes_ = std::make_unique<write_watch>(*storage_.store, [](bool accepts, std::string_view text) {
        log(accepts ? log_level::info : log_level::error, text);
    });
    storage_.store->on_failed_write([this] { writes_->check(); });
    writes_->check();
    return {};
}

result<void> gallery_server::parts::open_access_log() {
    const auto& chosen = settings.logging.access_log;
    if (chosen.format == config::access_log_format::off) return {};
    auto opened = access_log::open(chosen, log);
    if (!opened) return opened.error();
    access_log_ = std::move(*opened);
    return {};
}

void gallery_server::parts::reopen_logs() noexcept {
    if (access_log_) access_log_->reopen();
}

result<void> gallery_server::parts::start_threads() {
    if (auto opened = open_access_log(); !opened) return opened;
    auto options = http_options(settings);
    options.admit = admission_.by(settings.server);
    options.observe = [this](const http::finished_exchange& e) {
        requests_.observe(e);
        by_tenant_.observe(e);
        if (access_log_) access_log_->observe(e);
        log_exchange(e);
    };
    auto created = http::server::create(std::move(options));
    if (!created) return created.error();
    http_ = std::move(*created);

    if (settings.metrics.port != 0) {
        auto second = http::server::create(metrics_http_options(settings.metrics));
        if (!second) return second.error();
        metrics_http_ = std::move(*second);
    }
    return {};
}

result<void> gallery_server::parts::load_accounts() {
    if (auto checked = check_active(); !checked) return checked;
    if (auto registered = register_node(); !registered) return registered;
    if (auto taken = take_over_copy(); !taken) return taken;
    const auto& security = settings.security;
    auto key = signing_key();
    if (!key) return key.error();
    // The servers that share a store have the same key.
    http_->share_session_tickets(*key);
    accounts::directory_options directory;
    directory.longest_token_ms = std::chrono::milliseconds(std::max(security.token_expiration_time,
                                                                    security.refresh_token_expiration_time))
                                     .count();
    directory.keep_tombstones = security.admits_thingsboard_users();
    directory.foreign_users = security.admits_thingsboard_users();
    directory.log = [](std::string_view text) { log_warning(text); };
    directory.fresh = &fresh_;
    accounts::authenticator_options gate;
    gate.foreign_users = security.admits_thingsboard_users();

    const auto& cache = settings.cache;
    etags_ = std::make_unique<cache::etag_cache>(cache.etag_max_size, cache.etag_time_to_live, fresh_);
    accounts_ = std::make_unique<accounts::directory>(storage_.store->documents(), directory);
    codec_ = std::make_unique<auth::token_codec>(std::move(*key), security.token_issuer);
    authenticator_ = std::make_unique<accounts::authenticator>(*accounts_, *codec_, gate);
    tickets_ = std::make_unique<accounts::download_tickets>(*accounts_, *codec_, *authenticator_);
    passwords_ = std::make_unique<auth::password_service>();
    accounts::login_options logins;
    logins.access_lifetime = security.token_expiration_time;
    logins.refresh_lifetime = security.refresh_token_expiration_time;
    logins_ = std::make_unique<accounts::logins>(*accounts_, *codec_, *passwords_, limiter_, logins);

    const auto executor = http_->executor(0);
    auto following = follower_options_of(settings.cluster);
    following.is_alone = [this] { return !sharing_->is_shared(); };
    following.check_current = [this] { return check_current(); };
    follower_ = std::make_unique<change_follower>(
        storage_.store->feed(), *etags_, *accounts_, fresh_, storage_.changes, executor,
        [](std::string_view text) { log_error(text); }, std::move(following));
    accounts_->follow_with([this] { return follower_->catch_up(); },
                           [this] { return sharing_->is_shared(); });
    // In this order, so that no change falls between the two.
    if (auto begun = wait_for(executor, follower_->begin()); !begun) return begun.error();
    if (auto loaded = wait_for(executor, accounts_->load()); !loaded) {
        return error{loaded.error().code, "the accounts cannot be read: " + loaded.error().message};
    }
    follower_->start();
    if (by_tenant_.is_on()) {
        for (const auto& tenant : accounts_->tenants())
            by_tenant_.add(tenant->id);
    }
    return {};
}

result<void> gallery_server::parts::check_active() {
    auto checked =
        wait_for(http_->executor(0), check_active_storage(storage_.store->documents(), active_, node_id_));
    if (checked) return {};
    if (checked.error().code != errc::read_only && checked.error().code != errc::no_space) return checked;
    log_warning("the store contains what an interrupted switch has left: " + checked.error().message);
    return {};
}

result<void> gallery_server::parts::register_node() {
    api::node self;
    self.id = node_id_;
    self.address = node_address(settings, settings.server.port);
    self.version = GALLERY_VERSION;
    nodes_ = std::make_unique<node_registry>(
        storage_.store->documents(), [this] { return sharing_->is_shared(); }, std::move(self), &now_ms);
    const auto executor = http_->executor(0);
    const auto announced = wait_for(executor, nodes_->announce());
    const bool is_full =
        !announced && (announced.error().code == errc::read_only || announced.error().code == errc::no_space);
    if (!announced && !is_full) return announced.error();
    if (is_full) log_warning("this server could not be announced: " + announced.error().message);
    // From now on, because the start may take longer than a server counts without an announcement.
    announcements_ = std::make_unique<periodic>(executor, announcement_interval, [this]() -> task<void> {
        const auto done = co_await nodes_->announce();
        if (!done) log_warning("this server could not be announced: " + done.error().message);
    });
    return {};
}

task<result<void>> gallery_server::parts::check_current() {
    if (!sharing_->is_shared()) co_return result<void>();  // only this server leaves its store
    const auto by = co_await mirror::find_successor(storage_.store->documents());
    if (!by) co_return by.error();
    if (!by->has_value() || (*by)->node == node_id_) co_return result<void>();
    co_return not_current(**by);
}

result<void> gallery_server::parts::take_over_copy() {
    const auto source = wait_for(http_->executor(0), mirror::take_over(storage_.store->documents()));
    if (!source) return source.error();
    if (!source->empty()) {
        log_info("the store is a complete copy of " + *source +
                 ". It is used as a store of its own from now on; no later copy overwrites it");
    }
    return {};
}

void gallery_server::parts::identify_store() {
    auto& documents = storage_.store->documents();
    if (const auto id = wait_for(http_->executor(0), mirror::ensure_identity(documents)); !id) {
        log_warning("the store has no identity, by which a mirror recognises it: " + id.error().message);
        return;
    }
    const auto added = wait_for(http_->executor(0), mirror::add_start(documents, storage_.found));
    // A store that accepts no writes does not get another history.
    if (!added && added.error().code != errc::read_only) {
        log_warning(
            "this start cannot be stored, so a mirror may not notice if the store is put back at an earlier "
            "state: " +
            added.error().message);
    }
}

/// From the settings, else from the store. An earlier version kept its key in the data folder; that one goes
/// on.
result<std::string> gallery_server::parts::signing_key() {
    const auto& configured = settings.security.token_signing_key;
    if (!configured.empty()) return configured;
    const auto file = std::filesystem::path(data_folder_) / signing_key_file;
    auto earlier = auth::read_signing_key(file);
    if (!earlier) return earlier;
    auto key =
        wait_for(http_->executor(0), auth::load_or_create_signing_key(storage_.store->documents(), *earlier));
    const bool unwritable =
        !key && (key.error().code == errc::read_only || key.error().code == errc::no_space);
    if (unwritable && !earlier->empty()) return earlier;
    if (unwritable && !sharing_->is_shared()) {
        log_warning(
            "the store does not accept writes, so tokens of this start are valid only until its end: " +
            key.error().message);
        return auth::random_signing_key();
    }
    if (!key) {
        return error{key.error().code, "the key that signs tokens is not known: " + key.error().message};
    }
    // The file stays: another store of this data folder, or an earlier version, may still need it.
    if (!earlier->empty() && *earlier != *key) {
        log_warning("the store contains another key that signs tokens than " + file.string() +
                    ". Tokens that were signed with the key of the file are not accepted.");
    }
    return key;
}

result<void> gallery_server::parts::start_imaging() {
    imaging::pool_options options;
    static_cast<imaging::pool_limits&>(options) = pool_limits_of(settings.image);
    options.worker = imaging_worker_file();
    options.log = [](std::string_view text) { log_info("imaging: " + std::string(text)); };
    auto started = imaging::pool::start(std::move(options));
    if (!started) return started.error();
    imaging_ = std::move(*started);
    return {};
}

task<result<imaging::picture>> gallery_server::parts::inspect(imaging::upload what) {
    auto picture = co_await imaging_->inspect(std::move(what));
    const auto most = max_resource_size_.load(std::memory_order_relaxed);
    if (picture && most != 0 && picture->document.size() > most) {
        co_return images_->limits().refuse_image({.bytes = most}, picture->document.size(),
                                                 images::known_size::whole);
    }
    co_return picture;
}

images::tenant_quota gallery_server::parts::quota_of(const tenant_id& tenant) const {
    const auto limits = accounts_->limits_of(tenant);
    if (!limits) return {};
    return {.max_image_bytes = limits->max_resource_size, .max_total_bytes = limits->max_resources_bytes};
}

result<void> gallery_server::parts::make_services() {
    coded_ = std::make_unique<images::coded_bodies>(compressing_, coded_bodies_memory);
    uploads_ = std::make_unique<images::byte_budget>(settings.transport.upload_memory,
                                                     upload_wait_of(settings.transport));
    downloads_ = std::make_unique<images::byte_budget>(settings.transport.upload_memory,
                                                       download_wait_of(settings.transport));
    images_ = std::make_unique<images::image_service>(
        storage_.store->images(), *etags_, [this](imaging::upload what) { return inspect(std::move(what)); },
        [this](const tenant_id& tenant) { return accounts_->is_tenant_deleted(tenant); }, fresh_,
        [this](const tenant_id& tenant) { return quota_of(tenant); });
    auto& documents = storage_.store->documents();
    upkeep_turn_ = std::make_unique<lease>(documents, "upkeep", node_id_, upkeep_lease);
    mirror_turn_ = std::make_unique<lease>(documents, "mirror", node_id_, mirror_lease);
    sharing_->use(*nodes_, *follower_, *mirror_turn_);
    return {};
}

bool gallery_server::parts::drain() {
    ready_.store(false);
    // A switch that is not decided is given up, and its request is answered, before requests are aborted.
    if (mirror_) mirror_->end_soon();
    const bool clean = http_->drain(drain_timeout_.load());
    if (metrics_http_) metrics_http_->drain(std::chrono::milliseconds(0));
    // After an unclean drain the process ends without destroying it.
    if (access_log_) static_cast<void>(access_log_->flush(farewell_time));
    // A switch that is given up signs this server off from its target. After one that is decided, this server
    // is on another store. Both are known only then.
    if (mirror_ && !mirror_->wait_for_end(farewell_time))
        log_warning(
            "the mirror has not ended yet, so this server may stay in the list of servers for half a minute");
    if (!clean || !sharing_->is_shared()) return clean;
    announcements_->stop();
    upkeep_->stop();
    // A store that no longer answers must not make a clean stop late. It is not closed before this has ended.
    left_ = std::make_shared<std::promise<void>>();
    return wait_at_most(farewell_time, http_->executor(0), leave_cluster(left_)).has_value();
}

void gallery_server::parts::leave_after_failed_start() {
    if (!nodes_ || !sharing_->is_shared()) return;
    if (announcements_) announcements_->stop();
    left_ = std::make_shared<std::promise<void>>();
    static_cast<void>(wait_at_most(farewell_time, http_->executor(0), leave_cluster(left_)));
}

task<result<void>> gallery_server::parts::leave_cluster(std::shared_ptr<std::promise<void>> left) {
    auto withdrawn = co_await nodes_->withdraw();
    if (withdrawn && upkeep_turn_) {
        auto released = co_await upkeep_turn_->release();
        if (!released) log_warning("the upkeep could not be handed over: " + released.error().message);
    } else if (!withdrawn) {
        log_warning("the end of this server could not be announced: " + withdrawn.error().message);
    }
    left->set_value();
    co_return result<void>();
}

void gallery_server::parts::begin_background_work() {
    const auto executor = http_->executor(0);
    if (const auto announced = wait_for(executor, nodes_->announce()); !announced)
        log_warning("this server could not be announced: " + announced.error().message);
    upkeep_ = std::make_unique<periodic>(executor, upkeep_interval, [this] {
        lease* const turn = sharing_->is_shared() ? upkeep_turn_.get() : nullptr;
        return run_upkeep({*etags_, *writes_, *accounts_, *images_, *nodes_, turn});
    });
}

void gallery_server::parts::begin_watchdog(const start_options& options) {
    // A quarter, so that one late round does not end the process.
    const auto interval = std::chrono::duration_cast<std::chrono::milliseconds>(options.watchdog_timeout / 4);
    if (interval.count() == 0) return;
    std::vector<io_executor> threads;
    for (std::size_t i = 0; i < http_->io_threads(); ++i)
        threads.push_back(http_->executor(i));
    watchdog_ = watch_threads(std::move(threads), interval, options.alive);
}

gallery_server::parts::~parts() {
    // It uses the store; the engine's own timeout bounds it.
    if (left_) left_->get_future().wait();
    if (announcements_) announcements_->stop();
    if (upkeep_) upkeep_->stop();
    if (watchdog_) watchdog_->stop();
    // Its waiting commands resume on I/O threads. It is destroyed after the store.
    if (mirror_) mirror_->shut_down();
    if (scrub_) scrub_->shut_down();
    if (follower_) follower_->stop();
    // Their timers belong to the contexts of I/O threads and go before these.
    announcements_.reset();
    upkeep_.reset();
    watchdog_.reset();
    follower_.reset();
    // Whatever resumes coroutines on I/O threads ends before them: a thread of theirs may still be leaving
    // the context that it has just posted to.
    if (uploads_) uploads_->stop();
    if (downloads_) downloads_->stop();
    archive_lists_.stop();
    if (coded_) coded_->stop();
    if (imaging_) imaging_->stop();
    // A reload in progress uses the parts; the end of the workers ends what it waits for.
    reloads_.join();
    compressing_.join();
    background_.stop();
    archiving_.stop();
    passwords_.reset();
    if (metrics_http_) metrics_http_->stop();
    storage_.store.reset();
    served_.reset();
    if (http_) http_->stop();
}

task<std::uint64_t> gallery_server::parts::count_images() {
    std::optional<tenant_id> every_tenant;
    const auto all = co_await storage_.store->images().usage(every_tenant);
    co_return all ? all->images.count : 0;
}

result<void> gallery_server::parts::listen() {
    requests_.set_routes(routes_->routes());
    if (auto listening = http_->listen(routes_); !listening) return listening;
    if (auto listening = listen_for_metrics(); !listening) return listening;
    // Not before, so that failed starts that a service manager repeats do not fill the list.
    identify_store();
    const auto address = node_address(settings, http_->port());
    url = (settings.server.ssl.enabled ? "https://" : "http://") + address + "/";
    nodes_->set_address(address);
    if (sharing_->is_shared()) {
        // This server may have been stopped during its start for so long that it did not count any more.
        if (auto current = wait_for(http_->executor(0), check_current()); !current) return current;
    }
    begin_background_work();
    if (auto resumed = mirror_->resume(); !resumed)
        log_error("the mirror does not continue: " + resumed.error().message);
    scrub_->begin();
    ready_.store(true);

    const auto images = wait_for(http_->executor(0), count_images());
    report.insert(
        report.begin(),
        {{"open", local_url(settings.server, http_->port())},
         {"listening on", settings.server.address + ":" + std::to_string(http_->port()) + ", " +
                              (settings.server.ssl.enabled ? "HTTPS" : "HTTP") + ", " +
                              std::to_string(http_->io_threads()) + " I/O threads"},
         {"storage", storage_.description},
         {"contents", counted(images, "image") + ", " + counted(accounts_->tenants().size(), "tenant")},
         {"previews", imaging_->confinement()}});
    if (const auto note = active_.note(); !note.empty()) report.emplace_back("the storage was", note);
    const auto mirror = mirror_->status();
    const bool is_running =
        mirror.state != mirror::mirror_state::none && mirror.state != mirror::mirror_state::stopped;
    if (is_running) report.emplace_back("mirror", mirror.engine + ":" + mirror.path);
    if (metrics_http_) {
        report.emplace_back("metrics", "http://" + settings.metrics.address + ":" +
                                           std::to_string(metrics_http_->port()) + "/metrics");
    }
    return {};
}

}  // namespace gallery::app
