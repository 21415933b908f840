// SPDX-License-Identifier: Apache-2.0
// Which handlers the server has; everything that answers is made here.
#include "app/check_configuration.hpp"
#include "app/log.hpp"
#include "app/metrics_page.hpp"
#include "app/mirror_target.hpp"
#include "app/parts.hpp"
#include "app/process.hpp"
#include "app/scrub_state.hpp"
#include "app/upkeep.hpp"
#include "http/static_files.hpp"

#include <gallery/clock.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gallery::app {

namespace {

/// More than any machine has memory for, and far from where sums with it overflow.
constexpr std::uint64_t largest_picture = 1ULL << 40;

constexpr const char* scrub_file = "scrub.json";
/// Renewed before each body, and one body at the lowest sensible rate takes minutes.
constexpr std::chrono::minutes scrub_lease{10};

/// What must succeed before the route answers.
using prelude = std::function<task<result<void>>()>;

struct preceded {
    prelude first;
    http::hot_handler hot;  ///< may be empty
    http::handler then;
};

task<result<http::response>> answer_after(std::shared_ptr<const preceded> all, http::request& message) {
    if (auto ready = co_await all->first(); !ready) co_return ready.error();
    http::response out;
    if (all->hot && all->hot(message, out)) co_return out;
    co_return co_await all->then(message);
}

/// The same routes; those whose pattern starts with @p prefix await @p first before they answer. Their
/// handlers that answer at once do so only while @p is_needless.
std::shared_ptr<http::router> ask_before(std::string_view prefix, const http::router& routes,
                                         const prelude& first, const std::function<bool()>& is_needless) {
    auto out = std::make_shared<http::router>();
    for (const auto* each : routes.routes()) {
        if (!each->pattern.starts_with(prefix)) {
            out->add(each->verb, each->pattern, each->answer, each->options);
            if (each->try_hot) out->add_hot(each->verb, each->pattern, each->try_hot);
            continue;
        }
        auto all = std::make_shared<const preceded>(preceded{first, each->try_hot, each->answer});
        http::handler answer = [all = std::move(all)](http::request& message) {
            return answer_after(all, message);
        };
        out->add(each->verb, each->pattern, std::move(answer), each->options);
        if (!each->try_hot) continue;
        out->add_hot(each->verb, each->pattern,
                     [is_needless, hot = each->try_hot](http::request& message, http::response& answered) {
                         return is_needless() && hot(message, answered);
                     });
    }
    out->set_fallback(routes.fallback());
    return out;
}

/// How large the content of a body may be, by the settings, for the endpoint with this pattern.
api::content_limit content_limit(const config::settings& settings, std::string_view pattern,
                                 api::body_kind kind) {
    const auto set = settings.transport.max_payload_size.limit(pattern);
    // 0 would make it a route that takes no body.
    if (kind == api::body_kind::json)
        return {std::max<std::uint64_t>(std::min(set.value_or(api::max_json_bytes), api::max_json_bytes), 1)};
    if (kind == api::body_kind::image_list || kind == api::body_kind::image_list_form) {
        constexpr auto most = api::max_archive_request_bytes;
        return {std::max<std::uint64_t>(std::min(set.value_or(most), most), 1)};
    }
    // Where no setting names the path, the memory of all uploads is the bound.
    auto most = std::min(set.value_or(settings.transport.upload_memory), largest_picture);
    // MAX_RESOURCE_SIZE is the limit of each picture in it.
    if (kind == api::body_kind::document) return {most};
    const auto resource = settings.image.max_resource_size;
    if (resource != 0) most = std::min(most, resource);
    return {most};
}

/// Routes with the services that their handlers refer to. Requests keep it until they are answered.
struct routes_and_services {
    explicit routes_and_services(api::all_services made) : services(std::move(made)) {}

    api::all_services services;
    std::shared_ptr<http::router> routes = std::make_shared<http::router>();
};

}  // namespace

void gallery_server::parts::make_account_services() {
    const auto erase_images = [this](tenant_id tenant) { return erase_images_of(*images_, tenant); };
    const auto count_images = [this](tenant_id tenant) {
        return images_->count(images::permit_of_the_server<images::image_operation::read>(tenant));
    };
    tenant_profiles_ = std::make_unique<accounts::tenant_profiles>(*accounts_);
    // The tenants of a ThingsBoard server whose users are let in can be adopted.
    tenants_ = std::make_unique<accounts::tenants>(*accounts_, erase_images, count_images,
                                                   settings.security.admits_thingsboard_users());
    customers_ = std::make_unique<accounts::customers>(*accounts_);
    credentials_ = std::make_unique<accounts::user_credentials>(*accounts_, *codec_, *passwords_);
    users_ = std::make_unique<accounts::users>(*accounts_, *credentials_);
    api_keys_ = std::make_unique<accounts::api_keys>(*accounts_);
}

