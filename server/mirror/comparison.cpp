// SPDX-License-Identifier: Apache-2.0
#include "mirror/comparison.hpp"

#include "mirror/at_once.hpp"
#include "mirror/document_sync.hpp"
#include "mirror/image_sync.hpp"
#include "mirror/kept_sync.hpp"
#include "mirror/sameness.hpp"

#include <map>
#include <optional>
#include <utility>

namespace gallery::mirror {

namespace {

constexpr int max_rounds = 3;

/// Items that are compared while writes are held: with their bodies, a fraction of a second.
constexpr std::size_t max_held = 64;

/// Reads both stores. What differs is collected by name, because a source in use may have changed between the
/// two reads; it is compared again after the target has caught up, and is a problem only then.
class comparer {
public:
    comparer(work& all, comparison_options options) : all_(all), options_(std::move(options)) {}

    task<result<comparison>> run() {
        if (auto done = co_await all_images(); !done) co_return done.error();
        if (auto done = co_await all_documents(all_.from.documents(), true); !done) co_return done.error();
        if (auto done = co_await all_documents(all_.to.documents(), false); !done) co_return done.error();
        if (auto done = co_await kept_versions(); !done) co_return done.error();
        for (int i = 0; i < max_rounds && options_.catch_up && differs(); ++i) {
            if (auto done = co_await once_more(true); !done) co_return done.error();
        }
        if (options_.hold_writes && differs() && images_.size() + documents_.size() <= max_held) {
            const bool is_held = co_await options_.hold_writes();
            if (is_held) {
                const release_at_end release(options_.release_writes);
                if (auto done = co_await once_more(!kept_problem_.empty()); !done) co_return done.error();
            }
        }
        co_return finish();
    }

private:
    [[nodiscard]] bool differs() const {
        return !images_.empty() || !documents_.empty() || !damaged_.empty() || !kept_problem_.empty();
    }

    comparison finish() {
        for (const auto& [name, text] : images_)
            problem("the image '" + name.second + "' of tenant " + to_string(name.first) + ": " + text);
        for (const auto& [name, text] : documents_)
            problem("the document " + name.first + "/" + name.second + ": " + text);
        if (!kept_problem_.empty()) problem(std::move(kept_problem_));
        for (auto& text : damaged_)
            problem(std::move(text));
        if (more_ > 0) found_.problems.push_back("and " + std::to_string(more_) + " more");
        return std::move(found_);
    }

    void problem(std::string text) {
        if (found_.problems.size() < work::max_problems) {
            found_.problems.push_back(std::move(text));
        } else {
            ++more_;
        }
    }

    task<result<void>> once_more(bool with_kept) {
        if (auto caught_up = co_await options_.catch_up(); !caught_up) co_return caught_up;
        const auto images = std::exchange(images_, {});
        for (const auto& each : images) {
            image_name name = each.first;
            if (auto done = co_await image(std::move(name)); !done) co_return done;
        }
        const auto documents = std::exchange(documents_, {});
        for (const auto& each : documents) {
            document_name name = each.first;
            if (auto done = co_await one_document(std::move(name)); !done) co_return done;
        }
        if (!with_kept || (kept_problem_.empty() && damaged_.empty())) co_return result<void>();
        damaged_.clear();
        co_return co_await kept_versions();
    }

    // ---- images ------------------------------------------------------------------------------------

    task<result<void>> all_images() {
        std::string cursor;
        do {
            const std::optional<tenant_id> everybody;
            auto page = co_await all_.from.images().scan(everybody, std::move(cursor), all_.options.page);
            if (!page) co_return of_source(page.error());
            std::vector<image_name> names;
            for (const auto& one : page->items)
                names.emplace_back(one->tenant, one->key);
            found_.images += names.size();
            if (auto done = co_await several(std::move(names)); !done) co_return done;
            if (options_.progress) options_.progress(found_.images);
            // So that the position does not fall behind in a long comparison.
            if (options_.catch_up) {
                if (auto caught_up = co_await options_.catch_up(); !caught_up) co_return caught_up;
            }
            cursor = std::move(page->cursor);
        } while (!cursor.empty());
        co_return co_await surplus_images();
    }

    task<result<void>> surplus_images() {
        std::string cursor;
        do {
            const std::optional<tenant_id> everybody;
            auto page = co_await all_.to.images().scan(everybody, std::move(cursor), all_.options.page);
            if (!page) co_return of_target(page.error());
            for (const auto& one : page->items) {
                std::string key = one->key;
                const auto known = co_await all_.from.images().find(one->tenant, std::move(key));
                if (known) continue;
                if (known.error().code != errc::not_found) co_return of_source(known.error());
                images_[{one->tenant, one->key}] = "only in the target";
            }
            cursor = std::move(page->cursor);
        } while (!cursor.empty());
        co_return result<void>();
    }

    task<result<void>> several(std::vector<image_name> names) {
        std::function<task<result<void>>(image_name)> one = [this](image_name name) {
            return image(std::move(name));
        };
        co_return co_await for_each_at_once(std::move(names), all_.options.at_once, std::move(one));
    }

