// SPDX-License-Identifier: Apache-2.0
#include "plugins/probe_steps.hpp"

#include <gallery/clock.hpp>
#include <gallery/sha256.hpp>

#include <optional>
#include <utility>

namespace gallery::plugins {

namespace {

std::string text_of(write_status status) {
    switch (status) {
        case write_status::committed:
            return "committed";
        case write_status::conflict:
            return "conflict";
        case write_status::absent:
            return "absent";
        case write_status::public_key_taken:
            return "public_key_taken";
        case write_status::over_limit:
            return "over_limit";
    }
    return "status " + std::to_string(static_cast<int>(status));
}

/// An error describes its step, for example "saving an image: expected committed, found conflict".
class probe_steps {
public:
    probe_steps(storage_engine& engine, bool shared)
        : engine_(engine),
          store_(engine.images()),
          documents_(engine.documents()),
          feed_(engine.feed()),
          shared_(shared) {}

    task<result<void>> run() {
        const auto newest = co_await feed_.last();
        if (!newest) co_return step_failed("reading the revision of the newest change", newest.error());
        found_ = *newest;
        if (auto state = engine_.writing(); state.state != write_state::kind::ok) {
            unwritable_ = std::move(state.reason);
            if (unwritable_.empty()) unwritable_ = "the engine does not accept writes and gives no reason";
            co_return co_await read_only();
        }
        auto outcome = co_await everything();
        if (!outcome && (outcome.error().code == errc::read_only || outcome.error().code == errc::no_space)) {
            unwritable_ = outcome.error().message;
            outcome = co_await read_only();
        }
        co_return outcome;
    }

    [[nodiscard]] std::string take_unwritable() noexcept { return std::move(unwritable_); }
    [[nodiscard]] revision found() const noexcept { return found_; }

private:
    task<result<void>> everything() {
        auto step = co_await remove_probe_leftovers(engine_, shared_);
        if (!step) co_return step;
        step = co_await begin();
        if (!step) co_return step;
        const auto start = co_await feed_.last();
        if (!start) co_return step_failed("reading the revision of the newest change", start.error());
        step = co_await write();
        if (!step) co_return step;
        step = co_await read_back();
        if (!step) co_return step;
        step = co_await meet_conflict();
        if (!step) co_return step;
        step = co_await list_it();
        if (!step) co_return step;
        step = co_await find_change(*start);
        if (!step) co_return step;
        step = co_await erase();
        if (!step) co_return step;
        co_return co_await end();
    }

    /// Of a store that cannot be written: what is in it can be found and read.
    task<result<void>> read_only() {
        std::string kind = "user";
        const auto accounts = co_await documents_.scan(std::move(kind), "", 1);
        if (!accounts) co_return step_failed("reading a document", accounts.error());
        const std::optional<tenant_id> everybody;
        const auto page = co_await store_.scan(everybody, "", 1);
        if (!page) co_return step_failed("reading the first record", page.error());
        if (page->items.empty()) co_return result<void>();
        const record_ptr& first = page->items.front();
        std::string key = first->key;
        const auto found = co_await store_.find(first->tenant, std::move(key));
        if (!found) co_return step_failed("finding the first image by its key", found.error());
        record_ptr record = *found;
        const auto content = co_await store_.read(std::move(record), representation::original);
        if (!content) co_return step_failed("reading the first image", content.error());
        if (!content->load()) co_return wrong("reading the first image", "its bytes", "none");
        co_return result<void>();
    }

    static error wrong(const std::string& step, const std::string& expected, const std::string& found) {
        return {errc::internal, step + ": expected " + expected + ", found " + found};
    }

    task<result<void>> write() {
        const std::string step = "saving an image";
        // Not constant, so that no earlier probe's bytes can answer for these.
        original_ = bytes::own("probe " + gallery::to_string(random_uuid()) + std::string(4000, '\x5a'));
        preview_ = bytes::own("preview " + gallery::to_string(random_uuid()));
        image_record record;
        record.id = image_id{random_uuid()};
        record.tenant = tenant_;
        record.key = "probe/..%2f\xc3\xa4.png";
        record.title = "Probe \xc3\x84";
        record.file_name = "probe.png";
        record.is_public = false;
        record.public_key = "probe" + to_hex(sha256(original_.span())).substr(0, 27);
        record.created_time = 1;
        record.modified_time = 1;
        record.tags = {"probe"};
        record.original = {"image/png", 3, 2, original_.size(), sha256(original_.span())};
        record.preview = {"image/png", 1, 1, preview_.size(), sha256(preview_.span())};
        record_ = record;

        image_record argument = record;
        body original(original_);
        body preview(preview_);
        auto outcome = co_await store_.save(std::move(argument), std::move(original), std::move(preview),
                                            precondition::absent());
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::committed) {
            co_return wrong(step, "committed", text_of(outcome->status));
        }
        if (outcome->rev == 0 || outcome->record == nullptr) {
            co_return wrong(step, "a revision and the stored record", "none");
        }
        record_.rev = outcome->rev;
        record_.content_rev = outcome->rev;
        if (*outcome->record != record_) co_return wrong(step, "the record that was saved", "another one");
        co_return result<void>();
    }

