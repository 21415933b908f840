// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_page.hpp"

#include "app/process_usage.hpp"

#include <gallery/abi_headers.hpp>
#include <gallery/clock.hpp>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace gallery::app {

namespace {

using labels = std::vector<prometheus::ClientMetric::Label>;

/// Collects families in the order in which they are first named.
class page {
public:
    void counter(const char* name, const char* help, double value, labels with = {}) {
        auto& metric = add(name, help, prometheus::MetricType::Counter, std::move(with));
        metric.counter.value = value;
    }
    void counter(const char* name, const char* help, std::uint64_t value, labels with = {}) {
        counter(name, help, static_cast<double>(value), std::move(with));
    }
    void gauge(const char* name, const char* help, double value, labels with = {}) {
        auto& metric = add(name, help, prometheus::MetricType::Gauge, std::move(with));
        metric.gauge.value = value;
    }
    template <std::size_t N>
    void histogram(const char* name, const char* help, const std::array<double, N>& bounds,
                   const std::array<std::uint64_t, N + 1>& counts, double sum, labels with) {
        auto& h = add(name, help, prometheus::MetricType::Histogram, std::move(with)).histogram;
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= N; ++i) {
            total += counts[i];
            prometheus::ClientMetric::Bucket bucket;
            bucket.upper_bound = i < N ? bounds[i] : std::numeric_limits<double>::infinity();
            bucket.cumulative_count = total;
            h.bucket.push_back(bucket);
        }
        h.sample_count = total;
        h.sample_sum = sum;
    }

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

private:
    prometheus::ClientMetric& add(const char* name, const char* help, prometheus::MetricType type,
                                  labels with) {
        if (families_.empty() || families_.back().name != name) {
            families_.push_back({name, help, type, {}});
        }
        auto& metric = families_.back().metric.emplace_back();
        metric.label = std::move(with);
        return metric;
    }

    std::vector<prometheus::MetricFamily> families_;
};

void add_requests(page& p, const request_metrics& from) {
    const auto routes = from.read();
    for (const auto& r : routes) {
        for (std::size_t i = 0; i < r.answers.size(); ++i) {
            if (r.answers[i] == 0) continue;
            const auto status = i < request_metrics::statuses.size()
                                    ? std::to_string(request_metrics::statuses[i])
                                    : std::string("other");
            p.counter("gallery_http_requests_total", "Completed requests", r.answers[i],
                      {{"route", r.route}, {"status", status}});
        }
    }
    for (const auto& r : routes) {
        p.histogram("gallery_http_request_duration_seconds",
                    "Duration from the head of a request to the last byte of its response",
                    request_metrics::bounds, r.durations, r.seconds, {{"route", r.route}});
    }
    for (const auto& r : routes) {
        p.counter("gallery_http_received_bytes_total", "Bytes of received bodies", r.bytes_in,
                  {{"route", r.route}});
    }
    for (const auto& r : routes) {
        p.counter("gallery_http_sent_bytes_total", "Bytes of sent heads and bodies", r.bytes_out,
                  {{"route", r.route}});
    }
    for (const auto& r : routes) {
        p.counter("gallery_http_incomplete_total", "Responses that the client did not read completely",
                  r.incomplete, {{"route", r.route}});
    }
    for (const auto& r : routes) {
        p.counter("gallery_http_hot_total", "Requests answered without a coroutine", r.hot,
                  {{"route", r.route}});
    }
}

void add_access_log(page& p, const access_log& from) {
    const auto f = from.read();
    p.counter("gallery_access_log_lines_total", "Lines of the access log", f.written);
    constexpr const char* lost = "Lines of the access log that were lost, by reason";
    p.counter("gallery_access_log_lost_total", lost, f.refused, {{"reason", "slow"}});
    p.counter("gallery_access_log_lost_total", lost, f.unwritten, {{"reason", "failed"}});
}

