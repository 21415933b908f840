// SPDX-License-Identifier: Apache-2.0
// check(): entries that recovery has set aside are missing in the store until an operator handles them.
#include <gallery/kit/rules.hpp>
#include "filesystem_store.hpp"
#include "layout.hpp"
#include "record_text.hpp"

namespace gallery::file_store {
namespace {

/// What an entry was, as well as can be told: what it says itself, else the path that is in its name.
std::string describe_aside(int root, const std::string& name) {
    const auto path = std::string(aside_folder) + '/' + name;
    if (const auto text = read_file(root, path + '/' + std::string(record_name)))
        if (const auto record = parse_record_text(*text)) return kit::describe(record->tenant, record->key);
    if (const auto text = read_file(root, path))
        if (const auto doc = parse_document_text(*text)) return "the document " + doc->kind + '/' + doc->id;
    return "the entry from \"" + name.substr(0, name.rfind(temporary_prefix)) + "\" (_ stands for /)";
}

}  // namespace

result<std::vector<std::string>> filesystem_store::set_aside_entries() {
    std::vector<std::string> found;
    if (!exists(root_.get(), std::string(aside_folder))) {
        set_aside_count_ = 0;
        return found;
    }
    const auto entries = list_folder(root_.get(), std::string(aside_folder));
    if (!entries) return entries.error();
    set_aside_count_ = entries->size();
    for (const auto& entry : *entries)
        found.push_back(
            "Set aside at a start, and missing in the store unless it was replaced since: " +
            describe_aside(root_.get(), entry.name) + ". It is in " + std::string(aside_folder) + '/' +
            entry.name +
            ". Restore it from a backup, or upload it again; then move that entry out of the store.");
    return found;
}

}  // namespace gallery::file_store
