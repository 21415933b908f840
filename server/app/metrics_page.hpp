// SPDX-License-Identifier: Apache-2.0
/// The server's figures in Prometheus' text format.
#pragma once

#include "accounts/authenticator.hpp"
#include "accounts/logins.hpp"
#include "app/access_log.hpp"
#include "app/client_admission.hpp"
#include "app/reloader.hpp"
#include "app/request_metrics.hpp"
#include "app/tenant_metrics.hpp"
#include "app/write_watch.hpp"
#include "cache/etag_cache.hpp"
#include "images/byte_budget.hpp"
#include "images/quotas.hpp"
#include "imaging/pool.hpp"
#include "mirror/service.hpp"
#include "plugins/measured_engine.hpp"
#include "scrub/service.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gallery::app {

/// What a tenant has stored.
struct tenant_contents {
    std::optional<tenant_id> tenant;  ///< empty: all others
    std::uint64_t images = 0;
    std::uint64_t bytes = 0;  ///< of originals and previews, also of kept versions
};

/// Where the figures come from; all of them may be asked by any thread at any time.
struct metrics_sources {
    const request_metrics* requests = nullptr;
    const access_log* accesses = nullptr;
    const http::server* server = nullptr;
    const plugins::measured_engine* store = nullptr;
    const cache::etag_cache* etags = nullptr;
    const accounts::authenticator* authenticator = nullptr;
    const imaging::pool* imaging = nullptr;
    const images::byte_budget* uploads = nullptr;
    const accounts::logins* logins = nullptr;
    const images::quotas* quotas = nullptr;
    const client_admission* admission = nullptr;
    write_watch* writes = nullptr;
    const reloader* reloads = nullptr;
    const mirror::service* mirror = nullptr;
    const scrub::service* scrub = nullptr;
    const tenant_metrics* tenants = nullptr;
};

/// Cheap enough to be asked every second.
std::string render_metrics(const metrics_sources& from, const std::vector<tenant_contents>& contents);

}  // namespace gallery::app