void add_store(page& p, const plugins::measured_engine& store) {
    for (std::size_t i = 0; i < plugins::operation_count; ++i) {
        const auto what = static_cast<plugins::operation>(i);
        const auto f = store.figures(what);
        p.histogram("gallery_storage_operation_duration_seconds",
                    "Duration of storage operations. For find and read, one operation in 64 is timed and "
                    "represents the others",
                    plugins::operation_counters::bounds, f.counts, f.sum,
                    {{"operation", std::string(to_string(what))}});
    }
    for (std::size_t i = 0; i < plugins::operation_count; ++i) {
        const auto what = static_cast<plugins::operation>(i);
        p.counter("gallery_storage_errors_total", "Storage operations that failed",
                  store.figures(what).errors, {{"operation", std::string(to_string(what))}});
    }
    for (const auto& figure : store.statistics()) {
        const auto name = "gallery_storage_" + figure.name;
        if (figure.what == statistic::kind::counter)
            p.counter(name.c_str(), figure.help.c_str(), figure.value);
        else
            p.gauge(name.c_str(), figure.help.c_str(), figure.value);
    }
}

void add_cache(page& p, const cache::etag_cache& etags) {
    const auto c = etags.counters();
    p.counter("gallery_etag_cache_hits_total", "Lookups that found an entry in the ETag cache", c.hits);
    p.counter("gallery_etag_cache_misses_total", "Lookups that found no entry in the ETag cache", c.misses);
    p.counter("gallery_etag_cache_fills_total", "Entries stored in the ETag cache", c.fills);
    p.counter("gallery_etag_cache_dropped_fills_total", "Entries not stored because of a write in between",
              c.dropped_fills);
    p.counter("gallery_etag_cache_evictions_total", "Evicted entries", c.evictions);
    p.counter("gallery_etag_cache_expiries_total", "Expired entries", c.expiries);
    p.counter("gallery_etag_cache_erasures_total", "Entries removed by writes", c.erasures);
    p.gauge("gallery_etag_cache_bytes", "Memory used by the ETag cache", static_cast<double>(c.bytes));
    p.gauge("gallery_etag_cache_entries", "Entries in the ETag cache", static_cast<double>(c.entries));
}

void add_imaging(page& p, const imaging::pool& pool) {
    const auto s = pool.stats();
    p.counter("gallery_imaging_pictures_total", "Accepted images", s.pictures);
    p.counter("gallery_imaging_refused_total", "Refused images", s.refused);
    p.counter("gallery_imaging_crashes_total", "Workers that crashed while decoding an image", s.crashes);
    p.counter("gallery_imaging_timeouts_total", "Workers that were killed because decoding took too long",
              s.timeouts);
    p.counter("gallery_imaging_exhausted_total", "Workers that reached their memory limit", s.exhausted);
    p.counter("gallery_imaging_interrupted_total", "Workers that were killed or stopped from outside",
              s.interrupted);
    p.counter("gallery_imaging_worker_starts_total", "Workers started", s.starts);
    const auto each_worker = [&](const char* name, const char* help, auto value) {
        for (std::size_t i = 0; i < s.workers.size(); ++i)
            p.counter(name, help, value(s.workers[i]), {{"worker", std::to_string(i)}});
    };
    using figures = imaging::worker_figures;
    each_worker("gallery_imaging_worker_pictures_total", "Images that were given to a worker, by its place",
                [](const figures& w) { return w.pictures; });
    each_worker("gallery_imaging_worker_failures_total",
                "Workers that were lost while decoding, by their place",
                [](const figures& w) { return w.failures; });
    each_worker("gallery_imaging_worker_restarts_total", "Workers that followed another one in its place",
                [](const figures& w) { return w.starts - std::min<std::uint64_t>(w.starts, 1); });
    each_worker("gallery_imaging_worker_busy_seconds_total", "Time that the worker of a place decoded images",
                [](const figures& w) { return std::chrono::duration<double>(w.busy).count(); });
    p.gauge("gallery_imaging_queued", "Images that are waiting for a worker", static_cast<double>(s.queued));
    p.gauge("gallery_imaging_busy", "Workers that are decoding an image", static_cast<double>(s.busy));
}

