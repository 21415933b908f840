// SPDX-License-Identifier: Apache-2.0
#include "app/parts.hpp"

#include "api/upload_form.hpp"
#include "app/check_configuration.hpp"
#include "app/data_folder.hpp"
#include "app/log.hpp"
#include "app/process.hpp"
#include "app/wait.hpp"
#include "auth/signing_key.hpp"
#include "images/system_images.hpp"

#include <filesystem>
#include <thread>
#include <utility>

namespace gallery::app {

namespace {

constexpr std::size_t coded_bodies_memory = 64ULL << 20;
constexpr std::size_t sample_pictures = 12;
constexpr std::chrono::seconds upkeep_interval{60};

config::log_level level_of(http::log_level level) noexcept {
    switch (level) {
        case http::log_level::debug:
            return config::log_level::debug;
        case http::log_level::info:
            return config::log_level::info;
        case http::log_level::warning:
            return config::log_level::warning;
        case http::log_level::error:
            return config::log_level::error;
    }
    return config::log_level::error;
}

/// HTTP's timers count whole seconds; what is configured is the least that they wait.
std::chrono::seconds whole(std::chrono::milliseconds time) {
    return std::chrono::ceil<std::chrono::seconds>(time);
}

/// The path alone: a query may hold what lets somebody in, as that of an activation link does.
void log_exchange(const http::exchange& e) {
    if (!logs(config::log_level::debug)) return;
    log_debug(std::string(e.remote_address) + " " + std::string(e.message.verb_text()) + " " +
              std::string(e.message.path()) + " " + std::to_string(e.status) + " " +
              (e.status >= 400 ? "[" + std::string(e.message.request_id()) + "] " : "") +
              std::to_string(e.bytes_out) + " bytes " +
              std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(e.duration).count()) +
              " us" + (e.complete ? "" : " (the client went away)"));
}

/// Connections for which there are files, with some left for the engine and the workers.
std::size_t connections_possible() {
    const auto files = open_file_limit();
    return static_cast<std::size_t>(files > 4096 ? files - 1024 : files / 2);
}

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
        digits.insert(static_cast<std::size_t>(at), ",");
    }
    return digits;
}

