// SPDX-License-Identifier: Apache-2.0
// A storage plugin of somebody else that keeps what it is given, for tests of copies, mirrors and switches.
//
// It is the example toy.cpp with a file to which each committed write is appended, after the write and before
// its outcome is returned. Opening a store repeats the writes of the file in their order. Only committed
// writes are in it and each of them takes the next revisions, so every revision is the same again. A write
// that a crash has cut off is at the end of the file, has no outcome, and is cut off when the store is
// opened.

// The types of toy.cpp have no linkage, and it is included. GCC expects that of the compiled file only.
#pragma GCC diagnostic ignored "-Wsubobject-linkage"

#include <gallery/plugin.hpp>

// The entry point of this plugin is below.
#undef GALLERY_STORAGE_PLUGIN
#define GALLERY_STORAGE_PLUGIN(descriptor)

#include "toy.cpp"

#include <gallery/async_mutex.hpp>
#include <gallery/sha256.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cerrno>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace gallery::journal {
namespace {

enum class entry : std::uint8_t { save, update, erase, save_kept, drop_kept, documents };

/// Of numbers and texts, without names: both sides know the order.
class writer {
public:
    void number(std::uint64_t value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
    void text(std::string_view value) {
        number(value.size());
        out_.append(value);
    }
    template <class Id>
    void id(const Id& value) {
        text(to_string(value));
    }
    void descriptor(const body_descriptor& value) {
        text(value.media_type);
        number(value.width);
        number(value.height);
        number(value.size);
        text({reinterpret_cast<const char*>(value.etag.data()), value.etag.size()});
    }
    void record(const image_record& value) {
        id(value.id);
        id(value.tenant);
        for (const auto* one : {&value.key, &value.title, &value.file_name, &value.public_key})
            text(*one);
        number(static_cast<std::uint64_t>(value.sub_type));
        number(value.is_public ? 1 : 0);
        number(static_cast<std::uint64_t>(value.created_time));
        number(static_cast<std::uint64_t>(value.modified_time));
        number(value.tags.size());
        for (const auto& tag : value.tags)
            text(tag);
        descriptor(value.original);
        descriptor(value.preview);
        number(value.preview_is_original ? 1 : 0);
    }
    void previous(const previous_version& value) {
        number(value.is_kept() ? 1 : 0);
        number(static_cast<std::uint64_t>(value.time()));
    }
    [[nodiscard]] const std::string& out() const { return out_; }

private:
    std::string out_;
};

class reader {
public:
    explicit reader(std::string_view in) : in_(in) {}

    std::uint64_t number() {
        std::uint64_t value = 0;
        const auto data = take(sizeof value);
        std::memcpy(&value, data.data(), sizeof value);
        return value;
    }
    std::string text() { return std::string(take(number())); }
    template <class Id>
    Id id() {
        const auto parsed = parse_uuid(text());
        if (!parsed) throw std::runtime_error("The journal contains no id where one is expected.");
        return Id{*parsed};
    }
    body_descriptor descriptor() {
        body_descriptor value;
        value.media_type = text();
        value.width = static_cast<std::uint32_t>(number());
        value.height = static_cast<std::uint32_t>(number());
        value.size = number();
        const auto etag = text();
        std::memcpy(value.etag.data(), etag.data(), std::min(etag.size(), value.etag.size()));
        return value;
    }
    image_record record() {
        image_record value;
        value.id = id<image_id>();
        value.tenant = id<tenant_id>();
        for (auto* one : {&value.key, &value.title, &value.file_name, &value.public_key})
            *one = text();
        value.sub_type = static_cast<image_sub_type>(number());
        value.is_public = number() != 0;
        value.created_time = static_cast<std::int64_t>(number());
        value.modified_time = static_cast<std::int64_t>(number());
        value.tags.resize(number());
        for (auto& tag : value.tags)
            tag = text();
        value.original = descriptor();
        value.preview = descriptor();
        value.preview_is_original = number() != 0;
        return value;
    }
    previous_version previous() {
        const bool is_kept = number() != 0;
        const auto time = static_cast<std::int64_t>(number());
        return is_kept ? previous_version::keep(time) : previous_version::drop();
    }
    [[nodiscard]] std::size_t left() const { return in_.size(); }
    std::string_view take(std::uint64_t size) {
        if (size > in_.size()) throw std::runtime_error("An entry of the journal is cut off.");
        const auto out = in_.substr(0, size);
        in_.remove_prefix(size);
        return out;
    }

private:
    std::string_view in_;
};

class store final : public toy::store {
public:
    explicit store(const std::string& folder) : file_(folder + "/journal") {
        descriptor_ = ::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor_ < 0) fail("open");
        try {
            if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) fail("lock");
            repeat_all();
        } catch (...) {
            ::close(descriptor_);
            throw;
        }
    }
    ~store() override { ::close(descriptor_); }

