// SPDX-License-Identifier: Apache-2.0
#include "upgrade.hpp"

#include "codec.hpp"
#include "records.hpp"
#include "usage.hpp"

#include <gallery/kit/rules.hpp>
#include <gallery/text.hpp>

#include <map>
#include <string>

namespace gallery::rocks {
namespace {

constexpr std::size_t batch_bytes = 1ULL << 20;

/// Text that property_bytes() of format 1 has ended with 00 00, and in which a 00 is 00 FF.
std::string old_folded_title(std::string_view value) {
    std::string text;
    for (std::size_t i = 0; i + 1 < value.size(); ++i) {
        if (value[i] == '\0' && value[i + 1] == '\0') break;
        text.push_back(value[i]);
        if (value[i] == '\0') ++i;
    }
    return text;
}

/// The entry in place of one whose record cannot be read: a damaged image stays in the lists.
std::optional<index_entry> entry_without_record(const index_key_view& key, std::string_view value) {
    std::string folded;
    title_value made;
    if (key.property_letter == old_title_letter) {
        if (value.size() < 16) return std::nullopt;
        folded = old_folded_title(key.value);
        made = {read_big_endian(value), read_big_endian(value.substr(8)), folded, value.substr(16)};
    } else {
        const auto parsed = parse_title_value(value);
        if (!parsed) return std::nullopt;
        made = *parsed;
    }
    image_record record;
    record.tenant = key.tenant;
    record.sub_type = key.sub_type;
    record.title = made.folded_title;
    index_entry entry;
    entry.key = index_prefix(key.tenant, key.sub_type, property::title);
    entry.key.append(property_bytes(record, property::title)).append(raw(key.id));
    entry.value = make_title_value(made);
    return entry;
}

class upgrader {
public:
    explicit upgrader(engine& db) : engine_(db), at_(db.snapshot()) {}

    /// Ends what was collected as one synchronised write, if it is large enough or @p last.
    result<void> flush(bool last) {
        if (!last && batch_.GetDataSize() < batch_bytes) return {};
        if (batch_.Count() == 0) return {};
        auto written = engine_.commit(batch_, reserve_share::all);
        batch_.Clear();
        return written;
    }

    result<void> rebuild_titles() {
        auto* const index = engine_.handle(family::index);
        auto at = engine_.iterate(family::index, {}, engine::reach::disk_aside, at_);
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            const auto key = parse_index_key(at.key());
            if (!key || (key->property_letter != old_title_letter &&
                         key->property_letter != static_cast<char>(property::title)))
                continue;
            const auto entry = right_entry(*key, at.value());
            if (!entry) return entry.error();
            if (*entry && (*entry)->key == at.key() && (*entry)->value == at.value()) continue;
            batch_.Delete(index, slice(at.key()));
            if (*entry) batch_.Put(index, (*entry)->key, (*entry)->value);
            ++titles_;
            if (auto flushed = flush(false); !flushed) return flushed;
        }
        if (!at->status().ok()) return to_error(at->status(), "upgrading the title lists");
        return {};
    }

    /// Of format 1, which had neither and kept no versions.
    result<void> index_content_and_usage() {
        auto* const lookup = engine_.handle(family::lookup);
        std::map<tenant_id, tenant_usage> usage;
        const auto add = [&](const image_record& record, std::string_view key) {
            ++records_;
            batch_.Put(lookup, content_lookup_key(record), slice(key));
            const auto one = kit::figures_of(record);
            auto& sum = usage[record.tenant].images;
            sum.count += one.count;
            sum.original_bytes += one.original_bytes;
            sum.preview_bytes += one.preview_bytes;
        };
        // By the lists, since an iterator over the records would end at a block that cannot be read.
        auto at = engine_.iterate(family::index, {}, engine::reach::disk_aside, at_);
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            const auto index_key = parse_index_key(at.key());
            if (!index_key || index_key->property_letter != static_cast<char>(property::resource_key))
                continue;
            const auto key = record_key(index_key->tenant, at.value());
            const auto record = *load_record(engine_, key, engine::reach::disk_aside, at_);
            if (!record && record.error().code != errc::corrupt) return record.error();
            if (!record || !*record) continue;  // a check names it
            add(**record, key);
            if (auto flushed = flush(false); !flushed) return flushed;
        }
        if (!at->status().ok()) return to_error(at->status(), "upgrading the store");
        for (const auto& [tenant, sum] : usage) {
            const auto numbers = numbers_of(sum);
            for (std::size_t i = 0; i < numbers.size(); ++i)
                batch_.Put(engine_.handle(family::meta), usage_key(tenant, i), encode_number(numbers[i]));
            if (auto flushed = flush(false); !flushed) return flushed;
        }
        return {};
    }