void add_logins(page& p, const accounts::logins& logins) {
    const auto c = logins.counters();
    constexpr const char* help = "Logins with a password, by outcome";
    p.counter("gallery_logins_total", help, c.succeeded, {{"outcome", "succeeded"}});
    p.counter("gallery_logins_total", help, c.failed, {{"outcome", "failed"}});
    p.counter("gallery_logins_total", help, c.held_off, {{"outcome", "held_off"}});
}

void add_limits(page& p, const metrics_sources& from) {
    const auto add = [&p](std::uint64_t refused, const char* limit) {
        p.counter("gallery_limits_refused_total", "Requests that were refused because of a limit, by limit",
                  refused, {{"limit", limit}});
    };
    if (from.quotas != nullptr) {
        const auto images = from.quotas->refused();
        add(images.by_size, "size");
        add(images.by_total, "quota");
    }
    if (from.authenticator != nullptr) {
        const auto requests = from.authenticator->refused_requests();
        add(requests.by_tenant, "rate_tenant");
        add(requests.by_customer, "rate_customer");
    }
    if (from.admission != nullptr) add(from.admission->refused(), "rate_address");
}

void add_reloads(page& p, const reloader& reloads) {
    const auto c = reloads.counters();
    constexpr const char* help = "Reloads of the configuration, by outcome";
    p.counter("gallery_configuration_reloads_total", help, c.done, {{"outcome", "done"}});
    p.counter("gallery_configuration_reloads_total", help, c.failed, {{"outcome", "failed"}});
    p.gauge("gallery_configuration_reload_failed",
            "1 if the last reload failed, so that the former configuration is still in use",
            c.has_failed_last ? 1 : 0);
    p.gauge("gallery_configuration_needs_restart",
            "Settings that the last reload found changed and that are used after a restart only",
            static_cast<double>(c.needs_restart));
}

void add_mirror(page& p, const mirror::service& from, const plugins::measured_engine& store) {
    const auto s = from.status();
    constexpr std::pair<mirror::mirror_state, const char*> states[] = {
        {mirror::mirror_state::none, "none"},           {mirror::mirror_state::copying, "copying"},
        {mirror::mirror_state::following, "following"}, {mirror::mirror_state::switching, "switching"},
        {mirror::mirror_state::stopped, "stopped"},     {mirror::mirror_state::failed, "failed"},
    };
    for (const auto& [state, name] : states) {
        p.gauge("gallery_mirror_state", "1 for the state of the mirror, 0 for the others",
                s.state == state ? 1 : 0, {{"state", name}});
    }
    p.gauge("gallery_mirror_images_done", "Images that the pass of the mirror has compared or copied",
            static_cast<double>(s.done.images_done));
    p.gauge("gallery_mirror_images", "Images that the pass of the mirror has to compare",
            static_cast<double>(s.done.images_total));
    p.gauge("gallery_mirror_done_bytes", "Bytes of the images that the pass has compared or copied",
            static_cast<double>(s.done.bytes_done));
    p.gauge("gallery_mirror_bytes", "Bytes of the images that the pass has to compare",
            static_cast<double>(s.done.bytes_total));
    p.gauge("gallery_mirror_copied_bytes", "Bytes that were copied to the mirror since it was opened",
            static_cast<double>(s.done.bytes_copied));
    p.gauge("gallery_mirror_lag_revisions", "Revisions by which the mirror is behind the store",
            static_cast<double>(s.lag));
    p.gauge("gallery_mirror_lag_seconds", "Time since which the mirror is behind the store; 0: it is current",
            lag_seconds(s, now_ms()));
    p.gauge("gallery_mirror_current_timestamp_seconds",
            "When the mirror was current last, in seconds since 1970; 0: never",
            static_cast<double>(s.current_at) / 1000);
    p.gauge("gallery_mirror_completed_timestamp_seconds",
            "When the backup or mirror became complete, in seconds since 1970; 0: it is not complete",
            s.completed ? static_cast<double>(s.completed->time) / 1000 : 0);
    p.gauge("gallery_mirror_backup_timestamp_seconds",
            "When the last backup became complete, in seconds since 1970; 0: never, or forgotten",
            static_cast<double>(s.backup_at) / 1000);
    p.gauge("gallery_mirror_verifying", "1 while the mirror is verified, and so not kept current",
            s.is_verifying ? 1 : 0);
    p.gauge("gallery_mirror_damaged",
            "Items that cannot be read from the store and may be missing in the mirror",
            static_cast<double>(s.done.damaged));
    p.gauge("gallery_mirror_problem", "1 if the mirror has a problem, which its status describes",
            s.problem.empty() ? 0 : 1);
    p.counter("gallery_mirror_switches_total", "Switches of the store to its mirror", s.switches);
    p.gauge("gallery_mirror_last_switch_hold_seconds",
            "How long writes waited at most during the last switch",
            s.switched ? std::chrono::duration<double>(s.switched->held).count() : 0);
    p.gauge("gallery_writes_longest_hold_seconds",
            "The longest time for which writes were held, so that a mirror became complete or the store of "
            "the server",
            std::chrono::duration<double>(store.gate().longest_hold()).count());
}

