// SPDX-License-Identifier: Apache-2.0
#include "app/scrub_state.hpp"

#include "mirror/identity.hpp"
#include "mirror/private_file.hpp"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace gallery::app {

namespace {

using stored_text = result<std::optional<std::string>>;

constexpr const char* scrub_kind = "scrub";
constexpr const char* scrub_id = "state";

task<stored_text> load_scrub_file(std::string file) {
    co_return mirror::read_private_file(file);
}

task<result<void>> save_scrub_file(std::string file, std::string text) {
    co_return mirror::write_private_file(file, text);
}

task<stored_text> load_scrub_document(document_store& store) {
    std::string kind = scrub_kind;
    std::string id = scrub_id;
    const auto found = co_await store.find(std::move(kind), std::move(id));
    if (found) co_return std::optional<std::string>(found->body);
    if (found.error().code != errc::not_found) co_return found.error();
    co_return std::optional<std::string>();
}

task<result<void>> save_scrub_document(document_store& store, lease& turn, std::string text) {
    document doc;
    doc.kind = scrub_kind;
    doc.id = scrub_id;
    doc.body = std::move(text);
    std::vector<document_write> parts;
    parts.push_back(turn.requirement());
    parts.push_back(document_write::save(std::move(doc), precondition::any()));
    auto writing = store.write(std::move(parts));
    const auto written = co_await std::move(writing);
    if (!written) co_return written.error();
    if (written->status != write_status::committed)
        co_return error{errc::busy, "another server has taken over the scrub"};
    co_return result<void>();
}

/// The state of a store that is shared is in another place, so that store has another name.
task<result<std::string>> name_of_store(const scrub_places& at) {
    auto identifying = mirror::ensure_identity(at.store);
    auto id = co_await std::move(identifying);
    const bool takes_no_writes =
        !id && (id.error().code == errc::read_only || id.error().code == errc::no_space);
    if (!id && !takes_no_writes) co_return id.error();
    co_return (id ? *id : at.address()) + (at.is_shared() ? " shared" : "");
}

task<result<bool>> take_scrub_turn(const scrub_places& at) {
    if (!at.is_shared()) co_return true;
    auto asking = at.turn.acquire();
    co_return co_await std::move(asking);
}

task<result<void>> give_scrub_turn_back(const scrub_places& at) {
    if (!at.is_shared()) co_return result<void>();
    auto releasing = at.turn.release();
    co_return co_await std::move(releasing);
}

}  // namespace

void keep_scrub(scrub::scrub_options& options, scrub_places places) {
    const auto at = std::make_shared<const scrub_places>(std::move(places));
    options.load = [at] {
        return at->is_shared() ? load_scrub_document(at->store) : load_scrub_file(at->file);
    };
    options.save = [at](std::string text) {
        return at->is_shared() ? save_scrub_document(at->store, at->turn, std::move(text))
                               : save_scrub_file(at->file, std::move(text));
    };
    options.store_name = [at] { return name_of_store(*at); };
    options.turn = {[at] { return take_scrub_turn(*at); }, [at] { return give_scrub_turn_back(*at); },
                    [at] { at->turn.forget(); }};
}

}  // namespace gallery::app