    task<result<void>> read_back() {
        std::string step = "finding the image by its key";
        std::string key = record_.key;
        auto found = co_await store_.find(tenant_, std::move(key));
        if (!found) co_return step_failed(step, found.error());
        if (**found != record_) co_return wrong(step, "the record that was saved", "another one");

        step = "finding the image by its id";
        const auto by_id = co_await store_.find_by_id(record_.id);
        if (!by_id) co_return step_failed(step, by_id.error());
        if (**by_id != record_) co_return wrong(step, "the record that was saved", "another one");

        step = "finding the image by its public key";
        std::string public_key = record_.public_key;
        const auto by_public_key = co_await store_.find_by_public_key(std::move(public_key));
        if (!by_public_key) co_return step_failed(step, by_public_key.error());
        if (**by_public_key != record_) co_return wrong(step, "the record that was saved", "another one");

        for (const auto which : {representation::original, representation::preview}) {
            step = which == representation::original ? "reading the original" : "reading the preview";
            const bytes& expected = which == representation::original ? original_ : preview_;
            record_ptr record = *found;
            const auto content = co_await store_.read(std::move(record), which);
            if (!content) co_return step_failed(step, content.error());
            const auto loaded = content->load();
            if (!loaded || loaded->view() != expected.view()) {
                co_return wrong(
                    step, "the " + std::to_string(expected.size()) + " bytes that were saved",
                    loaded ? std::to_string(loaded->size()) + " other bytes" : "bytes that cannot be read");
            }
        }
        stored_ = *found;
        step = "finding the image by its content";
        const auto same = co_await store_.find_by_content(tenant_, record_.original.etag);
        if (!same) co_return step_failed(step, same.error());
        if (same->size() != 1 || *same->front() != record_)
            co_return wrong(step, "the record that was saved", std::to_string(same->size()) + " records");
        co_return result<void>();
    }

