// SPDX-License-Identifier: Apache-2.0
#include "app/lease.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <utility>

namespace gallery::app {

namespace {

namespace json = boost::json;

constexpr const char* kind = "lease";

struct terms {
    std::string holder;
    std::chrono::milliseconds length{0};
};

/// Of a document that cannot be read nobody is the holder, and its time is up.
terms terms_of(const document& doc) {
    terms out;
    json::error_code failed;
    const auto value = json::parse(doc.body, failed);
    const auto* members = failed ? nullptr : value.if_object();
    if (members == nullptr) return out;
    if (const auto* holder = members->if_contains("holder"); holder != nullptr && holder->is_string())
        out.holder = holder->get_string();
    if (const auto* length = members->if_contains("length"); length != nullptr && length->is_int64())
        out.length = std::chrono::milliseconds(length->get_int64());
    return out;
}

}  // namespace

lease::lease(document_store& store, std::string name, std::string holder, std::chrono::milliseconds length,
             std::function<clock::time_point()> now)
    : store_(store),
      name_(std::move(name)),
      holder_(std::move(holder)),
      length_(length),
      now_(std::move(now)) {}

document lease::as_document() const {
    json::object members;
    members["holder"] = holder_;
    members["length"] = std::int64_t{length_.count()};
    document out;
    out.kind = kind;
    out.id = name_;
    out.body = json::serialize(members);
    return out;
}

task<result<bool>> lease::write(precondition condition) {
    auto doc = as_document();
    const auto written = co_await store_.save(std::move(doc), condition);
    held_ = 0;
    if (!written) co_return written.error();
    if (written->status != write_status::committed) co_return false;
    held_ = written->rev;
    seen_ = 0;
    co_return true;
}

task<result<bool>> lease::renew() {
    if (held_ == 0) co_return false;
    co_return co_await write(precondition::match(held_));
}

task<result<bool>> lease::acquire() {
    const auto renewed = co_await renew();
    if (!renewed || *renewed) co_return renewed;
    const auto known = co_await store_.find(kind, name_);
    if (!known) {
        if (known.error().code != errc::not_found) co_return known.error();
        co_return co_await write(precondition::absent());
    }
    const auto of = terms_of(*known);
    if (of.holder == holder_) co_return co_await write(precondition::match(known->rev));
    if (seen_ != known->rev) {
        seen_ = known->rev;
        seen_at_ = now_();
    }
    if (now_() - seen_at_ < of.length) co_return false;
    co_return co_await write(precondition::match(known->rev));
}

task<result<void>> lease::release() {
    if (held_ == 0) co_return result<void>();
    const auto erased = co_await store_.erase(kind, name_, precondition::match(std::exchange(held_, 0)));
    if (!erased) co_return erased.error();
    co_return result<void>();
}

void lease::forget() noexcept {
    held_ = 0;
    seen_ = 0;
}

document_write lease::requirement() const {
    return document_write::require(kind, name_, precondition::match(held_));
}

}  // namespace gallery::app
