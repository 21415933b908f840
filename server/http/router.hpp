// SPDX-License-Identifier: Apache-2.0
/// From method and path to a handler.
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

/// Answers one request. Runs on the connection's I/O thread and must not block it. The request outlives it.
/// An error becomes its error_response(); what it throws becomes a 500 without detail.
using handler = std::function<task<result<response>>(request&)>;

/// Answers at once or returns false, leaving the (empty) response untouched; must not block.
using hot_handler = std::function<bool(request&, response&)>;

struct route_options {
    /// For metrics and the access log, for instance "image.download".
    std::string name;
    /// Bytes that the request's body may have, envelope included. 0 = the route takes no body; one of up to
    /// 16 KiB is then read and ignored all the same, because clients send "{}" with anything.
    std::uint64_t body_limit = 0;
    /// Pages of every origin may read the answers, whatever the server's cross_origin says.
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
/// Patterns are "/api/images/{type}/{key}": a path is split on raw '/', each segment is decoded once and
/// then matched; a literal segment wins over a parameter; empty segments match nothing. HEAD falls to GET.
class router {
public:
    router();
    router(router&&) noexcept;
    router& operator=(router&&) noexcept;
    ~router();

    /// Preconditions: the pattern starts with '/'; method and pattern are new together (else the process
    /// ends with a message: routes are fixed in the code).
    void add(method verb, std::string_view pattern, handler answer, route_options options = {});
    /// A first, synchronous try for a route that add() has registered or will register.
    void add_hot(method verb, std::string_view pattern, hot_handler first);
    /// Asked for GET and HEAD where no pattern matches, before the 404: static files.
    void set_fallback(hot_handler fallback);

    enum class outcome : std::uint8_t { found, not_found, wrong_method, bad_path };
    struct match {
        outcome what = outcome::not_found;
        const route* target = nullptr;
        std::string allow;  ///< with wrong_method, and for OPTIONS of a known path: the Allow value
    };
    /// Fills the request's parameters and route name. Allocates only for Allow.
    match find(request& message) const;
    [[nodiscard]] const hot_handler& fallback() const noexcept;

    /// All routes in the order they were added; for the OpenAPI test and for metrics.
    [[nodiscard]] std::vector<const route*> routes() const;

private:
    struct node;
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace gallery::http
