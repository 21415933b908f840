/// The server's figures in Prometheus' text format.
#pragma once

#include "app/request_metrics.hpp"
#include "app/write_watch.hpp"
#include "auth/authenticator.hpp"
#include "auth/logins.hpp"
#include "cache/etag_cache.hpp"
#include "gallery/byte_budget.hpp"
#include "imaging/pool.hpp"
#include "storage/measured_store.hpp"

#include <string>

namespace gallery::app {

/// Where the figures come from; all of them may be asked by any thread at any time.
struct metrics_sources {
    const request_metrics* requests = nullptr;
    const http::server* server = nullptr;
    const storage::measured_store* store = nullptr;
    const cache::etag_cache* etags = nullptr;
    const auth::authenticator* authenticator = nullptr;
    const imaging::pool* imaging = nullptr;
    const service::byte_budget* uploads = nullptr;
    const auth::logins* logins = nullptr;
    write_watch* writes = nullptr;
};

/// Cheap enough to be asked every second.
std::string render_metrics(const metrics_sources& from);

}  // namespace gallery::app
