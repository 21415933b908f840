// SPDX-License-Identifier: Apache-2.0
// Writing: bytes ahead where they are large, then one of the committer's transactions.
#include "store.hpp"

#include <gallery/kit/rules.hpp>

#include <cerrno>
#include <cstring>

namespace gallery::postgres {
namespace {

bool is_not_done(const error& why) noexcept {
    return why.code == errc::invalid_argument || why.code == errc::busy;
}

}  // namespace

task<result<std::pair<bytes, bytes>>> store::loaded(body original, body preview, bool preview_is_original) {
    if (preview_is_original) preview = bytes();
    if (original.memory() == nullptr || preview.memory() == nullptr) {
        auto load = [parts = std::pair(std::move(original), std::move(preview))] {
            return std::pair(parts.first.load(), parts.second.load());
        };
        auto read = co_await offload(workers_, std::move(load));
        if (!read.first || !read.second)
            co_return error{errc::io_error, "The bytes to store could not be read."};
        co_return std::pair(std::move(*read.first), std::move(*read.second));
    }
    co_return std::pair(*original.memory(), *preview.memory());
}

template <class Write, class... Arguments>
task<result<write_outcome>> store::commit_here(Arguments... arguments) {
    auto start = [&](resumption<result<write_outcome>> waiting) {
        committer_.add(
            std::make_unique<Write>(std::move(arguments)..., reply<write_outcome>(std::move(waiting))));
    };
    co_return co_await suspend<result<write_outcome>>(std::move(start));
}

template <class Make>
task<result<write_outcome>> store::store_here(bytes original, bytes preview, Make make) {
    constexpr int attempts = 3;
    for (int i = 1;; ++i) {
        auto content = co_await bodies_.prepare(original, preview);
        if (!content) co_return content.error();
        auto start = [&](resumption<result<write_outcome>> waiting) {
            committer_.add(make(*content, reply<write_outcome>(std::move(waiting))));
        };
        auto outcome = co_await suspend<result<write_outcome>>(std::move(start));
        // A server that crashed has forgotten what it had not synchronised yet.
        const bool forgotten = outcome.has_error() && outcome.error().code == errc::stale;
        if (forgotten && i < attempts) continue;
        if (forgotten)
            co_return error{errc::busy, "The database lost the bytes of the image. Nothing was changed."};
        // Bytes whose write has no known outcome may have a record; upkeep looks after them.
        if (outcome ? outcome->status != write_status::committed : is_not_done(outcome.error()))
            bodies_.discard(*content);
        co_return outcome;
    }
}

task<result<write_outcome>> store::save(image_record record, body original, body preview, write_rules rules) {
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    auto content = co_await loaded(std::move(original), std::move(preview), record.preview_is_original);
    if (!content) co_return content.error();
    auto make = [record = std::move(record), rules](new_bytes bytes_of_it,
                                                    reply<write_outcome> waiting) -> write_ptr {
        return std::make_unique<save_write>(record, std::move(bytes_of_it), rules, std::move(waiting));
    };
    co_return co_await on_engine(
        store_here(std::move(content->first), std::move(content->second), std::move(make)));
}

task<result<write_outcome>> store::update(image_record record, precondition condition) {
    co_return co_await on_engine(commit_here<update_write>(std::move(record), condition));
}

task<result<write_outcome>> store::erase(tenant_id tenant, std::string key, write_rules rules) {
    co_return co_await on_engine(commit_here<erase_write>(tenant, std::move(key), rules));
}

task<result<write_outcome>> store::save_kept(image_record record, body original, body preview,
                                             std::int64_t kept_time, bool is_erased) {
    if (auto wrong = kit::refuse_save(record, original, preview)) co_return std::move(*wrong);
    auto content = co_await loaded(std::move(original), std::move(preview), record.preview_is_original);
    if (!content) co_return content.error();
    auto make = [record = std::move(record), kept_time, is_erased](
                    new_bytes bytes_of_it, reply<write_outcome> waiting) -> write_ptr {
        return std::make_unique<save_kept_write>(record, std::move(bytes_of_it), kept_time, is_erased,
                                                 std::move(waiting));
    };
    co_return co_await on_engine(
        store_here(std::move(content->first), std::move(content->second), std::move(make)));
}

task<result<write_outcome>> store::drop_kept(image_id id, revision content_rev) {
    co_return co_await on_engine(commit_here<drop_kept_write>(id, content_rev));
}

task<result<documents_outcome>> store::write(std::vector<document_write> parts) {
    if (auto wrong = kit::refuse_documents(parts)) co_return std::move(*wrong);
    auto start = [this, &parts](resumption<result<documents_outcome>> waiting) {
        auto one =
            std::make_unique<documents_write>(std::move(parts), reply<documents_outcome>(std::move(waiting)));
        asio::post(engine_, [this, one = std::move(one)]() mutable { committer_.add(std::move(one)); });
    };
    co_return co_await suspend<result<documents_outcome>>(std::move(start));
}

}  // namespace gallery::postgres