    /// The bytes come from the file, where they may have been damaged.
    task<result<body>> read(record_ptr record, representation which) override {
        auto reading = toy::store::read(record, which);
        auto found = co_await std::move(reading);
        if (!found) co_return found;
        const auto content = found->load();
        if (!content || sha256(content->view()) != record->descriptor(which).etag)
            co_return error{errc::corrupt, "The bytes of the image " + record->key + " are damaged."};
        co_return found;
    }

    task<result<write_outcome>> save(image_record record, body original, body preview,
                                     write_rules rules) override {
        const auto turn = co_await turns_.lock();
        const auto first = original.load();
        const auto second = record.preview_is_original ? std::optional<bytes>(bytes()) : preview.load();
        if (!first || !second) co_return error{errc::io_error, "The bytes cannot be read."};
        writer out;
        out.number(static_cast<std::uint64_t>(entry::save));
        out.record(record);
        out.text(first->view());
        out.text(second->view());
        out.previous(rules.previous);
        auto writing = toy::store::save(std::move(record), body(*first), body(*second), rules);
        auto done = co_await std::move(writing);
        co_return noted(std::move(done), out);
    }

    task<result<write_outcome>> update(image_record record, precondition condition) override {
        const auto turn = co_await turns_.lock();
        writer out;
        out.number(static_cast<std::uint64_t>(entry::update));
        out.record(record);
        auto writing = toy::store::update(std::move(record), condition);
        auto done = co_await std::move(writing);
        co_return noted(std::move(done), out);
    }

    task<result<write_outcome>> erase(tenant_id tenant, std::string key, write_rules rules) override {
        const auto turn = co_await turns_.lock();
        writer out;
        out.number(static_cast<std::uint64_t>(entry::erase));
        out.id(tenant);
        out.text(key);
        out.previous(rules.previous);
        auto writing = toy::store::erase(tenant, std::move(key), rules);
        auto done = co_await std::move(writing);
        co_return noted(std::move(done), out);
    }

    task<result<write_outcome>> save_kept(image_record record, body original, body preview,
                                          std::int64_t kept_time, bool is_erased) override {
        const auto turn = co_await turns_.lock();
        const auto first = original.load();
        const auto second = record.preview_is_original ? std::optional<bytes>(bytes()) : preview.load();
        if (!first || !second) co_return error{errc::io_error, "The bytes cannot be read."};
        writer out;
        out.number(static_cast<std::uint64_t>(entry::save_kept));
        out.record(record);
        out.text(first->view());
        out.text(second->view());
        out.number(static_cast<std::uint64_t>(kept_time));
        out.number(is_erased ? 1 : 0);
        auto writing =
            toy::store::save_kept(std::move(record), body(*first), body(*second), kept_time, is_erased);
        auto done = co_await std::move(writing);
        co_return noted(std::move(done), out);
    }

    task<result<write_outcome>> drop_kept(image_id id, revision content_rev) override {
        const auto turn = co_await turns_.lock();
        writer out;
        out.number(static_cast<std::uint64_t>(entry::drop_kept));
        out.id(id);
        out.number(content_rev);
        auto writing = toy::store::drop_kept(id, content_rev);
        auto done = co_await std::move(writing);
        co_return noted(std::move(done), out);
    }

    task<result<documents_outcome>> write(std::vector<document_write> parts) override {
        const auto turn = co_await turns_.lock();
        writer out;
        out.number(static_cast<std::uint64_t>(entry::documents));
        bool changes = false;
        for (const auto& part : parts) {
            if (part.what == document_write::action::require) continue;
            changes = true;
            out.number(static_cast<std::uint64_t>(part.what));
            for (const auto* one : {&part.doc.kind, &part.doc.id, &part.doc.body})
                out.text(*one);
        }
        auto writing = toy::store::write(std::move(parts));
        auto done = co_await std::move(writing);
        if (!changes) co_return done;
        co_return noted(std::move(done), out);
    }

private:
    [[noreturn]] void fail(const char* what) {
        throw std::runtime_error(std::string("cannot ") + what + " " + file_ + ": " + std::strerror(errno));
    }