    rocksdb::WriteBatch& batch() noexcept { return batch_; }
    [[nodiscard]] std::uint64_t titles() const noexcept { return titles_; }
    [[nodiscard]] std::uint64_t records() const noexcept { return records_; }

private:
    /// Nothing where the entry belongs to no image.
    result<std::optional<index_entry>> right_entry(const index_key_view& key, std::string_view value) {
        const bool is_old = key.property_letter == old_title_letter;
        const auto image_key = is_old ? value.size() < 16 ? std::nullopt : std::optional(value.substr(16))
                                      : image_key_of(key.property_letter, value);
        if (!image_key) return std::optional<index_entry>();
        const auto record =
            *load_record(engine_, record_key(key.tenant, *image_key), engine::reach::disk_aside, at_);
        if (!record && record.error().code != errc::corrupt) return record.error();
        if (!record) return entry_without_record(key, value);
        if (!*record) return std::optional<index_entry>();
        return std::optional<index_entry>(title_entry(**record));
    }

    engine& engine_;
    const snapshot_ptr at_;
    rocksdb::WriteBatch batch_;
    std::uint64_t titles_ = 0;
    std::uint64_t records_ = 0;
};

result<std::string> text(const engine& db, std::string_view key) {
    rocksdb::PinnableSlice value;
    const auto status = db.get(family::meta, key, value, engine::reach::disk);
    if (status.IsNotFound()) return std::string();
    if (!status.ok()) return to_error(status, "reading the format of the store");
    return value.ToString();
}

}  // namespace

result<void> upgrade(engine& db, std::uint64_t found_format, const log_function& log) {
    const auto in_progress = text(db, upgrade_key);
    if (!in_progress) return in_progress.error();
    const auto collation = text(db, collation_key_name);
    if (!collation) return collation.error();
    const bool from_first = found_format == 1 || *in_progress == "1";
    const bool is_new = found_format == 0;
    const bool is_older = !is_new && found_format < format_version;
    const auto wanted = collation_version();
    const bool has_titles = *collation == wanted && in_progress->empty();
    if (!is_older && !is_new && has_titles) return {};
    if (db.writing().state != write_state::kind::ok) {
        // A store of format 2 is one of format 3 without files. Titles may be in the order of another version
        // of Unicode, and are complete.
        if (!from_first) return {};
        return error{errc::unavailable, "The store must be upgraded to format " +
                                            std::to_string(format_version) + ", but it is not writable. " +
                                            db.writing().reason};
    }
    auto* const meta = db.handle(family::meta);
    upgrader work(db);
    if (!is_new && !from_first && has_titles) {
        work.batch().Put(meta, slice(format_key), encode_number(format_version));
        if (auto done = work.flush(true); !done) return done;
        log(log_level::info, "rocksdb: upgraded the store from format " + std::to_string(found_format) +
                                 " to format " + std::to_string(format_version) + ".");
        return {};
    }
    if (!is_new) {
        const auto what = from_first ? "from format 1 to format " + std::to_string(format_version)
                                     : "to the order of titles of ICU " + wanted;
        log(log_level::info, "rocksdb: upgrading the store " + what + ".");
        work.batch().Put(meta, slice(format_key), encode_number(format_version));
        work.batch().Put(meta, slice(upgrade_key), from_first ? "1" : "titles");
        if (auto marked = work.flush(true); !marked) return marked;
        if (auto done = work.rebuild_titles(); !done) return done;
        if (from_first)
            if (auto done = work.index_content_and_usage(); !done) return done;
        if (auto flushed = work.flush(true); !flushed) return flushed;
    }
    work.batch().Put(meta, slice(format_key), encode_number(format_version));
    work.batch().Put(meta, slice(collation_key_name), wanted);
    work.batch().Delete(meta, slice(upgrade_key));
    if (auto done = work.flush(true); !done) return done;
    if (!is_new)
        log(log_level::info, "rocksdb: upgraded the store: " + std::to_string(work.records()) +
                                 " images indexed, " + std::to_string(work.titles()) +
                                 " title entries rebuilt.");
    return {};
}

}  // namespace gallery::rocks
