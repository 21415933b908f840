// SPDX-License-Identifier: Apache-2.0
/// Finds the handler for a method and a path.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::http {

/// Answers one request. Runs on the connection's I/O thread and must not block it. The request outlives the
/// coroutine. An error becomes its error_response(). An exception becomes a 500 without details.
using handler = std::function<task<result<response>>(request&)>;

/// Answers without a coroutine, or returns false and leaves the empty response unchanged. Must not block.
using hot_handler = std::function<bool(request&, response&)>;

struct route_options {
    /// Appears in metrics and in the access log, for example "image.download". A literal: it outlives the
    /// router, and routers with the same routes have the same names at the same places.
    std::string_view name;
    /// The largest body in bytes, including its envelope (multipart, base64). 0: the route has no body; a
    /// body of up to 16 KiB is read and ignored, because some clients send "{}" with every request.
    std::uint64_t body_limit = 0;
    /// It needs no login, so that server_options::admit decides about each client's requests.
    bool limits_clients = false;
    /// Pages of all origins may read the answers, whatever the server's cross_origin allows.
    bool open_to_pages = false;
};

struct route {
    method verb;
    std::string pattern;
    route_options options;
    handler answer;
    hot_handler try_hot;  ///< may be empty
};

/// Filled before the server listens, then shared by all I/O threads without locks.
///
/// An example of a pattern is "/api/images/{type}/{key}". A path is split at raw '/', then each segment is
/// decoded once and matched. A literal segment takes precedence over a parameter. Empty segments match
/// nothing. A HEAD request uses the route of GET if there is none for HEAD.
class router {
public:
    router();
    router(router&&) noexcept;
    router& operator=(router&&) noexcept;
    ~router();

    /// Preconditions: the pattern starts with '/', and the router has no route with this method and pattern.
    /// Otherwise the process ends with a message, because routes are fixed in the code.
    void add(method verb, std::string_view pattern, handler answer, route_options options = {});
    /// A synchronous first attempt for a route that add() registers, before or after this call.
    void add_hot(method verb, std::string_view pattern, hot_handler first);
    /// Called for GET and HEAD if no pattern matches, before the 404. For static files.
    void set_fallback(hot_handler fallback);

    enum class outcome : std::uint8_t { found, not_found, wrong_method, bad_path };
    struct match {
        outcome what = outcome::not_found;
        const route* target = nullptr;
        std::string allow;  ///< the value of Allow, with wrong_method and for OPTIONS of a known path
    };
    /// Fills the request's parameters and route name. Allocates only for Allow.
    match find(request& message) const;
    [[nodiscard]] const hot_handler& fallback() const noexcept;

    /// All routes in the order in which they were added. For the OpenAPI test and for metrics.
    [[nodiscard]] std::vector<const route*> routes() const;

private:
    struct node;
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::http