/// "1 image", "2,500 images".
std::string counted(std::uint64_t number, const char* noun) {
    return grouped(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace

result<void> gallery_server::parts::open_store() {
    auto folder = prepare_folder(settings.data.folder, is_data_folder(settings.data.folder));
    if (!folder) return folder.error();
    if (!folder->note.empty()) log_warning(folder->note);
    data_folder_ = std::move(folder->path);
    auto opened = open_storage(settings.storage, data_folder_);
    if (!opened) return opened.error();
    storage_ = std::move(*opened);
    writes_ = std::make_unique<write_watch>(*storage_.store, [](bool accepts, std::string_view text) {
        log(accepts ? config::log_level::info : config::log_level::error, text);
    });
    storage_.store->on_failed_write([this] { writes_->look(); });
    writes_->look();
    return {};
}

result<void> gallery_server::parts::start_threads() {
    http::server_options options;
    options.address = settings.server.address;
    options.port = settings.server.port;
    options.congestion_control = settings.server.tcp_congestion_control;
    if (settings.server.ssl.enabled) options.tls = tls_options_of(settings.server.ssl);
    options.io_threads = settings.server.io_threads;
    const auto possible = connections_possible();
    options.limits.connections = settings.server.max_connections == 0
                                     ? possible
                                     : std::min<std::size_t>(settings.server.max_connections, possible);
    const auto& timeouts = settings.server.timeouts;
    options.timeouts.header = whole(timeouts.header);
    options.timeouts.keep_alive = whole(timeouts.keep_alive);
    options.timeouts.body = whole(timeouts.body);
    options.timeouts.write = whole(timeouts.write);
    if (!settings.server.trusted_proxies.empty()) {
        options.front.trusted = [this](const boost::asio::ip::address& peer) {
            return settings.server.trusted_proxies.contain(peer);
        };
    }
    options.front.base_path = base_path_of(settings.server);
    options.cross_origin = cross_origin_of(settings.server.cors);
    options.hsts_max_age = whole(settings.server.hsts_max_age);
    options.log = [](http::log_level level, std::string_view text) { log(level_of(level), text); };
    options.observe = [this](const http::exchange& e) {
        requests_.observe(e);
        log_exchange(e);
    };
    auto created = http::server::create(options);
    if (!created) return created.error();
    http_ = std::move(*created);

    if (settings.metrics.port != 0) {
        http::server_options watch;
        watch.address = settings.metrics.address;
        watch.port = settings.metrics.port;
        watch.io_threads = 1;
        watch.limits.connections = 64;
        watch.log = options.log;
        auto second = http::server::create(std::move(watch));
        if (!second) return second.error();
        metrics_http_ = std::move(*second);
    }
    return {};
}

result<void> gallery_server::parts::load_accounts() {
    const auto& security = settings.security;
    std::string key = security.token_signing_key;
    if (key.empty()) {
        auto kept = auth::load_or_create_signing_key(std::filesystem::path(data_folder_) / signing_key_file);
        if (!kept) return kept.error();
        key = std::move(*kept);
    }
    accounts::directory_options directory;
    directory.longest_token_ms = std::chrono::milliseconds(std::max(security.token_expiration_time,
                                                                    security.refresh_token_expiration_time))
                                     .count();
    // A configured key may be shared with a ThingsBoard server; one that was made here is nobody else's.
    const bool shared_key = !security.token_signing_key.empty();
    directory.keep_tombstones = shared_key;
    accounts::authenticator_options gate;
    gate.foreign_users = shared_key;

    const auto& cache = settings.cache;
    etags_ = std::make_unique<cache::etag_cache>(cache.etag_max_size, cache.etag_time_to_live);
    accounts_ = std::make_unique<accounts::directory>(storage_.store->documents(), directory);
    codec_ = std::make_unique<auth::token_codec>(std::move(key), security.token_issuer);
    authenticator_ = std::make_unique<accounts::authenticator>(*accounts_, *codec_, gate);
    passwords_ = std::make_unique<auth::password_service>();
    accounts::login_options logins;
    logins.access_lifetime = security.token_expiration_time;
    logins.refresh_lifetime = security.refresh_token_expiration_time;
    logins_ = std::make_unique<accounts::logins>(*accounts_, *codec_, *passwords_, limiter_, logins);

    const auto home = http_->executor(0);
    follower_ =
        std::make_unique<change_follower>(storage_.store->feed(), *etags_, *accounts_, storage_.changes, home,
                                          [](std::string_view text) { log_error(text); });
    // In this order, so that no change falls between the two.
    if (auto begun = wait_for(home, follower_->begin()); !begun) return begun.error();
    if (auto loaded = wait_for(home, accounts_->load()); !loaded) {
        return error{loaded.error().code, "the accounts cannot be read: " + loaded.error().message};
    }
    follower_->start();
    return {};
}

result<void> gallery_server::parts::start_imaging() {
    const auto& image = settings.image;
    imaging::pool_options options;
    options.worker = beside_executable("../lib/gallery/gallery-imaging-worker");
    options.workers = image.workers != 0 ? image.workers : std::max(1U, std::thread::hardware_concurrency());
    options.timeout = image.timeout;
    options.max_pixels = image.max_pixels;
    options.max_total_pixels = image.max_total_pixels;
    options.max_frames = image.max_frames;
    options.max_queued_per_tenant = image.max_queued;
    // One tenant cannot fill the queue of all.
    options.max_queued = std::max<std::size_t>(options.max_queued, std::size_t{8} * image.max_queued);
    options.max_svg_bytes = image.max_svg_size;
    options.worker_memory_mib =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(image.worker_memory >> 20, 1U << 20));
    options.log = [](std::string_view text) { log_info("imaging: " + std::string(text)); };
    auto started = imaging::pool::start(std::move(options));
    if (!started) return started.error();
    imaging_ = std::move(*started);
    return {};
}

task<result<imaging::picture>> gallery_server::parts::inspect(imaging::upload what) {
    auto picture = co_await imaging_->inspect(std::move(what));
    const auto most = settings.image.max_resource_size;
    if (picture && most != 0 && picture->document.size() > most) co_return api::picture_too_large(most);
    co_return picture;
}

result<void> gallery_server::parts::make_services() {
    coded_ = std::make_unique<images::coded_bodies>(background_, coded_bodies_memory);
    uploads_ = std::make_unique<images::byte_budget>(settings.transport.upload_memory,
                                                     whole(settings.transport.upload_wait));
    images_ = std::make_unique<images::image_service>(
        storage_.store->images(), *etags_, [this](imaging::upload what) { return inspect(std::move(what)); },
        [this](const tenant_id& tenant) { return accounts_->tenant_gone(tenant); });
    upkeep_ = std::make_unique<periodic>(http_->executor(0), upkeep_interval, [this]() -> task<void> {
        etags_->sweep(std::chrono::steady_clock::now());
        writes_->look();
        const auto maintained = co_await accounts_->maintain();
        if (!maintained) log_warning("the upkeep of the accounts failed: " + maintained.error().message);
        // A crash came in the middle; until it is ended the tenant stays shut out.
        for (const auto& tenant : accounts_->unfinished_deletions()) {
            accounts::tenant_images_eraser erase = [this](tenant_id id) {
                return images_->erase_all(images::permit_of_the_server<images::image_operation::write>(id));
            };
            const auto deleted = co_await accounts_->delete_tenant(tenant, std::move(erase));
            if (!deleted) log_warning("the deletion of a tenant failed: " + deleted.error().message);
        }
        // A crash came between an upload that outlived its tenant and the erasure of the image.
        for (const auto& tenant : accounts_->deleted_tenants()) {
            const auto erased = co_await images_->erase_all(
                images::permit_of_the_server<images::image_operation::write>(tenant));
            if (!erased)
                log_warning("images of the deleted tenant " + to_string(tenant) +
                            " could not be erased: " + erased.error().message);
        }
    });
    return {};
}

result<void> gallery_server::parts::install_pictures() {
    const std::string folder = !settings.data.system_images_folder.empty()
                                   ? settings.data.system_images_folder
                                   : first_existing({beside_executable("../share/gallery/system-images"),
                                                     beside_executable("../../../etc/system-images")});
    if (folder.empty()) {
        log_warning(
            "there is no folder with system images, so none are installed (GALLERY_SYSTEM_IMAGES_DIR)");
        return {};
    }
    const auto home = http_->executor(0);
    const auto install = [&](const char* what, task<result<images::installed_images>> work) -> result<void> {
        const auto installed = wait_for(home, std::move(work));
        if (!installed) {
            const auto& failed = installed.error();
            // A server whose store cannot take them serves what is there.
            if (failed.code != errc::read_only && failed.code != errc::no_space)
                return error{failed.code, std::string(what) + ": " + failed.message};
            log_warning(std::string(what) + " are not installed: " + failed.message);
            return {};
        }
        for (const auto& problem : installed->problems)
            log_warning(std::string(what) + ": " + problem);
        if (installed->installed + installed->updated > 0) {
            log_info(std::string(what) + ": " + std::to_string(installed->installed) + " installed, " +
                     std::to_string(installed->updated) + " updated");
        }
        return {};
    };
    if (auto done =
            install("system images", images::install_system_images(*images_, storage_.store->images(),
                                                                   storage_.store->documents(), folder));
        !done) {
        return done;
    }
    if (!fill_demo_) return {};
    return install("sample pictures",
                   images::install_samples(*images_, demo_tenant_, folder, sample_pictures));
}

bool gallery_server::parts::drain() {
    ready_.store(false);
    const bool clean = http_->drain(settings.server.timeouts.drain);
    if (metrics_http_) metrics_http_->drain(std::chrono::milliseconds(0));
    return clean;
}

gallery_server::parts::~parts() {
    if (upkeep_) upkeep_->stop();
    if (follower_) follower_->stop();
    // Their timers belong to the contexts of I/O threads and go before these.
    upkeep_.reset();
    follower_.reset();
    // Whatever resumes coroutines on I/O threads ends before them: a thread of theirs may still be leaving
    // the context that it has just posted to.
    if (imaging_) imaging_->stop();
    background_.join();
    passwords_.reset();
    if (metrics_http_) metrics_http_->stop();
    storage_.store.reset();
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
    ready_.store(true);

    const auto images = wait_for(http_->executor(0), count_images());
    report.insert(
        report.begin(),
        {{"open", local_url()},
         {"listening on", settings.server.address + ":" + std::to_string(http_->port()) + ", " +
                              (settings.server.ssl.enabled ? "HTTPS" : "HTTP") + ", " +
                              std::to_string(http_->io_threads()) + " I/O threads"},
         {"storage", storage_.description},
         {"contents", counted(images, "image") + ", " + counted(accounts_->tenants().size(), "tenant")},
         {"previews", imaging_->confinement()}});
    if (metrics_http_) {
        report.emplace_back("metrics", "http://" + settings.metrics.address + ":" +
                                           std::to_string(metrics_http_->port()) + "/metrics");
    }
    return {};
}

std::string gallery_server::parts::local_url() const {
    const std::string& address = settings.server.address;
    std::string host = address;
    if (address == "0.0.0.0" || address == "::" || address == "127.0.0.1" || address == "::1") {
        host = "localhost";
    } else if (address.find(':') != std::string::npos) {
        host = "[" + address + "]";
    }
    return std::string(settings.server.ssl.enabled ? "https" : "http") + "://" + host + ":" +
           std::to_string(http_->port()) + "/";
}

}  // namespace gallery::app
