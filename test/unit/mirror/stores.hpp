// SPDX-License-Identifier: Apache-2.0
/// Stores of the engines of this build, their contents, and an engine with faults.
#pragma once

#include "mirror/comparison.hpp"
#include "mirror/copier.hpp"
#include "mirror/identity.hpp"
#include "plugins/host.hpp"

#include <gallery/encode.hpp>
#include <gallery/sha256.hpp>
#include <gallery/storage_engine.hpp>

#include "await.hpp"
#include "boost_test.hpp"
#include "scratch_folder.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gallery::mirror::test {

using gallery::test::await;

/// Empty if it is no error.
template <class T>
std::string message_of(const result<T>& outcome) {
    return outcome.has_error() ? outcome.error().message : std::string();
}

/// A check for every thread, which the framework's own are not: they are for one thread at a time. It ends
/// the test case, or on another thread than the one of the case, the program.
inline void demand(bool holds, const std::string& otherwise) {
    if (!holds) throw std::runtime_error(otherwise);
}

template <class T>
void demand_committed(const result<T>& outcome) {
    demand(outcome.has_value(), "a write failed: " + message_of(outcome));
    demand(outcome->status == write_status::committed, "a write was not committed");
}

inline bool mentions(const std::vector<std::string>& texts, const std::string& part) {
    return std::any_of(texts.begin(), texts.end(),
                       [&part](const std::string& text) { return text.find(part) != std::string::npos; });
}

inline std::string plugin_file(const std::string& name) {
    const auto* build = std::getenv("GALLERY_BUILD");
    const std::filesystem::path folder(build != nullptr ? build : "build/release");
    return std::filesystem::canonical(folder / "lib/gallery/plugins" / (name + ".so")).string();
}

/// Opens a store of an engine in @p folder.
inline std::unique_ptr<storage_engine> open_store(const std::string& engine, const std::string& folder) {
    const auto plugin = plugins::load_plugin(plugin_file(engine), "");
    if (!plugin) throw std::runtime_error(plugin.error().message);
    plugin_context context;
    context.path = folder;
    context.log = [](log_level, std::string_view) {};
    auto store = plugins::open_store(*plugin, std::move(context));
    if (!store) throw std::runtime_error(store.error().message);
    return std::move(*store);
}

/// A store in a folder of its own, or in the given one, which can be closed and opened again.
class scratch_store {
public:
    explicit scratch_store(std::string engine, std::filesystem::path where = {})
        : engine_name_(std::move(engine)), where_(where.empty() ? folder_.path() : std::move(where)) {
        reopen();
    }

    void reopen() {
        store_.reset();
        std::filesystem::create_directories(where_);
        store_ = open_store(engine_name_, where_.string());
    }
    void close() { store_.reset(); }
    /// Its files. Not while it is open.
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
    /// Puts back the files that were copied from folder(), and opens it.
    void put_back(const std::filesystem::path& files) {
        close();
        for (const auto& entry : std::filesystem::directory_iterator(folder()))
            std::filesystem::remove_all(entry.path());
        std::filesystem::copy(files, folder(), std::filesystem::copy_options::recursive);
        reopen();
    }
    storage_engine& operator*() { return *store_; }
    storage_engine* operator->() { return store_.get(); }

private:
    std::string engine_name_;
    gallery::test::scratch_folder folder_;
    std::filesystem::path where_;
    std::unique_ptr<storage_engine> store_;
};

/// The bytes of an image whose content follows from @p text.
inline bytes content(const std::string& text, std::size_t size) {
    std::string out = text + ":";
    while (out.size() < size)
        out += out;
    out.resize(size);
    return bytes::own(std::move(out));
}

inline body_descriptor described(const bytes& data, const char* type) {
    return {type, 4, 3, data.size(), sha256(data.span())};
}

inline tenant_id tenant(unsigned number) {
    tenant_id out;
    out.value.data[0] = 0x10;
    out.value.data[15] = static_cast<std::uint8_t>(number);
    return out;
}

struct picture {
    image_record record;
    bytes original;
    bytes preview;
};

