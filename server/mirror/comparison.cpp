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

/// Reads both stores. What differs is collected by name, since an item may be found from both sides.
class comparer {
public:
    comparer(work& all, comparison_options options) : all_(all), options_(std::move(options)) {}

    task<result<comparison>> run() {
        if (auto done = co_await all_images(); !done) co_return done.error();
        if (auto done = co_await all_documents(all_.from.documents(), true); !done) co_return done.error();
        if (auto done = co_await all_documents(all_.to.documents(), false); !done) co_return done.error();
        if (auto done = co_await kept_versions(); !done) co_return done.error();
        co_return finish();
    }

private:
    struct difference {
        std::string text;
        bool may_be_known = false;  ///< it may follow from damage in the source
    };

    comparison finish() {
        for (const auto& [name, what] : images_) {
            const std::string item = item_of_image(name.first, name.second);
            problem("the " + item + ": " + what.text, what.may_be_known && all_.is_damaged(item));
        }
        for (const auto& [name, text] : documents_) {
            const bool is_known = all_.is_damaged(item_of_document(name.first, name.second));
            problem("the document " + name.first + "/" + name.second + ": " + text, is_known);
        }
        if (!kept_problem_.empty()) problem(std::move(kept_problem_));
        for (auto* texts : {&found_.problems, &found_.known_damage})
            shorten(*texts);
        return std::move(found_);
    }

    void problem(std::string text, bool is_known = false) {
        (is_known ? found_.known_damage : found_.problems).push_back(std::move(text));
    }

    static void shorten(std::vector<std::string>& texts) {
        if (texts.size() <= work::max_problems) return;
        const auto more = texts.size() - work::max_problems;
        texts.resize(work::max_problems);
        texts.push_back("and " + std::to_string(more) + " more");
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
                if (is_damage(known.error())) {
                    images_[{one->tenant, one->key}] = {"damaged in source: " + known.error().message, true};
                    continue;
                }
                if (known.error().code != errc::not_found) co_return of_source(known.error());
                images_[{one->tenant, one->key}] = {"only in the target", true};
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
        if (!there && is_damage(there.error())) {
            images_[name] = {"damaged in target: " + there.error().message, false};
            co_return result<void>();
        }
        if (!there && there.error().code != errc::not_found) co_return of_target(there.error());
        key = name.second;
        const auto wanted = co_await all_.from.images().find(name.first, std::move(key));
        if (!wanted && is_damage(wanted.error())) {
            images_[name] = {"damaged in source: " + wanted.error().message, true};
            co_return result<void>();
        }
        if (!wanted && wanted.error().code != errc::not_found) co_return of_source(wanted.error());
        if (!wanted && !there) co_return result<void>();
        if (!wanted || !there) {
            images_[name] = {wanted ? "missing in the target" : "only in the target", wanted.has_value()};
            co_return result<void>();
        }
        if (!is_same_image(**wanted, **there)) {
            const char* text =
                has_same_bytes(**wanted, **there) ? "the records differ" : "the versions differ";
            images_[name] = {text, true};
            co_return result<void>();
        }
        if (!options_.read_bodies) co_return result<void>();
        const auto in_source = co_await read(all_.from.images(), *wanted, "the source");
        if (!in_source) co_return in_source.error();
        if (!in_source->empty()) images_[name] = {*in_source, true};
        const auto in_target = co_await read(all_.to.images(), *there, "the target");
        if (!in_target) co_return in_target.error();
        if (!in_target->empty()) images_[name] = {*in_target, false};
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
        kept_reader source(all_.from.images(), all_.options.page);
        kept_reader target(all_.to.images(), all_.options.page);
        for (;;) {
            if (auto may = all_.may_go_on(); !may) co_return may;
            const auto wanted = co_await source.current();
            if (!wanted) co_return of_source(wanted.error());
            const auto there = co_await target.current();
            if (!there) co_return of_target(there.error());
            if (!*wanted && !*there) co_return result<void>();
            const bool is_same = *wanted && *there && is_same_version(**wanted, **there);
            // The target may lack a version that the source cannot return, or have it at another place.
            if (!is_same && *wanted && is_known(**wanted)) {
                problem("a kept version of the " + name_of(*(*wanted)->record) + ": damaged in source", true);
                source.skip();
                continue;
            }
            if (!is_same && *there && is_known(**there)) {
                target.skip();
                continue;
            }
            if (!is_same) {
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
            const bool may_be_damaged = is_known(**wanted);
            record_ptr record = (*wanted)->record;
            if (auto done =
                    co_await kept_body(all_.from.images(), std::move(record), "the source", may_be_damaged);
                !done)
                co_return done;
            record = (*there)->record;
            if (auto done = co_await kept_body(all_.to.images(), std::move(record), "the target", false);
                !done)
                co_return done;
        }
    }

    [[nodiscard]] bool is_known(const kept_version& version) const {
        return all_.is_damaged(item_of_version(version));
    }

    task<result<void>> kept_body(image_store& store, record_ptr record, const char* where, bool is_known) {
        const auto damage = co_await read(store, record, where);
        if (!damage) co_return damage.error();
        if (!damage->empty()) problem("a kept version of the " + name_of(*record) + ": " + *damage, is_known);
        co_return result<void>();
    }

    work& all_;
    comparison_options options_;
    comparison found_;
    std::map<image_name, difference> images_;  ///< what differs, and how
    std::map<document_name, std::string> documents_;
    std::string kept_problem_;
};

}  // namespace

task<result<comparison>> compare(work& all, comparison_options options) {
    comparer all_of_it(all, std::move(options));
    co_return co_await all_of_it.run();
}

}  // namespace gallery::mirror
