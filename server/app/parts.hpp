// SPDX-License-Identifier: Apache-2.0
/// The parts of the server, in the order of their creation. Private to gallery_server.
#pragma once

#include "accounts/authenticator.hpp"
#include "accounts/download_tickets.hpp"
#include "accounts/first_accounts.hpp"
#include "accounts/logins.hpp"
#include "api/all_endpoints.hpp"
#include "app/access_log.hpp"
#include "app/active_storage.hpp"
#include "app/change_follower.hpp"
#include "app/client_admission.hpp"
#include "app/gallery_server.hpp"
#include "app/lease.hpp"
#include "app/metrics_page.hpp"
#include "app/node_registry.hpp"
#include "app/open_storage.hpp"
#include "app/periodic.hpp"
#include "app/reloader.hpp"
#include "app/request_metrics.hpp"
#include "app/served_storage.hpp"
#include "app/store_sharing.hpp"
#include "app/tenant_metrics.hpp"
#include "app/write_watch.hpp"
#include "cache/etag_cache.hpp"
#include "cache/freshness.hpp"
#include "http/server.hpp"
#include "images/byte_budget.hpp"
#include "images/coded_bodies.hpp"
#include "images/image_service.hpp"
#include "imaging/pool.hpp"
#include "mirror/service.hpp"
#include "scrub/service.hpp"
#include "turns/fair_pool.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

namespace gallery::app {

class gallery_server::parts {
public:
    parts(config::configuration start, const start_options& options);
    parts(const parts&) = delete;
    parts& operator=(const parts&) = delete;
    /// Ends what runs, in the reverse order. Precondition: no request is under way.
    ~parts();

    // The steps of the start, in this order.
    result<void> open_store();
    result<void> start_threads();
    result<void> load_accounts();
    result<void> start_imaging();
    result<void> make_services();
    result<void> make_first_accounts(const start_options& options);
    result<void> install_pictures();
    result<void> add_routes();
    result<void> listen();
    void begin_watchdog(const start_options& options);

    /// For log files that were renamed.
    void reopen_logs() noexcept;

    /// After a step of the start that failed: other servers need not wait for this one.
    void leave_after_failed_start();

    /// False where requests had to be broken off.
    bool drain();

    /// Reloads the configuration on a thread of its own, unless a reload is waiting to begin.
    void reload_by_signal();

    const config::settings settings;  ///< those of the start; a reload changes what was made of them
    start_report report;
    std::string url;  ///< set by listen()

private:
    result<void> open_access_log();
    result<void> add_console();
    result<void> listen_for_metrics();
    /// What a compressed drawing grows to is bounded as if it had come so.
    task<result<imaging::picture>> inspect(imaging::upload what);
    /// By the tenant's profile. Any thread.
    [[nodiscard]] images::tenant_quota quota_of(const tenant_id& tenant) const;
    /// Refuses a store that a switch has left, and another one than that of the last switch.
    result<void> check_active();
    /// Lets other servers of the store find this one, before it writes to the store.
    result<void> register_node();
    /// Refuses a store that another one has taken the place of while this server ran.
    task<result<void>> check_current();
    /// Of a store that is a complete copy of another one: it is used as a store of its own from now on.
    result<void> take_over_copy();
    /// Gives the store its identity if it has none, and adds this start to its list.
    void identify_store();
    result<std::string> signing_key();
    /// @p also: what else must hold of the store for an account to be made.
    result<void> make_administrator(const start_options& options,
                                    const accounts::directory::requirements& also);
    result<void> make_demo(const start_options& options, const accounts::directory::requirements& also);
    result<void> make_accounts(const start_options& options, const accounts::directory::requirements& also);
    [[nodiscard]] bool lacks_accounts(const start_options& options) const;
    void warn_of_another_password(const char* email, const std::string& password, const char* setting);
    task<std::uint64_t> count_images();
    /// Of each tenant that has metrics, and of all others together; empty if the store cannot count them.
    task<std::vector<tenant_contents>> contents_by_tenant();
    task<result<http::response>> answer_metrics(metrics_sources sources);
    task<result<void>> ask_store_first();
    task<result<std::vector<api::node>>> list_nodes();
    /// Starts the background work, and registers this server for the other ones.
    void begin_background_work();
    /// Gives back what other servers would wait for. @p left becomes ready when the store is used no more.
    task<result<void>> leave_cluster(std::shared_ptr<std::promise<void>> left);
    void make_account_services();
    /// The API and the console by these settings. It owns what its handlers refer to, besides the parts.
    std::shared_ptr<const http::router> make_routes(const config::settings& from);