/// A picture whose members all follow from its key and @p text.
inline picture make_picture(const tenant_id& of, const std::string& key, const std::string& text,
                            std::size_t size = 900) {
    picture out;
    out.original = content("original " + text, size);
    out.record.id = image_id{random_uuid()};
    out.record.tenant = of;
    out.record.key = key;
    out.record.title = "Title of " + text;
    out.record.file_name = key + ".png";
    out.record.sub_type = text.size() % 2 == 0 ? image_sub_type::image : image_sub_type::scada_symbol;
    out.record.is_public = text.size() % 3 == 0;
    out.record.public_key = to_hex(sha256(bytes::own(to_string(out.record.id)).span())).substr(0, 32);
    out.record.created_time = 1'700'000'000'000;
    out.record.modified_time = 1'700'000'000'500;
    out.record.tags = {"a tag", "tag of " + text};
    out.record.original = described(out.original, "image/png");
    out.record.preview_is_original = text.size() % 5 == 0;
    if (!out.record.preview_is_original) {
        out.preview = content("preview " + text, 120);
        out.record.preview = described(out.preview, "image/webp");
    }
    return out;
}

inline write_outcome save(storage_engine& to, const picture& what, write_rules rules = precondition::any()) {
    const auto saved = await(to.images().save(what.record, body(what.original), body(what.preview), rules));
    demand_committed(saved);
    return *saved;
}

inline void erase(storage_engine& from, const tenant_id& of, const std::string& key,
                  write_rules rules = precondition::any()) {
    const auto erased = await(from.images().erase(of, key, rules));
    demand_committed(erased);
}

inline void save_document(storage_engine& to, const std::string& kind, const std::string& id,
                          const std::string& text) {
    const auto saved = await(to.documents().save({kind, id, text, 0}, precondition::any()));
    demand_committed(saved);
}

/// As a server does, which gives its store an identity.
inline std::string identify(storage_engine& store) {
    const auto id = await(ensure_identity(store.documents()));
    BOOST_REQUIRE_MESSAGE(id.has_value(), message_of(id));
    return *id;
}