    /// Appends @p out if the write is committed. What cannot be appended has an unknown outcome, and so has
    /// everything after it.
    template <class Outcome>
    result<Outcome> noted(result<Outcome> done, const writer& out) {
        if (!done || done->status != write_status::committed) return done;
        writer framed;
        framed.text(out.out());
        std::string_view left = framed.out();
        while (!is_broken_ && !left.empty()) {
            const auto written = ::write(descriptor_, left.data(), left.size());
            if (written < 0 && errno == EINTR) continue;
            is_broken_ = written <= 0;
            if (!is_broken_) left.remove_prefix(static_cast<std::size_t>(written));
        }
        is_broken_ = is_broken_ || ::fdatasync(descriptor_) != 0;
        if (is_broken_) return error{errc::io_error, "The journal cannot be written. Open the store again."};
        return done;
    }

    void repeat_all() {
        std::string text;
        char part[65536];
        ssize_t got = 0;
        while ((got = ::read(descriptor_, part, sizeof part)) > 0)
            text.append(part, static_cast<std::size_t>(got));
        if (got < 0) fail("read");
        reader in(text);
        std::size_t whole = 0;
        while (in.left() >= sizeof(std::uint64_t)) {
            const auto size = in.number();
            if (size > in.left()) break;
            repeat(reader(in.take(size)));
            whole = text.size() - in.left();
        }
        if (::ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) fail("cut");
        if (::lseek(descriptor_, 0, SEEK_END) < 0) fail("read");
    }

    void repeat(reader in) {
        asio::io_context context{1};
        std::exception_ptr failure;
        asio::co_spawn(context, repeat_one(in), [&failure](std::exception_ptr thrown) { failure = thrown; });
        context.run();
        if (failure) std::rethrow_exception(failure);
    }

    task<void> repeat_one(reader in) {
        const auto what = static_cast<entry>(in.number());
        constexpr auto any = precondition::any();
        bool is_done = false;
        if (what == entry::documents) {
            std::vector<document_write> parts;
            while (in.left() > 0) {
                document_write part;
                part.what = static_cast<document_write::action>(in.number());
                for (auto* one : {&part.doc.kind, &part.doc.id, &part.doc.body})
                    *one = in.text();
                parts.push_back(std::move(part));
            }
            auto writing = toy::store::write(std::move(parts));
            const auto done = co_await std::move(writing);
            is_done = done && done->status == write_status::committed;
        } else {
            const auto done = co_await repeat_image(what, in, any);
            is_done = done && done->status == write_status::committed;
        }
        if (!is_done) throw std::runtime_error("A write of the journal cannot be repeated.");
    }

    task<result<write_outcome>> repeat_image(entry what, reader in, precondition any) {
        if (what == entry::erase) {
            const auto tenant = in.id<tenant_id>();
            auto key = in.text();
            const auto previous = in.previous();
            auto writing = toy::store::erase(tenant, std::move(key), {any, previous});
            co_return co_await std::move(writing);
        }
        if (what == entry::drop_kept) {
            const auto id = in.id<image_id>();
            auto writing = toy::store::drop_kept(id, in.number());
            co_return co_await std::move(writing);
        }
        auto record = in.record();
        if (what == entry::update) {
            auto writing = toy::store::update(std::move(record), any);
            co_return co_await std::move(writing);
        }
        body original(bytes::own(in.text()));
        body preview(bytes::own(in.text()));
        if (what == entry::save) {
            const auto previous = in.previous();
            auto writing =
                toy::store::save(std::move(record), std::move(original), std::move(preview), {any, previous});
            co_return co_await std::move(writing);
        }
        const auto kept_time = static_cast<std::int64_t>(in.number());
        const bool is_erased = in.number() != 0;
        auto writing = toy::store::save_kept(std::move(record), std::move(original), std::move(preview),
                                             kept_time, is_erased);
        co_return co_await std::move(writing);
    }

    const std::string file_;
    int descriptor_ = -1;
    bool is_broken_ = false;
    async_mutex turns_;  ///< of writes: the order of the file is that of their revisions
};

result<std::unique_ptr<storage_engine>> create(const plugin_context& context) noexcept {
    try {
        return std::unique_ptr<storage_engine>(std::make_unique<store>(context.path));
    } catch (const std::exception& e) {
        return error{errc::unavailable, e.what()};
    }
}

constexpr bool is_shared = false;
constexpr bool obeys_confinement = true;  // it uses nothing but its folder
constexpr plugin_descriptor descriptor = {GALLERY_PLUGIN_HEADER, "journal", "1.0", "{}", is_shared, &create,
                                          obeys_confinement};

}  // namespace
}  // namespace gallery::journal

extern "C" GALLERY_PLUGIN_API const gallery::plugin_descriptor* gallery_storage_plugin() noexcept {
    return &gallery::journal::descriptor;
}
