#include "index/documents.hpp"

#include <mutex>
#include <utility>

namespace gallery::store_index {
namespace {

constexpr std::string_view cursor_prefix = "after:";

}  // namespace

std::optional<document> documents::find(std::string_view kind, std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto shelf = kinds_.find(kind);
    if (shelf == kinds_.end()) return std::nullopt;
    const auto found = shelf->second.find(id);
    if (found == shelf->second.end()) return std::nullopt;
    return found->second;
}

revision documents::find_revision(std::string_view kind, std::string_view id) const {
    const std::shared_lock lock(mutex_);
    const auto shelf = kinds_.find(kind);
    if (shelf == kinds_.end()) return 0;
    const auto found = shelf->second.find(id);
    return found == shelf->second.end() ? 0 : found->second.rev;
}

void documents::put(document doc) {
    const std::unique_lock lock(mutex_);
    auto& shelf = kinds_[doc.kind];
    auto id = doc.id;
    shelf.insert_or_assign(std::move(id), std::move(doc));
}

void documents::erase(std::string_view kind, std::string_view id) {
    const std::unique_lock lock(mutex_);
    const auto shelf = kinds_.find(kind);
    if (shelf == kinds_.end()) return;
    if (const auto found = shelf->second.find(id); found != shelf->second.end()) shelf->second.erase(found);
    if (shelf->second.empty()) kinds_.erase(shelf);
}

result<scan_page<document>> documents::scan(std::string_view kind, std::string_view cursor,
                                            std::size_t limit) const {
    if (limit == 0) return error{errc::invalid_argument, "A scan takes a limit of at least 1."};
    if (!cursor.empty() && !cursor.starts_with(cursor_prefix))
        return error{
            errc::invalid_argument,
            "\"" + std::string(cursor) + "\" is no cursor of a scan of documents; begin with an empty one."};
    scan_page<document> page;
    const std::shared_lock lock(mutex_);
    const auto found = kinds_.find(kind);
    if (found == kinds_.end()) return page;
    const auto& shelf = found->second;
    auto at = cursor.empty() ? shelf.begin() : shelf.upper_bound(cursor.substr(cursor_prefix.size()));
    for (; at != shelf.end() && page.items.size() < limit; ++at)
        page.items.push_back(at->second);
    if (at != shelf.end()) page.cursor = std::string(cursor_prefix) + page.items.back().id;
    return page;
}

std::vector<document> documents::all() const {
    std::vector<document> copies;
    const std::shared_lock lock(mutex_);
    for (const auto& [kind, shelf] : kinds_)
        for (const auto& [id, doc] : shelf)
            copies.push_back(doc);
    return copies;
}

std::size_t documents::size() const {
    const std::shared_lock lock(mutex_);
    std::size_t count = 0;
    for (const auto& [kind, shelf] : kinds_)
        count += shelf.size();
    return count;
}

}  // namespace gallery::store_index
