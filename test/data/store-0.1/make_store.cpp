// SPDX-License-Identifier: Apache-2.0
// make_store <plugin.so> <folder>: writes contents.hpp into a new store and ends without closing it, so that
// a part of it is in the files of a closed store and a part in what a kill leaves. For version 0.1 of the
// gallery (contract 1), which wrote the stores in this folder; it does not compile with later ones.
#include "contents.hpp"

#include "plugins/host.hpp"

#include "await.hpp"

#include <gallery/plugin.hpp>

#include <dlfcn.h>
#include <cstdlib>
#include <iostream>

using namespace gallery;
using namespace gallery::contract::old_store;

namespace {

const plugin_descriptor* descriptor = nullptr;

std::unique_ptr<image_store> open(const std::string& plugin, const std::string& folder) {
    plugin_context context;
    context.path = folder;
    context.log = [](plugin_context::log_level, std::string_view text) { std::cerr << text << '\n'; };
    auto opened = plugins::open_store({descriptor, plugin}, std::move(context));
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
}

revision committed(result<write_outcome> outcome) {
    if (!outcome) throw std::runtime_error(outcome.error().message);
    if (outcome->status != write_status::committed) throw std::runtime_error("not committed");
    return outcome->rev;
}

void save(image_store& store, image what) {
    what.record.origin = "version 0.1";
    what.record.external_id = what.record.id.value;
    committed(test::await(store.save(what.record, bytes::own(what.original), bytes::own(what.preview),
                                     precondition::absent())));
}

}  // namespace

int main(int, char** arguments) {
    const std::string plugin = arguments[1];
    const std::string folder = arguments[2];
    void* const library = ::dlopen(plugin.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    descriptor = reinterpret_cast<plugin_entry>(::dlsym(library, plugin_entry_name))();
    const auto all = images();
    const auto gone = erased();
    auto store = open(plugin, folder);
    for (const auto& doc : documents())
        committed(test::await(store->save_document(doc, precondition::absent())));
    document erased_document{"session", "one", "{}", 0};
    committed(test::await(store->save_document(erased_document, precondition::absent())));
    for (std::size_t i = 0; i < all.size() - 1; ++i) {
        auto what = all[i];
        if (what.record.key == "replaced.png") {
            auto first = make(1, 30, "replaced.png", "Before");
            save(*store, first);
            committed(test::await(store->save(what.record, bytes::own(what.original),
                                              bytes::own(what.preview), precondition::any())));
            continue;
        }
        if (what.record.key == "renamed.png") what.record.title = "Before";
        save(*store, what);
    }
    for (const auto& what : gone)
        save(*store, what);
    store.reset();
    store = open(plugin, folder);
    for (const auto& what : all)
        if (what.record.key == "renamed.png")
            committed(test::await(store->update(what.record, precondition::any())));
    save(*store, all.back());
    for (const auto& what : gone)
        committed(test::await(store->erase(what.record.tenant, what.record.key, precondition::any())));
    committed(test::await(store->erase_document("session", "one", precondition::any())));
    std::_Exit(0);
}
