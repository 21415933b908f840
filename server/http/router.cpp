// SPDX-License-Identifier: Apache-2.0
#include "http/router.hpp"

#include "http/percent.hpp"

#include <gallery/text.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace gallery::http {

namespace {
using method_set = std::uint64_t;  // one bit each

constexpr method_set bit(method verb) noexcept {
    return method_set{1} << static_cast<unsigned>(verb);
}

// In the order in which Allow names them.
constexpr std::array named_methods{method::get,     method::head,    method::post, method::put,
                                   method::delete_, method::options, method::patch};

[[noreturn]] void refuse(method verb, std::string_view pattern, const char* why) {
    const auto name = to_string(verb);
    std::fprintf(stderr, "route %.*s %.*s: %s\n", static_cast<int>(name.size()), name.data(),
                 static_cast<int>(pattern.size()), pattern.data(), why);
    std::abort();
}

// Most literals differ in length or in their first letter, which needs no call.
bool same(std::string_view left, std::string_view right) noexcept {
    return left.size() == right.size() && (left.empty() || left.front() == right.front()) && left == right;
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
    std::vector<route*> routes;  // one for each method
    method_set answered = 0;     // methods whose route has a handler

    [[nodiscard]] route* find(method verb) const noexcept {
        for (auto* const each : routes) {
            if (each->verb == verb) return each;
        }
        return nullptr;
    }
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
        auto& where = place(verb, pattern);
        if (auto* const known = where.find(verb)) return *known;
        auto& made = *routes.emplace_back(std::make_unique<route>());
        made.verb = verb;
        made.pattern = pattern;
        where.routes.push_back(&made);
        return made;
    }
};

namespace {

struct search {
    request& message;
    bool escaped = false;  // there is a '%' in the path
    method_set allowed = 0;
    bool bad_path = false;
};

}  // namespace

// Depth first, literals before parameters. A path that matches a pattern without its method goes on looking,
// so that the most general pattern which takes the method answers.
template <class Node>
static const route* walk(search& how, const Node& at, std::string_view rest, bool end) {
    if (end) {
        how.allowed |= at.answered;
        const auto verb = how.message.verb();
        if ((at.answered & bit(verb)) != 0) return at.find(verb);
        if (verb == method::head && (at.answered & bit(method::get)) != 0) return at.find(method::get);
        return nullptr;
    }
    bool last = false;
    const auto segment = next_segment(rest, last);
    const auto mark = how.message.param_count();
    // Literals are compared with what was received, unless it has to be decoded first; only parameters are
    // kept in a string of their own.
    std::string_view text = segment;
    const bool escaped = how.escaped && segment.find('%') != segment.npos;
    if (escaped) {
        std::string& decoded = how.message.next_param();
        const bool sound = percent_decode(segment, decoded);
        how.message.drop_params(mark);
        if (!sound) {
            how.bad_path = true;
            return nullptr;
        }
        text = decoded;
    }
    // A literal may use the string of the decoded text again, since it takes up no parameter.
    for (const auto& [literal, child] : at.literals) {
        if (!same(literal, text)) continue;
        if (const auto* found = walk(how, *child, rest, last)) return found;
        how.message.drop_params(mark);
        break;
    }
    if (!at.parameter || segment.empty()) return nullptr;
    std::string& value = how.message.next_param();
    if (escaped) {
        percent_decode(segment, value);
    } else {
        value = segment;
    }
    if (!is_utf8(value)) {
        how.bad_path = true;
    } else if (const auto* found = walk(how, *at.parameter, rest, last)) {
        return found;
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
    auto& answered = state_->place(verb, pattern).answered;
    answered |= bit(verb);
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
    search how{.message = message, .escaped = path.find('%') != path.npos};
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
        for (const auto verb : named_methods) {
            if ((how.allowed & bit(verb)) == 0) continue;
            if (!found.allow.empty()) found.allow += ", ";
            found.allow += to_string(verb);
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