/// Three tenants with pictures of all kinds, kept versions, and documents.
inline void fill(storage_engine& store, unsigned images = 30) {
    identify(store);
    for (unsigned i = 0; i < images; ++i) {
        const auto of = tenant(i % 3);
        const std::string key = "key-" + std::to_string(i) + (i % 7 == 0 ? "/../\xc3\xa4%2f" : "");
        save(store, make_picture(of, key, "picture " + std::to_string(i), i % 10 == 0 ? 90'000 : 700 + i));
        if (i % 4 == 0) {
            save(store, make_picture(of, key, "second " + std::to_string(i)),
                 {precondition::any(), previous_version::keep(1'800'000'000'000 + i)});
        }
        if (i % 11 == 3) {
            erase(store, of, key, {precondition::any(), previous_version::keep(1'900'000'000'000 + i)});
        }
    }
    for (unsigned i = 0; i < 150; ++i)
        save_document(store, i % 2 == 0 ? "user" : "tenant", "id-" + std::to_string(i),
                      "{\"n\":" + std::to_string(i) + "}");
    save_document(store, "node", "of-a-server", "{}");
    save_document(store, "lease", "upkeep", "{}");
}

inline copy_options small_pages() {
    copy_options out;
    out.page = 7;
    out.at_once = 4;
    return out;
}

inline result<void> copy_all(copier& all) {
    if (auto begun = await(all.begin(false)); !begun) return begun;
    if (auto done = await(all.copy_all()); !done) return done;
    return await(all.complete(false));
}

inline void require(const result<void>& done) {
    BOOST_REQUIRE_MESSAGE(done.has_value(), message_of(done));
}

/// Completes the pass, which nothing interrupts.
inline void require_copied(copier& all) {
    const auto copied = await(all.copy());
    BOOST_REQUIRE_MESSAGE(copied.has_value(), message_of(copied));
    BOOST_REQUIRE(bool(*copied == copier::reach::end));
}

inline std::vector<kept_version> all_kept(storage_engine& store) {
    return await(store.images().kept(std::nullopt, kept_order::newest_first, "", 1'000)).value().items;
}

/// Every difference between two stores.
inline std::vector<std::string> differences(storage_engine& a, storage_engine& b) {
    work all(a, b, small_pages());
    const auto compared = await(compare(all, {}));
    if (!compared) return {compared.error().message};
    return compared->problems;
}

inline void check_same(storage_engine& a, storage_engine& b) {
    for (const auto& text : differences(a, b))
        BOOST_ERROR(text);
}

/// A store that forwards to another one and fails where a test says so.
class faulty_images final : public image_store {
public:
    explicit faulty_images(image_store& inner) : inner_(inner) {}

    std::function<void()> before_find;                                    ///< may write to the inner store
    std::function<std::optional<error>(const std::string& key)> on_find;  ///< instead of finding
    std::function<std::optional<error>(const image_record&)> on_read;     ///< instead of reading
    std::function<std::optional<error>()> on_save;                        ///< instead of saving
    std::function<bool(const image_record&)> is_unreadable;               ///< for scans that go on behind it
    std::function<std::optional<error>()> on_scan;   ///< instead of such a scan of images
    std::function<void()> before_scan;               ///< may write to the inner store
    std::function<bool(const image_record&)> loses;  ///< acknowledges an update without storing it
    std::function<void(tenant_usage&)> on_usage;     ///< changes the figures

    task<result<record_ptr>> find(tenant_id of, std::string key) override {
        if (before_find) before_find();
        if (on_find) {
            if (auto failed = on_find(key)) co_return *failed;
        }
        co_return co_await inner_.find(of, std::move(key));
    }
    task<result<record_ptr>> find_by_id(image_id id) override { return inner_.find_by_id(id); }
    task<result<record_ptr>> find_by_public_key(std::string key) override {
        return inner_.find_by_public_key(std::move(key));
    }
    task<result<std::vector<record_ptr>>> find_by_content(tenant_id of, sha256_digest etag) override {
        return inner_.find_by_content(of, etag);
    }
    task<result<body>> read(record_ptr record, representation which) override {
        if (on_read) {
            if (auto failed = on_read(*record)) co_return *failed;
        }
        co_return co_await inner_.read(record, which);
    }
    task<result<image_page>> list(image_query query) override { return inner_.list(std::move(query)); }
    task<result<scan_page<record_ptr>>> scan(std::optional<tenant_id> of, std::string cursor,
                                             std::size_t limit) override {
        if (before_scan) before_scan();
        return inner_.scan(of, std::move(cursor), limit);
    }
    task<result<checked_page<record_ptr>>> scan_readable(std::string cursor, std::size_t limit) override {
        if (on_scan) {
            if (auto failed = on_scan()) co_return *failed;
        }
        auto found = co_await inner_.scan_readable(std::move(cursor), limit);
        if (found) leave_out(*found, [](const record_ptr& one) { return one; });
        co_return found;
    }
    task<result<checked_page<kept_version>>> kept_readable(std::string cursor, std::size_t limit) override {
        auto found = co_await inner_.kept_readable(std::move(cursor), limit);
        if (found) leave_out(*found, [](const kept_version& one) { return one.record; });
        co_return found;
    }
    task<result<tenant_usage>> usage(std::optional<tenant_id> of) override {
        auto used = co_await inner_.usage(of);
        if (used && on_usage) on_usage(*used);
        co_return used;
    }
    task<result<scan_page<kept_version>>> kept(std::optional<tenant_id> of, kept_order order,
                                               std::string cursor, std::size_t limit) override {
        return inner_.kept(of, order, std::move(cursor), limit);
    }
    task<result<scan_page<kept_version>>> kept_of(image_id id, std::string cursor,
                                                  std::size_t limit) override {
        return inner_.kept_of(id, std::move(cursor), limit);
    }
    task<result<kept_version>> find_kept(image_id id, revision rev) override {
        return inner_.find_kept(id, rev);
    }
    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        if (on_save) {
            if (auto failed = on_save()) co_return *failed;
        }
        co_return co_await inner_.save(std::move(record), std::move(original), std::move(preview), rules);
    }
    task<result<write_outcome>> update(image_record record, precondition condition) override {
        if (loses && loses(record)) {
            write_outcome acknowledged;
            acknowledged.rev = record.rev + 1;
            acknowledged.record = std::make_shared<const image_record>(std::move(record));
            co_return acknowledged;
        }
        co_return co_await inner_.update(std::move(record), condition);
    }
    task<result<write_outcome>> erase(tenant_id of, std::string key, write_rules rules) override {
        return inner_.erase(of, std::move(key), rules);
    }
    task<result<write_outcome>> save_kept(image_record record, body original, body preview, std::int64_t time,
                                          bool erased) override {
        return inner_.save_kept(std::move(record), std::move(original), std::move(preview), time, erased);
    }
    task<result<write_outcome>> drop_kept(image_id id, revision rev) override {
        return inner_.drop_kept(id, rev);
    }

private:
    template <class Item, class Record>
    void leave_out(checked_page<Item>& from, Record record_of) const {
        if (!is_unreadable) return;
        std::erase_if(from.page.items, [&](const Item& one) {
            const record_ptr record = record_of(one);
            if (!is_unreadable(*record)) return false;
            from.unreadable.push_back("the record of '" + record->key + "' is damaged");
            return true;
        });
    }

    image_store& inner_;
};

class faulty_documents final : public document_store {
public:
    explicit faulty_documents(document_store& inner) : inner_(inner) {}
    std::function<std::optional<error>()> on_write;  ///< instead of writing
    std::function<bool(const document_write&)>
        loses;  ///< acknowledges a write of one part without storing it

    task<result<document>> find(std::string kind, std::string id) override {
        return inner_.find(std::move(kind), std::move(id));
    }
    task<result<scan_page<document>>> scan(std::string kind, std::string cursor, std::size_t limit) override {
        return inner_.scan(std::move(kind), std::move(cursor), limit);
    }
    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        if (on_write) {
            if (auto failed = on_write()) co_return *failed;
        }
        if (loses && parts.size() == 1 && loses(parts.front())) {
            documents_outcome acknowledged;
            acknowledged.revs.push_back(1);
            co_return acknowledged;
        }
        co_return co_await inner_.write(std::move(parts));
    }

private:
    document_store& inner_;
};

class faulty_feed final : public change_feed {
public:
    explicit faulty_feed(change_feed& inner) : inner_(inner) {}
    std::atomic<int> gaps{0};  ///< as many of the next answers contain one

    task<result<change_batch>> changes(revision after, std::size_t limit) override {
        auto batch = co_await inner_.changes(after, limit);
        if (batch && gaps > 0) {
            --gaps;
            batch->gap = true;
        }
        co_return batch;
    }
    task<result<revision>> last() override { return inner_.last(); }
    void on_change(std::function<void()> notify) override { inner_.on_change(std::move(notify)); }

private:
    change_feed& inner_;
};

class faulty_store final : public storage_engine {
public:
    explicit faulty_store(storage_engine& inner)
        : inner_(inner),
          faulty(inner.images()),
          faulty_texts(inner.documents()),
          faulty_changes(inner.feed()) {}
    image_store& images() noexcept override { return faulty; }
    document_store& documents() noexcept override { return faulty_texts; }
    change_feed& feed() noexcept override { return faulty_changes; }
    task<result<check_report>> check() override {
        ++checks;
        auto report = co_await inner_.check();
        if (report && !problem.empty()) report->problems.push_back(problem);
        co_return report;
    }
    [[nodiscard]] write_state writing() const override { return state; }
    [[nodiscard]] std::vector<statistic> statistics() const override {
        if (!set_aside) return {};
        return {{std::string(entries_set_aside_name), statistic::kind::gauge, "", *set_aside}};
    }

private:
    storage_engine& inner_;

public:
    std::optional<double> set_aside;  ///< the figure; empty if the engine does not report it
    std::string problem;              ///< what a check finds
    int checks = 0;
    faulty_images faulty;
    faulty_documents faulty_texts;
    faulty_feed faulty_changes;
    write_state state;
};

}  // namespace gallery::mirror::test