    task<result<void>> meet_conflict() {
        std::string step = "saving under a key that is in use";
        image_record argument = record_;
        body original(original_);
        body preview(preview_);
        auto outcome = co_await store_.save(argument, original, preview, precondition::absent());
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::conflict || outcome->rev != record_.rev) {
            co_return wrong(step, "conflict with revision " + std::to_string(record_.rev),
                            text_of(outcome->status) + " with revision " + std::to_string(outcome->rev));
        }
        step = "updating a revision that is not the current one";
        outcome = co_await store_.update(argument, precondition::match(record_.rev + 1));
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::conflict) {
            co_return wrong(step, "conflict", text_of(outcome->status));
        }
        step = "updating the current revision";
        argument.title = "Probe, renamed";
        outcome = co_await store_.update(argument, precondition::match(record_.rev));
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::committed || outcome->rev <= record_.rev) {
            co_return wrong(step, "committed with a revision above " + std::to_string(record_.rev),
                            text_of(outcome->status) + " with revision " + std::to_string(outcome->rev));
        }
        record_.rev = outcome->rev;
        record_.title = argument.title;
        co_return result<void>();
    }

    task<result<void>> list_it() {
        const std::string step = "listing the tenant of the probe";
        image_query query;
        query.tenant = tenant_;
        query.text_search = "RENAMED";
        query.filter.tags = {"probe"};
        const auto page = co_await store_.list(query);
        if (!page) co_return step_failed(step, page.error());
        if (page->total != 1 || page->images.size() != 1) {
            co_return wrong(step, "a total of 1 and 1 image",
                            "a total of " + std::to_string(page->total) + " and " +
                                std::to_string(page->images.size()) + " images");
        }
        if (*page->images.front() != record_) co_return wrong(step, "the renamed record", "another one");
        query.filter.is_public = !record_.is_public;
        const auto others = co_await store_.list(query);
        if (!others) co_return step_failed(step, others.error());
        if (others->total != 0 || !others->images.empty())
            co_return wrong(step, "no image that passes the filter",
                            std::to_string(others->total) + " images");
        co_return result<void>();
    }

    task<result<void>> find_change(revision start) {
        const std::string step = "reading the feed of changes";
        // Other servers may be writing, too.
        std::size_t own = 0;
        revision newest = 0;
        for (revision after = start;;) {
            const auto batch = co_await feed_.changes(after, 100);
            if (!batch) co_return step_failed(step, batch.error());
            if (batch->gap) co_return wrong(step, "no gap", "a gap");
            if (batch->changes.empty()) break;
            for (const auto& one : batch->changes) {
                if (one.tenant != tenant_ || one.key != record_.key) continue;
                ++own;
                newest = one.rev;
            }
            if (newest == record_.rev) break;
            if (batch->next <= after) co_return wrong(step, "a later position", "the same or an earlier one");
            after = batch->next;
        }
        if (own != 2 || newest != record_.rev)
            co_return wrong(step, "the two writes of the probe", std::to_string(own) + " changes");
        co_return result<void>();
    }

    task<result<void>> erase() {
        std::string step = "erasing the image and keeping it";
        std::string key = record_.key;
        const write_rules keeping(precondition::match(record_.rev), previous_version::keep(2));
        const auto outcome = co_await store_.erase(tenant_, key, keeping);
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::committed || outcome->kept != record_.content_rev) {
            co_return wrong(
                step, "committed, with version " + std::to_string(record_.content_rev) + " kept",
                text_of(outcome->status) + ", with version " + std::to_string(outcome->kept) + " kept");
        }
        step = "reading the kept image";
        const auto version = co_await store_.find_kept(record_.id, record_.content_rev);
        if (!version) co_return step_failed(step, version.error());
        record_ptr kept = version->record;
        if (*kept != record_) co_return wrong(step, "the record that was erased", "another one");
        const auto kept_content = co_await store_.read(std::move(kept), representation::original);
        if (!kept_content) co_return step_failed(step, kept_content.error());
        const auto kept_bytes = kept_content->load();
        if (!kept_bytes || kept_bytes->view() != original_.view())
            co_return wrong(step, "the bytes that were erased", "others");
        step = "reading the usage of the probe's tenant";
        const auto used = co_await store_.usage(tenant_);
        if (!used) co_return step_failed(step, used.error());
        if (used->images != usage_figures{} ||
            used->kept != usage_figures{1, original_.size(), preview_.size()})
            co_return wrong(step, "no image and one kept version",
                            std::to_string(used->images.count) + " images and " +
                                std::to_string(used->kept.count) + " kept versions");
        step = "dropping the kept image";
        const auto dropped = co_await store_.drop_kept(record_.id, record_.content_rev);
        if (!dropped) co_return step_failed(step, dropped.error());
        if (dropped->status != write_status::committed)
            co_return wrong(step, "committed", text_of(dropped->status));
        step = "finding the erased image";
        const auto found = co_await store_.find(tenant_, std::move(key));
        if (found || found.error().code != errc::not_found) {
            co_return wrong(step, "not_found",
                            found ? "a record" : std::string(to_string(found.error().code)));
        }
        step = "reading the erased image";
        record_ptr old = stored_;
        const auto content = co_await store_.read(std::move(old), representation::original);
        if (content || content.error().code != errc::stale) {
            co_return wrong(step, "stale", content ? "bytes" : std::string(to_string(content.error().code)));
        }
        co_return result<void>();
    }

    /// Writes the document that names the tenant of this probe and when it began.
    task<result<void>> begin() {
        std::string step = "saving a document";
        mark_.kind = probe_kind;
        mark_.id = to_string(tenant_);
        mark_.body = std::to_string(now_ms());
        const auto outcome = co_await documents_.save(mark_, precondition::absent());
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::committed)
            co_return wrong(step, "committed", text_of(outcome->status));
        mark_.rev = outcome->rev;

        step = "finding the document";
        const auto found = co_await documents_.find(mark_.kind, mark_.id);
        if (!found) co_return step_failed(step, found.error());
        if (*found != mark_) co_return wrong(step, "the document that was saved", "another one");
        co_return result<void>();
    }

    task<result<void>> end() {
        const std::string step = "erasing the document";
        const auto outcome = co_await documents_.erase(mark_.kind, mark_.id, precondition::match(mark_.rev));
        if (!outcome) co_return step_failed(step, outcome.error());
        if (outcome->status != write_status::committed)
            co_return wrong(step, "committed", text_of(outcome->status));
        co_return result<void>();
    }

    storage_engine& engine_;
    image_store& store_;
    document_store& documents_;
    change_feed& feed_;
    const bool shared_;
    /// Of this probe alone; no account is ever made with this id.
    const tenant_id tenant_{random_uuid()};
    document mark_;
    bytes original_;
    bytes preview_;
    image_record record_;
    record_ptr stored_;
    std::string unwritable_;
    revision found_ = 0;
};

}  // namespace

error step_failed(const std::string& step, const error& e) {
    return {e.code, step + ": expected success, found the error " + std::string(to_string(e.code)) + ": " +
                        e.message};
}

task<probe_outcome> run_probe_steps(storage_engine& engine, bool shared) {
    probe_steps all(engine, shared);
    auto outcome = co_await all.run();
    co_return probe_outcome{std::move(outcome), all.take_unwritable(), all.found()};
}

}  // namespace gallery::plugins
