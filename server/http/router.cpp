#include "http/router.hpp"

#include "http/percent.hpp"

#include <gallery/text.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gallery::http {

namespace {
constexpr std::size_t method_count = static_cast<std::size_t>(method::other);
using method_set = std::uint8_t;  // one bit each

constexpr method_set bit(method verb) noexcept {
    return static_cast<method_set>(1U << static_cast<unsigned>(verb));
}

[[noreturn]] void refuse(method verb, std::string_view pattern, const char* why) {
    const auto name = to_string(verb);
    std::fprintf(stderr, "route %.*s %.*s: %s\n", static_cast<int>(name.size()), name.data(),
                 static_cast<int>(pattern.size()), pattern.data(), why);
    std::abort();
}

// Takes the segment in front of the next '/' off @p rest, which begins with the segment.
std::string_view next_segment(std::string_view& rest, bool& last) noexcept {
    const auto slash = rest.find('/');
    last = slash == rest.npos;
    const auto segment = rest.substr(0, slash);
    rest = last ? std::string_view() : rest.substr(slash + 1);
    return segment;
}
}  // namespace

struct router::node {
    std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
    std::unique_ptr<node> parameter;
    std::array<route*, method_count> routes{};
};

struct router::state {
    node root;
    std::vector<std::unique_ptr<route>> routes;
    hot_handler fallback;

    node& place(method verb, std::string_view pattern) {
        if (!pattern.starts_with('/')) refuse(verb, pattern, "a pattern starts with '/'");
        auto* at = &root;
        auto rest = pattern.substr(1);
        for (bool last = false; !last;) {
            const auto segment = next_segment(rest, last);
            if (segment.starts_with('{')) {
                if (!at->parameter) at->parameter = std::make_unique<node>();
                at = at->parameter.get();
                continue;
            }
            node* found = nullptr;
            for (auto& [text, child] : at->literals) {
                if (text == segment) found = child.get();
            }
            if (!found) {
                at->literals.emplace_back(segment, std::make_unique<node>());
                found = at->literals.back().second.get();
            }
            at = found;
        }
        return *at;
    }

    route& obtain(method verb, std::string_view pattern) {
        auto& slot = place(verb, pattern).routes[static_cast<std::size_t>(verb)];
        if (!slot) {
            routes.push_back(std::make_unique<route>());
            slot = routes.back().get();
            slot->verb = verb;
            slot->pattern = pattern;
        }
        return *slot;
    }
};

namespace {

struct search {
    request& message;
    method_set allowed = 0;
    bool bad_path = false;
};

}  // namespace

// Depth first, literals before parameters. A path that matches a pattern without its method goes on looking,
// so that the most general pattern which takes the method answers.
template <class Node>
static const route* walk(search& how, const Node& at, std::string_view rest, bool end) {
    if (end) {
        method_set here = 0;
        for (std::size_t i = 0; i < method_count; ++i) {
            if (at.routes[i] && at.routes[i]->answer) here = static_cast<method_set>(here | (1U << i));
        }
        how.allowed |= here;
        const auto verb = how.message.verb();
        if (verb != method::other && (here & bit(verb)) != 0)
            return at.routes[static_cast<std::size_t>(verb)];
        if (verb == method::head && (here & bit(method::get)) != 0) {
            return at.routes[static_cast<std::size_t>(method::get)];
        }
        return nullptr;
    }
    bool last = false;
    const auto segment = next_segment(rest, last);
    const auto mark = how.message.param_count();
    std::string& decoded = how.message.next_param();
    const bool escaped = segment.find('%') != segment.npos;
    if (!escaped) {
        decoded = segment;
    } else if (!percent_decode(segment, decoded)) {
        how.bad_path = true;
        how.message.drop_params(mark);
        return nullptr;
    }
    // The string is taken back while literals are tried, since they use up no parameter.
    for (const auto& [text, child] : at.literals) {
        if (text != decoded) continue;
        how.message.drop_params(mark);
        if (const auto* found = walk(how, *child, rest, last)) return found;
        how.message.drop_params(mark);
        auto& again = how.message.next_param();
        if (escaped) {
            percent_decode(segment, again);
        } else {
            again = segment;
        }
        break;
    }
    const auto& value = how.message.param(mark);
    if (at.parameter && !value.empty()) {
        if (!is_utf8(value)) {
            how.bad_path = true;
        } else if (const auto* found = walk(how, *at.parameter, rest, last)) {
            return found;
        }
    }
    how.message.drop_params(mark);
    return nullptr;
}

router::router() : state_(std::make_unique<state>()) {}
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;
router::~router() = default;

void router::add(method verb, std::string_view pattern, handler answer, route_options options) {
    auto& added = state_->obtain(verb, pattern);
    if (added.answer) refuse(verb, pattern, "is there twice");
    added.answer = std::move(answer);
    added.options = std::move(options);
}

void router::add_hot(method verb, std::string_view pattern, hot_handler first) {
    auto& added = state_->obtain(verb, pattern);
    if (added.try_hot) refuse(verb, pattern, "has two hot handlers");
    added.try_hot = std::move(first);
}

void router::set_fallback(hot_handler fallback) {
    state_->fallback = std::move(fallback);
}

router::match router::find(request& message) const {
    message.clear_params();
    match found;
    const auto path = message.path();
    search how{message};
    if (path.starts_with('/')) found.target = walk(how, state_->root, path.substr(1), false);
    if (found.target) {
        found.what = outcome::found;
        message.set_route_name(found.target->options.name);
        return found;
    }
    message.clear_params();
    if (how.allowed != 0) {
        found.what = outcome::wrong_method;
        if ((how.allowed & bit(method::get)) != 0) how.allowed |= bit(method::head);
        how.allowed |= bit(method::options);
        for (std::size_t i = 0; i < method_count; ++i) {
            if ((how.allowed & (1U << i)) == 0) continue;
            if (!found.allow.empty()) found.allow += ", ";
            found.allow += to_string(static_cast<method>(i));
        }
    } else if (how.bad_path) {
        found.what = outcome::bad_path;
    }
    return found;
}

const hot_handler& router::fallback() const noexcept {
    return state_->fallback;
}

std::vector<const route*> router::routes() const {
    std::vector<const route*> all;
    for (const auto& each : state_->routes) {
        if (each->answer) all.push_back(each.get());
    }
    return all;
}

}  // namespace gallery::http