void add_scrub(page& p, const scrub::service& from) {
    const auto s = from.status();
    const auto& stored = s.stored;
    const auto gauge = [&p](const char* name, const char* help, std::uint64_t value) {
        p.gauge(name, help, static_cast<double>(value));
    };
    const auto time = [&p](const char* name, const char* help, std::int64_t milliseconds) {
        p.gauge(name, help, static_cast<double>(milliseconds) / 1000);
    };
    p.gauge("gallery_scrub_running", "1 while this server reads all stored images to find damage",
            s.state == scrub::scrub_state::running ? 1 : 0);
    gauge("gallery_scrub_images_done", "Images that the last pass of the scrub has read", stored.done.images);
    gauge("gallery_scrub_images", "Images at the start of the last pass of the scrub", stored.total.images);
    gauge("gallery_scrub_done_bytes", "Bytes that the last pass of the scrub has read", stored.done.bytes);
    gauge("gallery_scrub_bytes",
          "Bytes of images and kept versions at the start of the last pass of the scrub", stored.total.bytes);
    gauge("gallery_scrub_damaged",
          "Damaged bodies of images that the scrub has found and not seen sound since", stored.damaged());
    p.gauge("gallery_scrub_problem",
            "1 if the scrub cannot read the store, or a pass could not read a part of it",
            s.is_incomplete ? 1 : 0);
    p.counter("gallery_scrub_bodies_total", "Bodies of images that the scrub has read", s.bodies);
    p.counter("gallery_scrub_read_bytes_total", "Bytes of images that the scrub has read", s.bytes);
    time("gallery_scrub_completed_timestamp_seconds",
         "When the last complete pass of the scrub ended, in seconds since 1970; 0: never",
         stored.completed_at);
    time("gallery_scrub_due_timestamp_seconds",
         "When the pass of the scrub was started that is in progress, or the next one is due, in seconds "
         "since "
         "1970; 0: none is due",
         s.due_at);
}

std::string tenant_label(const std::optional<tenant_id>& tenant) {
    return tenant ? to_string(*tenant) : "other";
}