void gallery_server::parts::make_mirror() {
    const auto section = active_.settings.sections.find(storage_.engine);
    mirror::known_store place;
    place.address.engine = active_.settings.plugin;
    // A store that can be shared is where its options say; the folder is this server's own.
    if (!storage_.shared) place.address.path = storage_.folder;
    if (section != active_.settings.sections.end()) place.address.options = section->second;
    place.plugin = storage_.engine;
    served_ = std::make_unique<served_storage>(*storage_.store, std::move(place), settings.storage.plugin_dir,
                                               *sharing_);

    mirror::mirror_options options;
    options.source_name = storage_.name;
    options.served = served_.get();
    options.others = sharing_.get();
    options.active_file = active_.file;
    options.switch_timeout = settings.mirror.switch_timeout;
    options.state_file = data_folder_ + "/" + mirror_file;
    options.check = [this](mirror::target_address target) {
        const mirror_rules rules{settings.mirror.allowed_paths, data_folder_, served_->where().address.path};
        // Before a plugin of that name is loaded.
        auto checked = check_mirror_target(rules, std::move(target));
        if (checked && sharing_->can_share(*checked)) checked->path.clear();
        return checked;
    };
    const auto open = [plugins = settings.storage.plugin_dir, data = data_folder_](
                          const mirror::target_address& target, bool may_create,
                          std::optional<confinement> confined) {
        return open_mirror_target(
            plugins, data, target, may_create, std::move(confined),
            [](log_level level, std::string_view text) { log(level, "mirror: " + std::string(text)); });
    };
    options.open = [open, confined = mirror_confinement(settings.mirror.allowed_hosts)](
                       const mirror::target_address& target, bool may_create) {
        return open(target, may_create, confined);
    };
    options.open_former = [open](const mirror::target_address& target, bool may_create) {
        return open(target, may_create, std::nullopt);
    };
    options.clean_up = [this](const mirror::target_address* kept) {
        std::vector<mirror::target_address> all;
        // A store that a mirror has opened before a switch. The start opens a store in another folder.
        if (&served_->engine() != storage_.store.get()) all.push_back(served_->where().address);
        if (kept != nullptr) all.push_back(*kept);
        if (auto cleaned = clean_mirror_folders(data_folder_, all); !cleaned)
            log_warning(cleaned.error().message);
    };
    options.hold_writes = [this](std::chrono::milliseconds longest) {
        storage_.store->gate().close(longest);
    };
    options.release_writes = [this] { storage_.store->gate().open(); };
    options.copying.at_once = settings.mirror.at_once;
    options.copying.bytes_per_second = settings.mirror.max_rate;
    options.copying.is_source_written = true;
    options.log = [](bool is_problem, std::string_view text) {
        log(is_problem ? log_level::error : log_level::info, text);
    };
    mirror_ = std::make_unique<mirror::service>(*storage_.store, std::move(options));
}

void gallery_server::parts::make_scrub() {
    scrub::scrub_options options;
    options.now = &now_ms;
    options.log = [](bool is_problem, std::string_view text) {
        log(is_problem ? log_level::error : log_level::info, text);
    };
    auto& documents = storage_.store->documents();
    scrub_turn_ = std::make_unique<lease>(documents, "scrub", node_id_, scrub_lease);
    const auto address = [this] {
        const auto now = served_->where().address;
        return now.engine + ":" + now.path;
    };
    keep_scrub(options, {data_folder_ + "/" + scrub_file, documents, *scrub_turn_,
                         [this] { return sharing_->is_shared(); }, address});
    scrub_ = std::make_unique<scrub::service>(*storage_.store, std::move(options),
                                              settings.storage.scrub_interval, settings.storage.scrub_rate);
}

api::mirror_services gallery_server::parts::mirror_services(const api::verify_credentials& verify) {
    const auto ready = [this] { return ready_.load(); };
    const auto active = [this]() -> mirror::target_address {
        const auto now = served_->where();
        return {now.plugin, now.address.path, {}};
    };
    return {verify, mirror_.get(), ready, active};
}

result<void> gallery_server::parts::add_routes() {
    make_account_services();
    make_mirror();
    make_scrub();
    if (auto console = add_console(); !console) return console;
    routes_ = make_routes(settings);
    return {};
}