    /// On the thread of reloads.
    result<config::comparison> reload();
    task<result<api::reload_report>> reload_by_request();
    reloader::steps reload_steps(const start_options& options);
    config::option_rule rule_of_option(const std::string& path) const;
    result<void> check_reload(const config::configuration& in_use, const config::configuration& given) const;
    /// Gives the new values to the parts, all of them or, with an error, none.
    result<std::vector<config::change>> apply(const config::comparison& found);
    void set_live(const config::settings& from);
    /// Whether the store is that of the configuration, so that options of its engine are those of the file.
    [[nodiscard]] bool serves_configured_store() const;
    void make_mirror();
    void make_scrub();
    [[nodiscard]] api::mirror_services mirror_services(const api::verify_credentials& verify);

    std::string data_folder_;
    std::string node_id_;
    active_storage active_;
    opened_storage storage_;
    cache::freshness fresh_;
    std::unique_ptr<store_sharing> sharing_;
    std::unique_ptr<write_watch> writes_;
    request_metrics requests_;
    client_admission admission_;
    tenant_metrics by_tenant_{settings.metrics.tenants};
    std::unique_ptr<access_log> access_log_;  ///< null where it is off
    std::unique_ptr<cache::etag_cache> etags_;
    std::unique_ptr<accounts::directory> accounts_;
    std::unique_ptr<auth::token_codec> codec_;
    std::unique_ptr<accounts::authenticator> authenticator_;
    auth::login_limiter limiter_;
    std::unique_ptr<accounts::download_tickets> tickets_;
    std::unique_ptr<auth::password_service> passwords_;
    std::unique_ptr<accounts::logins> logins_;
    std::unique_ptr<accounts::user_credentials> credentials_;
    std::unique_ptr<accounts::tenant_profiles> tenant_profiles_;
    std::unique_ptr<accounts::tenants> tenants_;
    std::unique_ptr<accounts::customers> customers_;
    std::unique_ptr<accounts::users> users_;
    std::unique_ptr<accounts::api_keys> api_keys_;
    asio::thread_pool compressing_{2};
    fair_pool<tenant_id> background_{"exports, documents and long lists",
                                     {.at_once = 2, .waiting_per_user = 16, .waiting = 256}};
    /// An archive reads one piece at a time, so that there is always room for those that have a place.
    fair_pool<tenant_id> archiving_{"pieces of archives",
                                    {.at_once = 2, .waiting_per_user = 64, .waiting = 512}};
    api::archive_places archive_places_;
    std::unique_ptr<images::coded_bodies> coded_;
    std::unique_ptr<images::byte_budget> uploads_;
    std::unique_ptr<images::byte_budget> downloads_;
    /// For the lists of images that archives are asked for. Apart from uploads, so that users who may only
    /// read images cannot take the memory of uploads.
    images::byte_budget archive_lists_{128 * 1024 * 1024, std::chrono::seconds(10)};
    std::unique_ptr<imaging::pool> imaging_;
    std::unique_ptr<images::image_service> images_;

    std::unique_ptr<served_storage> served_;
    std::unique_ptr<mirror::service> mirror_;
    std::unique_ptr<lease> scrub_turn_;      ///< only used while other servers can write to the store
    std::unique_ptr<scrub::service> scrub_;  ///< after scrub_turn_, which it uses
    http::hot_handler console_;              ///< empty where there is none
    std::shared_ptr<const http::router> routes_;

    std::unique_ptr<http::server> http_;
    std::unique_ptr<http::server> metrics_http_;
    std::unique_ptr<change_follower> follower_;
    std::unique_ptr<lease> upkeep_turn_;
    std::unique_ptr<lease> mirror_turn_;
    std::unique_ptr<node_registry> nodes_;
    std::unique_ptr<periodic> upkeep_;
    std::unique_ptr<periodic> announcements_;
    std::unique_ptr<periodic> watchdog_;
    std::shared_ptr<std::promise<void>> left_;  ///< of leave_cluster(); null where it was not begun
    bool made_accounts_ = false;
    tenant_id demo_tenant_{};
    bool fill_demo_ = false;
    std::atomic<bool> ready_{false};

    // What a reload changes and no other part keeps.
    std::atomic<std::uint64_t> max_resource_size_{0};
    std::atomic<std::chrono::milliseconds> drain_timeout_{};

    reloader reloader_;
    std::function<void()> reloading_;
    std::function<void(const std::string& url, bool done)> reloaded_;
    std::atomic<bool> signal_waits_{false};
    std::atomic<unsigned> requests_wait_{0};  ///< reloads that are waiting or running
    asio::thread_pool reloads_{1};

    friend class gallery_server;
};

}  // namespace gallery::app