void add_tenants(page& p, const tenant_metrics& from, const std::vector<tenant_contents>& contents) {
    if (!from.is_on()) return;
    const auto all = from.read();
    for (const auto& one : all)
        p.counter("gallery_tenant_requests_total", "Completed requests of a tenant", one.requests,
                  {{"tenant", tenant_label(one.tenant)}});
    for (const auto& one : all)
        p.counter("gallery_tenant_sent_bytes_total", "Bytes of sent heads and bodies of a tenant", one.sent,
                  {{"tenant", tenant_label(one.tenant)}});
    for (const auto& one : contents)
        p.gauge("gallery_tenant_images", "Images of a tenant", static_cast<double>(one.images),
                {{"tenant", tenant_label(one.tenant)}});
    for (const auto& one : contents)
        p.gauge("gallery_tenant_stored_bytes",
                "Bytes of the originals and previews of a tenant, also of kept versions",
                static_cast<double>(one.bytes), {{"tenant", tenant_label(one.tenant)}});
}

void add_process(page& p) {
    p.gauge("gallery_build_info", "1, with the version of this server as a label", 1,
            {{"version", GALLERY_VERSION}});
    const auto u = process_usage();
    if (u.cpu_seconds) {
        p.counter("process_cpu_seconds_total", "User and system processor time of the server process",
                  *u.cpu_seconds);
    }
    const auto gauge = [&p](const char* name, const char* help, const std::optional<double>& value) {
        if (value) p.gauge(name, help, *value);
    };
    gauge("process_start_time_seconds", "When the process started, in seconds since 1970", u.start_time);
    gauge("process_resident_memory_bytes", "Resident memory of the server process", u.resident_bytes);
    gauge("process_virtual_memory_bytes", "Virtual memory of the server process", u.virtual_bytes);
    gauge("process_open_fds", "Open file descriptors", u.open_files);
    gauge("process_max_fds", "Limit of open file descriptors", u.most_files);
    gauge("process_threads", "Threads of the server process", u.threads);
}

}  // namespace

std::string render_metrics(const metrics_sources& from, const std::vector<tenant_contents>& contents) {
    page p;
    add_process(p);
    if (from.requests != nullptr) add_requests(p, *from.requests);
    if (from.accesses != nullptr) add_access_log(p, *from.accesses);
    if (from.server != nullptr) {
        p.gauge("gallery_http_connections", "Open connections",
                static_cast<double>(from.server->connections()));
        p.counter("gallery_http_connections_refused_total",
                  "Connections of clients that had HTTP_MAX_CONNECTIONS_PER_CLIENT already",
                  from.server->refused_connections());
    }
    if (from.etags != nullptr) add_cache(p, *from.etags);
    if (from.authenticator != nullptr) {
        const auto c = from.authenticator->counters();
        p.counter("gallery_token_cache_hits_total", "Tokens found in the cache of verified tokens", c.hits);
        p.counter("gallery_token_cache_misses_total", "Tokens that had to be verified", c.misses);
        p.gauge("gallery_token_cache_entries", "Tokens in the cache of verified tokens",
                static_cast<double>(c.entries));
    }
    if (from.logins != nullptr) add_logins(p, *from.logins);
    add_limits(p, from);
    if (from.uploads != nullptr) {
        p.gauge("gallery_upload_bytes", "Memory used by uploads in progress",
                static_cast<double>(from.uploads->in_use()));
        p.gauge("gallery_uploads_waiting", "Uploads that are waiting for memory",
                static_cast<double>(from.uploads->waiting()));
    }
    if (from.imaging != nullptr) add_imaging(p, *from.imaging);
    if (from.reloads != nullptr) add_reloads(p, *from.reloads);
    if (from.writes != nullptr) {
        p.gauge("gallery_storage_writable", "1 while the store accepts writes, 0 while it does not",
                from.writes->check() ? 1 : 0);
    }
    if (from.store != nullptr) add_store(p, *from.store);
    if (from.mirror != nullptr && from.store != nullptr) add_mirror(p, *from.mirror, *from.store);
    if (from.scrub != nullptr) add_scrub(p, *from.scrub);
    if (from.tenants != nullptr) add_tenants(p, *from.tenants, contents);
    return p.text();
}

}  // namespace gallery::app