std::shared_ptr<const http::router> gallery_server::parts::make_routes(const config::settings& from) {
    const api::verify_credentials verify = [this](std::string_view credentials) {
        return authenticator_->authenticate(credentials, accounts::authenticator::coarse_now());
    };
    // Called below only.
    const api::content_limits limits = [&from](std::string_view pattern, api::body_kind kind) {
        return content_limit(from, pattern, kind);
    };
    const api::system_parameters parameters{from.image.max_resource_size, api::max_upload_size(limits)};
    const auto own_limit = [this](const tenant_id& tenant) {
        return images_->limits().of(tenant).max_image_bytes;
    };
    const api::browser_ttl ttl{from.cache.system_images_browser_ttl, from.cache.tenant_images_browser_ttl};
    auto made = std::make_shared<routes_and_services>(api::all_services{
        .system = {verify, parameters, own_limit, [this] { return ready_.load() && fresh_.holds(); },
                   [this] { return writes_->check(); }, [this] { return list_nodes(); },
                   [this] { return reload_by_request(); }},
        .images = {*images_, *coded_, *uploads_, background_, *tenants_, verify, api::max_upload_size(limits),
                   from.image.max_resource_size},
        .image_bytes = {*images_, *etags_, *coded_, *downloads_, verify,
                        api::image_answers(ttl, http::cross_origin(cross_origin_of(from.server.cors)))},
        .archives = {*images_, archive_lists_, *downloads_, background_, archiving_, archive_places_,
                     *tickets_, [](const std::string& text) { log_warning(text); }, verify},
        .accounts = {*logins_, *tenant_profiles_, *tenants_, *customers_, *users_, *api_keys_, background_,
                     verify},
        .mirror = mirror_services(verify),
        .scrub = {verify, scrub_.get(), [this] { return ready_.load(); }},
        .openapi = {}});
    api::add_all_endpoints(*made->routes, made->services, limits);
    if (console_) made->routes->set_fallback(console_);
    if (from.cluster.strict) {
        const auto ask = [this] { return ask_store_first(); };
        const auto is_alone = [this] { return !sharing_->is_shared(); };
        made->routes = ask_before("/api/", *made->routes, ask, is_alone);
    }
    const auto* const routes = made->routes.get();
    return {std::move(made), routes};
}

/// Before each answer memory takes over what other servers have changed, so that no answer is older than its
/// question.
task<result<void>> gallery_server::parts::ask_store_first() {
    if (!sharing_->is_shared()) co_return result<void>();
    co_return co_await follower_->catch_up();
}

task<result<std::vector<api::node>>> gallery_server::parts::list_nodes() {
    if (!ready_.load()) co_return error{errc::unavailable, "the server is starting"};
    co_return co_await nodes_->list();
}

result<void> gallery_server::parts::add_console() {
    const bool chosen = !settings.server.console_folder.empty();
    const std::string folder = chosen ? settings.server.console_folder
                                      : first_existing({beside_executable("../share/gallery/console"),
                                                        beside_executable("../console/browser")});
    if (folder.empty()) {
        report.emplace_back("console", "not built; only the API is served");
        return {};
    }
    auto files = http::static_files::load(folder);
    if (!files) {
        if (chosen) return files.error();
        log_warning("there is no web console: " + files.error().message);
        report.emplace_back("console", "missing: " + files.error().message);
        return {};
    }
    console_ = http::static_files::as_fallback(std::move(*files));
    return {};
}

result<void> gallery_server::parts::listen_for_metrics() {
    if (!metrics_http_) return {};
    metrics_sources sources;
    sources.requests = &requests_;
    sources.accesses = access_log_.get();
    sources.server = http_.get();
    sources.store = storage_.store.get();
    sources.etags = etags_.get();
    sources.authenticator = authenticator_.get();
    sources.imaging = imaging_.get();
    sources.uploads = uploads_.get();
    sources.logins = logins_.get();
    sources.quotas = &images_->limits();
    sources.admission = &admission_;
    sources.writes = writes_.get();
    sources.reloads = &reloader_;
    sources.mirror = mirror_.get();
    sources.scrub = scrub_.get();
    auto routes = std::make_shared<http::router>();
    sources.tenants = &by_tenant_;
    http::handler answer = [this, sources](http::request&) { return answer_metrics(sources); };
    routes->add(http::method::get, "/metrics", std::move(answer), {.name = "metrics"});
    return metrics_http_->listen(std::move(routes));
}

task<result<http::response>> gallery_server::parts::answer_metrics(metrics_sources sources) {
    const auto contents = co_await contents_by_tenant();
    http::response page = http::response::bytes(200, "text/plain; version=0.0.4; charset=utf-8",
                                                body(bytes::own(render_metrics(sources, contents))));
    page.add("Cache-Control", "no-store");
    co_return page;
}

task<std::vector<tenant_contents>> gallery_server::parts::contents_by_tenant() {
    std::vector<tenant_contents> out;
    if (!by_tenant_.is_on()) co_return out;
    const auto add_usage = [&out](const std::optional<tenant_id>& tenant, const tenant_usage& used) {
        out.push_back({tenant, used.images.count,
                       used.images.original_bytes + used.images.preview_bytes + used.kept.original_bytes +
                           used.kept.preview_bytes});
    };
    tenant_contents known;
    for (const auto& one : by_tenant_.read()) {
        const auto used = co_await storage_.store->images().usage(one.tenant);
        if (!used) co_return std::vector<tenant_contents>();
        add_usage(one.tenant, *used);
        if (!one.tenant) continue;  // the last one: everybody
        known.images += out.back().images;
        known.bytes += out.back().bytes;
    }
    // The sums are of different moments.
    auto& others = out.back();
    others.images -= std::min(others.images, known.images);
    others.bytes -= std::min(others.bytes, known.bytes);
    co_return out;
}

}  // namespace gallery::app
