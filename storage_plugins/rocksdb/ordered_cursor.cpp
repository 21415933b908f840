// SPDX-License-Identifier: Apache-2.0
#include "ordered_cursor.hpp"

namespace gallery::rocks {

ordered_cursor::ordered_cursor(const engine& from, std::string prefix, bool descending,
                               const snapshot_ptr& at, std::uint64_t total, const page_ranks::counts* ranks)
    : engine_(from),
      prefix_(std::move(prefix)),
      descending_(descending),
      total_(total),
      ranks_(ranks),
      cursor_(engine_.iterate_prefix(family::index, prefix_, engine::reach::disk, at)) {}

std::string_view ordered_cursor::value_here() const {
    const auto parsed = parse_index_key(cursor_.key());
    return parsed ? parsed->value : std::string_view();
}

result<std::optional<list_entry>> ordered_cursor::end() {
    mode_ = mode::ended;
    if (!cursor_->status().ok()) return to_error(cursor_->status(), "reading a list");
    return std::optional<list_entry>();
}

result<std::optional<list_entry>> ordered_cursor::entry_here() const {
    const auto key = parse_index_key(cursor_.key());
    const auto image_key = key ? image_key_of(key->property_letter, cursor_.value()) : std::nullopt;
    if (!image_key)
        return error{errc::corrupt, "An entry of a list cannot be read; run `gallery-admin verify`."};
    return std::optional<list_entry>(list_entry{std::string(key->value), key->id, std::string(*image_key)});
}

result<void> ordered_cursor::seek_rank(std::uint64_t rank) {
    std::uint64_t skip = rank;
    if (ranks_ != nullptr) {
        const auto from = ranks_->start_of(rank);
        cursor_->Seek(slice(from.key));
        skip = from.skip;
    } else {
        cursor_->SeekToFirst();
    }
    for (; skip > 0 && cursor_->Valid(); --skip)
        cursor_->Next();
    if (!cursor_->status().ok()) return to_error(cursor_->status(), "reading a list");
    return {};
}

result<void> ordered_cursor::start(std::uint64_t rank) {
    if (rank >= total_) return {};
    if (descending_) return start_descending(rank);
    mode_ = mode::forward;
    return seek_rank(rank);
}

result<void> ordered_cursor::start_descending(std::uint64_t rank) {
    mode_ = mode::in_group;
    std::uint64_t skip = 0;  // entries of the group that come before the wanted one
    if (ranks_ != nullptr) {
        if (auto sought = seek_rank(total_ - 1 - rank); !sought) return sought;
        if (!cursor_->Valid()) return {};
        group_ = prefix_ + std::string(value_here());
        const auto first = ranks_->rank_of(group_);
        if (!first) return first.error();
        const auto behind = ranks_->rank_of(after_prefix(group_));
        if (!behind) return behind.error();
        skip = rank - (total_ - *behind);
        return seek_rank(*first + skip);
    }
    cursor_->SeekToLast();
    std::uint64_t behind = 0;  // entries behind the group
    std::string value;
    for (std::uint64_t passed = 0; cursor_->Valid(); ++passed, cursor_->Prev()) {
        if (passed == 0 || value_here() != value) {
            value = value_here();
            behind = passed;
        }
        if (passed == rank) break;
    }
    if (cursor_->Valid()) {
        group_ = prefix_ + value;
        skip = rank - behind;
        cursor_->Seek(slice(group_));
        for (; skip > 0 && cursor_->Valid(); --skip)
            cursor_->Next();
    }
    if (!cursor_->status().ok()) return to_error(cursor_->status(), "reading a list");
    return {};
}

result<std::optional<list_entry>> ordered_cursor::next() {
    if (mode_ == mode::ended) return std::optional<list_entry>();
    if (mode_ != mode::forward) return next_descending();
    if (!cursor_->Valid()) return end();
    auto entry = entry_here();
    cursor_->Next();
    return entry;
}

result<std::optional<list_entry>> ordered_cursor::next_descending() {
    if (mode_ == mode::in_group) {
        if (cursor_->Valid() && cursor_.key().starts_with(group_)) {
            auto entry = entry_here();
            cursor_->Next();
            return entry;
        }
        if (!cursor_->status().ok()) return end();
        cursor_->SeekForPrev(slice(group_));
    }
    // On the last entry of the next group. Most groups are of one, so look before going to its start.
    if (!cursor_->Valid()) return end();
    auto entry = entry_here();
    if (!entry) return entry;
    cursor_->Prev();
    if (!cursor_->status().ok()) return end();
    if (!cursor_->Valid() || value_here() != (*entry)->value) {
        mode_ = mode::backward;
        return entry;
    }
    group_ = prefix_ + (*entry)->value;
    mode_ = mode::in_group;
    cursor_->Seek(slice(group_));
    if (!cursor_->Valid()) return end();
    entry = entry_here();
    cursor_->Next();
    return entry;
}

}  // namespace gallery::rocks
