// SPDX-License-Identifier: Apache-2.0
#include "images/image_service.hpp"

#include "images/image_service_internal.hpp"
#include "images/keys.hpp"

#include <algorithm>
#include <utility>

namespace gallery::images {

error contended(const std::string& key) {
    return {errc::busy, "The image '" + key + "' is being changed by too many other requests. Try again."};
}

error no_answer_to_a_save(const std::string& key, write_status status) {
    return {errc::internal,
            "The store answered saving the image '" + key + "' with the status " +
                std::to_string(static_cast<int>(status)) +
                ", expected committed, conflict or public_key_taken. The storage plugin must be corrected."};
}

error no_such_image(const std::string& key) {
    return {errc::not_found, "There is no image with the key '" + key + "' in this gallery."};
}

image_service::image_service(image_store& store, cache::etag_cache& etags, inspect_picture inspect,
                             tenant_check is_deleted, const cache::freshness& fresh, quota_source quota)
    : store_(store),
      etags_(etags),
      inspect_(std::move(inspect)),
      is_deleted_(std::move(is_deleted)),
      fresh_(fresh),
      quotas_(std::move(quota)) {}

task<result<void>> image_service::require_room(image_read_permit may, std::uint64_t size,
                                               std::uint64_t replaced) {
    const auto quota = quotas_.of(may.tenant());
    if (quota.max_total_bytes == 0) co_return result<void>();
    const auto used = co_await store_.usage(may.tenant());
    if (!used) co_return used.error();
    const usage_figures before{.original_bytes = used->images.original_bytes};
    const usage_figures after{.original_bytes =
                                  before.original_bytes - std::min(before.original_bytes, replaced) + size};
    if (quota.limit_of_saves().allows(before, after)) co_return result<void>();
    co_return quotas_.refuse_total(quota, before.original_bytes);
}

task<error> image_service::over_total(tenant_quota quota, image_record record, std::uint64_t replaced) {
    const auto used = co_await store_.usage(record.tenant);
    if (!used) co_return used.error();
    co_return quotas_.refuse_total(quota, used->images.original_bytes, record.original.size, replaced);
}

task<result<void>> image_service::erase(image_write_permit may, std::string key, record_check check) {
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        auto current = co_await find(may.lend(), key);
        if (!current) co_return current.error();
        if (auto allowed = run_check(check, current->get()); !allowed) co_return allowed.error();
        auto erased = co_await store_.erase(may.tenant(), key, precondition::match((*current)->rev));
        if (!erased) {
            forget(**current);
            co_return erased.error();
        }
        if (erased->status == write_status::committed) {
            forget(**current);
            co_return result<void>();
        }
    }
    co_return contended(key);
}

task<result<std::uint64_t>> image_service::erase_all(image_write_permit may) {
    std::uint64_t count = 0;
    for (;;) {
        std::string from_the_start;
        auto page = co_await store_.scan(may.tenant(), std::move(from_the_start), 256);
        if (!page) co_return page.error();
        if (page->items.empty()) break;
        for (const auto& record : page->items) {
            auto erased = co_await store_.erase(may.tenant(), record->key, precondition::any());
            if (!erased) {
                forget(*record);
                co_return erased.error();
            }
            forget(*record);
            ++count;
        }
    }
    for (;;) {
        std::string from_the_start;
        auto page =
            co_await store_.kept(may.tenant(), kept_order::oldest_first, std::move(from_the_start), 256);
        if (!page) co_return page.error();
        if (page->items.empty()) co_return count;
        for (const auto& version : page->items) {
            auto dropped = co_await store_.drop_kept(version.record->id, version.record->content_rev);
            if (!dropped) co_return dropped.error();
            ++count;
        }
    }
}

task<result<tenant_usage>> image_service::usage(usage_permit may) {
    return store_.usage(may.tenant());
}

task<result<std::uint64_t>> image_service::count(image_read_permit may) {
    const auto used = co_await store_.usage(may.tenant());
    if (!used) co_return used.error();
    co_return used->images.count;
}

task<result<record_ptr>> image_service::find(image_view_permit may, std::string key) {
    auto found = co_await store_.find(may.tenant(), key);
    if (!found && found.error().code == errc::not_found) co_return no_such_image(key);
    co_return found;
}

task<result<record_ptr>> image_service::find_public(std::string public_key) {
    const error missing{
        errc::not_found,
        "There is no public image at this link. It may have been deleted or is no longer shared."};
    if (!is_public_key(public_key)) co_return missing;
    auto found = co_await store_.find_by_public_key(std::move(public_key));
    if (found ? !(*found)->is_public : found.error().code == errc::not_found) co_return missing;
    co_return found;
}

task<result<body>> image_service::read(record_ptr record, representation which) {
    return store_.read(std::move(record), which);
}

std::optional<record_ptr> image_service::find_now(const image_view_permit& may, std::string_view key) {
    if (!fresh_.holds()) [[unlikely]]
        return std::nullopt;
    return store_.find_now(may.tenant(), key);
}

std::optional<record_ptr> image_service::find_public_now(std::string_view public_key) {
    if (!is_public_key(public_key) || !fresh_.holds()) return std::nullopt;
    auto found = store_.find_by_public_key_now(public_key);
    if (found && !(*found)->is_public) return std::nullopt;
    return found;
}

std::optional<body> image_service::read_now(const image_record& record, representation which) {
    return store_.read_now(record, which);
}

task<result<image_page>> image_service::list(image_read_permit may, image_query query) {
    query.tenant = may.tenant();
    return store_.list(std::move(query));
}

// Also where the write failed: it may have happened all the same.
void image_service::forget(const image_record& record) noexcept {
    etags_.invalidate(record.tenant, record.key);
    etags_.invalidate_public(record.public_key);
}

}  // namespace gallery::images