    task<result<void>> image(image_name name) {
        if (auto may = all_.may_go_on(); !may) co_return may;
        std::string key = name.second;
        const auto there = co_await all_.to.images().find(name.first, std::move(key));
        if (!there && there.error().code != errc::not_found) co_return of_target(there.error());
        key = name.second;
        const auto wanted = co_await all_.from.images().find(name.first, std::move(key));
        if (!wanted && wanted.error().code != errc::not_found) co_return of_source(wanted.error());
        if (!wanted && !there) co_return result<void>();
        if (!wanted || !there) {
            images_[name] = wanted ? "missing in the target" : "only in the target";
            co_return result<void>();
        }
        if (!is_same_image(**wanted, **there)) {
            images_[name] = has_same_bytes(**wanted, **there) ? "the records differ" : "the versions differ";
            co_return result<void>();
        }
        if (!options_.read_bodies) co_return result<void>();
        auto damage = co_await read(all_.from.images(), *wanted, "the source");
        if (!damage) co_return damage.error();
        if (damage->empty()) damage = co_await read(all_.to.images(), *there, "the target");
        if (!damage) co_return damage.error();
        if (!damage->empty()) images_[name] = *damage;
        co_return result<void>();
    }

    /// The damage; empty if there is none.
    task<result<std::string>> read(image_store& store, record_ptr record, const char* where) {
        const auto loaded = co_await all_.bodies.load(store, record);
        if (loaded) {
            found_.bodies += record->preview_is_original ? 1 : 2;
            found_.bytes += loaded->memory.size();
            co_return std::string();
        }
        const auto& e = loaded.error();
        if (!is_damage(e) && e.code != errc::stale)
            co_return error{e.code, std::string(where) + ": " + e.message};
        co_return "damaged in " + std::string(where).substr(4) + ": " + e.message;
    }

    // ---- documents ---------------------------------------------------------------------------------

    task<result<void>> all_documents(document_store& store, bool is_source) {
        std::string cursor;
        do {
            auto page = co_await store.scan("", std::move(cursor), all_.options.page);
            if (!page) co_return is_source ? of_source(page.error()) : of_target(page.error());
            for (auto& one : page->items) {
                if (!is_copied(one.kind)) continue;
                if (is_source) ++found_.documents;
                document_name name(std::move(one.kind), std::move(one.id));
                if (auto done = co_await one_document(std::move(name)); !done) co_return done;
            }
            cursor = std::move(page->cursor);
        } while (!cursor.empty());
        co_return result<void>();
    }

    task<result<void>> one_document(document_name name) {
        std::string kind = name.first;
        std::string id = name.second;
        const auto there = co_await all_.to.documents().find(std::move(kind), std::move(id));
        if (!there && there.error().code != errc::not_found) co_return of_target(there.error());
        kind = name.first;
        id = name.second;
        const auto wanted = co_await all_.from.documents().find(std::move(kind), std::move(id));
        if (!wanted && wanted.error().code != errc::not_found) co_return of_source(wanted.error());
        if (!wanted && !there) co_return result<void>();
        if (!wanted || !there) {
            documents_[name] = wanted ? "missing in the target" : "only in the target";
        } else if (wanted->body != there->body) {
            documents_[name] = "the contents differ";
        }
        co_return result<void>();
    }

    // ---- kept versions -----------------------------------------------------------------------------

    task<result<void>> kept_versions() {
        kept_problem_.clear();
        found_.kept_versions = 0;
        kept_reader source(all_.from.images(), all_.options.page);
        kept_reader target(all_.to.images(), all_.options.page);
        for (;;) {
            if (auto may = all_.may_go_on(); !may) co_return may;
            const auto wanted = co_await source.current();
            if (!wanted) co_return of_source(wanted.error());
            const auto there = co_await target.current();
            if (!there) co_return of_target(there.error());
            if (!*wanted && !*there) co_return result<void>();
            if (!*wanted || !*there || !is_same_version(**wanted, **there)) {
                const auto& named = *wanted ? **wanted : **there;
                kept_problem_ = "the kept versions differ, first at number " +
                                std::to_string(found_.kept_versions + 1) + " from the oldest, of the " +
                                name_of(*named.record);
                co_return result<void>();
            }
            ++found_.kept_versions;
            source.skip();
            target.skip();
            if (!options_.read_bodies) continue;
            record_ptr record = (*wanted)->record;
            if (auto done = co_await kept_body(all_.from.images(), std::move(record), "the source"); !done)
                co_return done;
            record = (*there)->record;
            if (auto done = co_await kept_body(all_.to.images(), std::move(record), "the target"); !done)
                co_return done;
        }
    }

    task<result<void>> kept_body(image_store& store, record_ptr record, const char* where) {
        const auto damage = co_await read(store, record, where);
        if (!damage) co_return damage.error();
        if (!damage->empty())
            damaged_.push_back("a kept version of the " + name_of(*record) + ": " + *damage);
        co_return result<void>();
    }

    work& all_;
    comparison_options options_;
    comparison found_;
    std::map<image_name, std::string> images_;  ///< what differs, and how
    std::map<document_name, std::string> documents_;
    std::string kept_problem_;
    std::vector<std::string> damaged_;  ///< kept versions
    std::uint64_t more_ = 0;
};

}  // namespace

task<result<comparison>> compare(work& all, comparison_options options) {
    comparer all_of_it(all, std::move(options));
    co_return co_await all_of_it.run();
}

}  // namespace gallery::mirror
