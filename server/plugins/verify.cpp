// SPDX-License-Identifier: Apache-2.0
#include "plugins/verify.hpp"

#include <gallery/sha256.hpp>

namespace gallery::plugins {

namespace {

constexpr std::size_t page_size = 200;

/// Whether an error is about what is stored, rather than about being able to ask.
bool is_damage(const error& e) noexcept {
    return e.code == errc::corrupt || e.code == errc::io_error;
}

class verifier {
public:
    explicit verifier(storage_engine& engine) : engine_(engine), store_(engine.images()) {}

    task<result<verification>> run(std::function<void(std::uint64_t)> progress) {
        const auto begun = co_await engine_.feed().last();
        if (!begun) co_return begun.error();
        std::string cursor;
        do {
            std::optional<tenant_id> every_tenant;
            auto page = co_await store_.scan(every_tenant, std::move(cursor), page_size);
            if (!page) {
                if (!is_damage(page.error())) co_return page.error();
                // The entries after it are not hashed; the engine's check may still name the images.
                problem("reading the images stopped early, after " + std::to_string(found_.records) +
                        " of them, and the others were not hashed: " + page.error().message);
                ended_early_ = true;
                break;
            }
            for (const auto& record : page->items) {
                co_await image(record);
            }
            cursor = std::move(page->cursor);
            if (progress) progress(found_.records);
        } while (!cursor.empty());

        if (auto read = co_await kept_versions(); !read) co_return read.error();

        auto report = co_await engine_.check();
        if (report) {
            const bool counts = co_await is_unwritten_since(*begun);
            compare(std::move(*report), counts);
        } else {
            if (found_.sound() && !is_damage(report.error())) co_return report.error();
            problem("the engine's own check stopped early: " + report.error().message);
        }
        if (more_ > 0) found_.problems.push_back("and " + std::to_string(more_) + " more");
        co_return std::move(found_);
    }

private:
    /// Whether no image was written meanwhile, by whichever process. Not known is no.
    task<bool> is_unwritten_since(revision begun) {
        for (revision after = begun;;) {
            const auto batch = co_await engine_.feed().changes(after, 1000);
            if (!batch || batch->gap) co_return false;
            for (const auto& one : batch->changes) {
                if (one.document_kind.empty()) co_return false;
            }
            if (batch->changes.empty()) co_return true;
            after = batch->next;
        }
    }

    /// @p counts: what was counted at different moments has to be the same.
    void compare(check_report report, bool counts) {
        found_.index_entries = report.index_entries;
        found_.documents = report.documents;
        const auto compare_counts = [this](const char* what, std::uint64_t counted, std::uint64_t read) {
            if (counted == read) return;
            problem("the engine counts " + std::to_string(counted) + " " + what + ", reading found " +
                    std::to_string(read) + " (expected the same)");
        };
        if (counts && report.problems.empty() && !ended_early_) {
            compare_counts("images", report.records, found_.records);
            compare_counts("kept versions", report.kept_versions, found_.kept_versions);
        }
        for (auto& text : report.problems)
            problem(std::move(text));
    }

    static std::string name(const image_record& record) {
        return "image '" + record.key + "' (" + to_string(record.id) + ") of tenant " +
               to_string(record.tenant);
    }

    task<void> image(record_ptr record) {
        ++found_.records;
        const bool current = co_await is_current(record);
        if (!current) co_return;
        auto by_id = co_await store_.find_by_id(record->id);
        co_await expect_same(record, std::move(by_id), "its id");
        std::string public_key = record->public_key;
        auto by_public_key = co_await store_.find_by_public_key(std::move(public_key));
        co_await expect_same(record, std::move(by_public_key), "its public key");
        co_await content(record, representation::original);
        if (!record->preview_is_original) co_await content(record, representation::preview);
    }

    /// The record is still there as it was, so that what does not fit it is wrong and not merely changed
    /// since.
    task<bool> is_current(record_ptr record) {
        std::string key = record->key;
        const auto found = co_await store_.find(record->tenant, std::move(key));
        if (found) co_return (*found)->rev == record->rev;
        if (found.error().code != errc::not_found) {
            problem(name(*record) + ": cannot be found by its key: " + found.error().message);
        }
        co_return false;
    }

    /// Error: as of verify().
    task<result<void>> kept_versions() {
        std::string cursor;
        do {
            std::optional<tenant_id> every_tenant;
            auto page =
                co_await store_.kept(every_tenant, kept_order::oldest_first, std::move(cursor), page_size);
            if (!page) {
                if (!is_damage(page.error())) co_return page.error();
                problem("reading the kept versions stopped early, after " +
                        std::to_string(found_.kept_versions) +
                        " of them, and the others were not hashed: " + page.error().message);
                ended_early_ = true;
                break;
            }
            for (const auto& version : page->items) {
                ++found_.kept_versions;
                co_await content(version.record, representation::original);
                if (!version.record->preview_is_original)
                    co_await content(version.record, representation::preview);
            }
            cursor = std::move(page->cursor);
        } while (!cursor.empty());
        co_return result<void>();
    }

    /// The version is still stored, current or kept.
    task<bool> is_stored(record_ptr record) {
        const bool current = co_await is_current(record);
        if (current) co_return true;
        const auto kept = co_await store_.find_kept(record->id, record->content_rev);
        co_return bool(kept);
    }

    task<void> expect_same(record_ptr record, result<record_ptr> found, const char* by) {
        if (found && **found == *record) co_return;
        const bool current = co_await is_current(record);
        if (!current) co_return;
        problem(name(*record) + ": by " + by + ", " +
                (found ? "another record is found" : "nothing is found: " + found.error().message));
    }

    task<void> content(record_ptr record, representation which) {
        const char* what = which == representation::original ? "original" : "preview";
        const body_descriptor& expected = record->descriptor(which);
        auto read = co_await store_.read(record, which);
        std::string wrong;
        if (!read) {
            wrong = read.error().message;
        } else if (const auto bytes = read->load(); !bytes) {
            wrong = "its bytes cannot be read";
        } else {
            ++found_.bodies;
            found_.bytes += bytes->size();
            const auto digest = sha256(bytes->span());
            if (bytes->size() != expected.size) {
                wrong = "expected " + std::to_string(expected.size) + " bytes, found " +
                        std::to_string(bytes->size());
            } else if (digest != expected.etag) {
                wrong = "expected SHA-256 " + to_hex(expected.etag) + ", found " + to_hex(digest);
            }
        }
        if (wrong.empty()) co_return;
        const bool stored = co_await is_stored(record);
        if (stored) problem(name(*record) + ": the " + what + " is damaged: " + wrong);
    }

    void problem(std::string text) {
        if (found_.problems.size() < verification::max_problems) {
            found_.problems.push_back(std::move(text));
        } else {
            ++more_;
        }
    }

    storage_engine& engine_;
    image_store& store_;
    verification found_;
    std::uint64_t more_ = 0;
    bool ended_early_ = false;  // the reading of the images
};

}  // namespace

task<result<verification>> verify(storage_engine& store, std::function<void(std::uint64_t)> progress) {
    verifier all(store);
    co_return co_await all.run(std::move(progress));
}

}  // namespace gallery::plugins
