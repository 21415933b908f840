// SPDX-License-Identifier: Apache-2.0
#include "codec.hpp"

#include <array>
#include <cstring>
#include <limits>

namespace gallery::rocks {
namespace {

/// Records and changes of the gallery 0.1 have version 1, as everything else has.
constexpr std::uint8_t first_version = 1;
constexpr std::uint8_t newest_version = 2;

// ---- checksum ----------------------------------------------------------------------------------------

using crc_tables = std::array<std::array<std::uint32_t, 256>, 4>;

constexpr crc_tables make_tables() {
    crc_tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0U);
        tables[0][i] = value;
    }
    for (std::uint32_t i = 0; i < 256; ++i)
        for (std::size_t t = 1; t < tables.size(); ++t)
            tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFF];
    return tables;
}

constexpr crc_tables tables = make_tables();

std::uint32_t extend(std::uint32_t crc, std::string_view text) noexcept {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t left = text.size();
    // Four bytes a step: records are read on I/O threads.
    while (left >= 4) {
        std::uint32_t word = 0;
        std::memcpy(&word, at, 4);
        crc ^= word;
        crc = tables[3][crc & 0xFF] ^ tables[2][(crc >> 8) & 0xFF] ^ tables[1][(crc >> 16) & 0xFF] ^
              tables[0][crc >> 24];
        at += 4;
        left -= 4;
    }
    while (left-- > 0)
        crc = (crc >> 8) ^ tables[0][(crc ^ *at++) & 0xFF];
    return crc;
}

// ---- writing -----------------------------------------------------------------------------------------

class writer {
public:
    explicit writer(std::uint8_t version) { text_.push_back(static_cast<char>(version)); }

    void byte(std::uint8_t value) { text_.push_back(static_cast<char>(value)); }
    void number(std::uint64_t value) {
        while (value >= 0x80) {
            text_.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        text_.push_back(static_cast<char>(value));
    }
    void raw_bytes(std::string_view bytes) { text_.append(bytes); }
    void text(std::string_view value) {
        number(value.size());
        text_.append(value);
    }
    void fixed64(std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8)
            text_.push_back(static_cast<char>(value >> shift));
    }
    std::string finish(std::string_view key) {
        const std::uint32_t sum = crc32c(key, text_);
        for (int shift = 0; shift < 32; shift += 8)
            text_.push_back(static_cast<char>(sum >> shift));
        return std::move(text_);
    }
    void reserve(std::size_t size) { text_.reserve(size); }

private:
    std::string text_;
};

// ---- reading -----------------------------------------------------------------------------------------

/// Reads in the order of writing. After the first failure everything reads as nothing and ok() is false.
class reader {
public:
    reader(std::string_view key, std::string_view value) : left_(value) {
        if (value.size() < 5) {
            fail();
            return;
        }
        const std::string_view sum = value.substr(value.size() - 4);
        left_.remove_suffix(4);
        std::uint32_t wanted = 0;
        for (std::size_t i = 4; i-- > 0;)
            wanted = (wanted << 8) | static_cast<unsigned char>(sum[i]);
        version_ = byte();
        if (crc32c(key, value.substr(0, value.size() - 4)) != wanted || version_ < first_version ||
            version_ > newest_version)
            fail();
    }

    [[nodiscard]] std::uint8_t version() const noexcept { return version_; }

    std::uint8_t byte() {
        const auto one = raw_bytes(1);
        return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one.front());
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint8_t next = byte();
            value |= static_cast<std::uint64_t>(next & 0x7F) << shift;
            if ((next & 0x80) == 0) return value;
        }
        fail();
        return 0;
    }
    std::string_view raw_bytes(std::size_t size) {
        if (size > left_.size()) {
            fail();
            return {};
        }
        const auto bytes = left_.substr(0, size);
        left_.remove_prefix(size);
        return bytes;
    }
    std::string text() { return std::string(raw_bytes(number())); }
    std::uint64_t fixed64() {
        const auto bytes = raw_bytes(8);
        std::uint64_t value = 0;
        for (std::size_t i = bytes.size(); i-- > 0;)
            value = (value << 8) | static_cast<unsigned char>(bytes[i]);
        return value;
    }
    template <class Id>
    Id id() {
        const auto bytes = raw_bytes(id_size);
        return bytes.empty() ? Id{} : id_from<Id>(bytes);
    }
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    /// Everything was read and nothing failed.
    [[nodiscard]] bool ok() const noexcept { return !failed_ && left_.empty(); }

private:
    void fail() noexcept {
        failed_ = true;
        left_ = {};
    }
    std::string_view left_;
    std::uint8_t version_ = 0;
    bool failed_ = false;
};

enum record_flag : std::uint8_t {
    flag_public = 1,
    flag_preview_is_original = 2,
    flag_external_id = 4  ///< of version 1 only
};

/// Kinds of changes as they are stored; those of version 1 are the first five.
enum class stored_change : std::uint8_t {
    image_saved,
    image_updated,
    image_erased,
    document_saved,
    document_erased,
    version_kept,
    version_dropped,
};

stored_change stored_kind(change::kind what) noexcept {
    switch (what) {
        case change::kind::image_saved:
            return stored_change::image_saved;
        case change::kind::image_updated:
            return stored_change::image_updated;
        case change::kind::image_erased:
            return stored_change::image_erased;
        case change::kind::version_kept:
            return stored_change::version_kept;
        case change::kind::version_dropped:
            return stored_change::version_dropped;
        case change::kind::document_saved:
            return stored_change::document_saved;
        case change::kind::document_erased:
            break;
    }
    return stored_change::document_erased;
}

std::optional<change::kind> kind_of(std::uint8_t stored) noexcept {
    switch (static_cast<stored_change>(stored)) {
        case stored_change::image_saved:
            return change::kind::image_saved;
        case stored_change::image_updated:
            return change::kind::image_updated;
        case stored_change::image_erased:
            return change::kind::image_erased;
        case stored_change::document_saved:
            return change::kind::document_saved;
        case stored_change::document_erased:
            return change::kind::document_erased;
        case stored_change::version_kept:
            return change::kind::version_kept;
        case stored_change::version_dropped:
            return change::kind::version_dropped;
    }
    return std::nullopt;
}

bool is_document_change(change::kind what) noexcept {
    return what == change::kind::document_saved || what == change::kind::document_erased;
}

void write_descriptor(writer& out, const body_descriptor& body) {
    out.text(body.media_type);
    out.number(body.width);
    out.number(body.height);
    out.number(body.size);
    out.raw_bytes({reinterpret_cast<const char*>(body.etag.data()), body.etag.size()});
}

body_descriptor read_descriptor(reader& in) {
    body_descriptor body;
    body.media_type = in.text();
    body.width = static_cast<std::uint32_t>(in.number());
    body.height = static_cast<std::uint32_t>(in.number());
    body.size = in.number();
    const auto etag = in.raw_bytes(body.etag.size());
    if (!etag.empty()) std::memcpy(body.etag.data(), etag.data(), etag.size());
    return body;
}

}  // namespace

std::uint32_t crc32c(std::string_view first, std::string_view second) noexcept {
    return ~extend(extend(~std::uint32_t{0}, first), second);
}

std::string encode_record(std::string_view key, const image_record& record) {
    writer out(newest_version);
    out.reserve(256 + record.title.size() + record.file_name.size());
    out.byte(static_cast<std::uint8_t>((record.is_public ? flag_public : 0) |
                                       (record.preview_is_original ? flag_preview_is_original : 0)));
    out.byte(static_cast<std::uint8_t>(record.sub_type));
    out.raw_bytes(raw(record.id));
    out.fixed64(record.rev);
    out.fixed64(record.content_rev);
    out.fixed64(static_cast<std::uint64_t>(record.created_time));
    out.fixed64(static_cast<std::uint64_t>(record.modified_time));
    out.text(record.title);
    out.text(record.file_name);
    out.text(record.public_key);
    out.number(record.tags.size());
    for (const auto& tag : record.tags)
        out.text(tag);
    write_descriptor(out, record.original);
    write_descriptor(out, record.preview);
    return out.finish(key);
}

record_ptr decode_record(std::string_view key, std::string_view value) {
    if (key.size() < id_size) return nullptr;
    reader in(key, value);
    const bool is_old = in.version() == first_version;
    auto record = std::make_shared<image_record>();
    record->tenant = id_from<tenant_id>(key);
    record->key = key.substr(id_size);
    const std::uint8_t flags = in.byte();
    record->is_public = (flags & flag_public) != 0;
    record->preview_is_original = (flags & flag_preview_is_original) != 0;
    record->sub_type = static_cast<image_sub_type>(in.byte());
    record->id = in.id<image_id>();
    record->rev = in.fixed64();
    record->content_rev = in.fixed64();
    record->created_time = static_cast<std::int64_t>(in.fixed64());
    record->modified_time = is_old ? record->created_time : static_cast<std::int64_t>(in.fixed64());
    record->title = in.text();
    record->file_name = in.text();
    record->public_key = in.text();
    if (is_old) in.text();  // where a record came from
    for (auto left = is_old ? 0 : in.number(); left > 0 && !in.failed(); --left)
        record->tags.push_back(in.text());
    record->original = read_descriptor(in);
    record->preview = read_descriptor(in);
    if (is_old && (flags & flag_external_id) != 0) in.id<image_id>();
    if (!in.ok()) return nullptr;
    return record;
}

std::string encode_kept(std::string_view key, const kept_version& version) {
    const auto name = record_key(version.record->tenant, version.record->key);
    writer out(first_version);
    out.fixed64(version.kept_rev);
    out.fixed64(static_cast<std::uint64_t>(version.kept_time));
    out.byte(version.is_erased ? 1 : 0);
    out.text(name);
    out.text(encode_record(name, *version.record));
    return out.finish(key);
}

std::optional<kept_version> decode_kept(std::string_view key, std::string_view value) {
    reader in(key, value);
    kept_version version;
    version.kept_rev = in.fixed64();
    version.kept_time = static_cast<std::int64_t>(in.fixed64());
    version.is_erased = in.byte() != 0;
    const std::string name = in.text();
    const std::string record = in.text();
    if (!in.ok()) return std::nullopt;
    version.record = decode_record(name, record);
    if (!version.record || kept_key(version.record->id, version.record->content_rev) != key)
        return std::nullopt;
    return version;
}

std::string encode_document(std::string_view key, const document& doc) {
    writer out(first_version);
    out.reserve(doc.body.size() + 24);
    out.fixed64(doc.rev);
    out.text(doc.body);
    return out.finish(key);
}

std::optional<document> decode_document(std::string_view key, std::string_view value) {
    const auto split = key.find('\0');
    if (split == std::string_view::npos) return std::nullopt;
    reader in(key, value);
    document doc;
    doc.kind = key.substr(0, split);
    doc.id = key.substr(split + 1);
    doc.rev = in.fixed64();
    doc.body = in.text();
    if (!in.ok()) return std::nullopt;
    return doc;
}

std::string encode_change(std::string_view key, const change& what) {
    writer out(newest_version);
    out.byte(static_cast<std::uint8_t>(stored_kind(what.what)));
    if (is_document_change(what.what)) {
        out.text(what.document_kind);
        out.text(what.document_id);
    } else {
        out.raw_bytes(raw(what.tenant));
        out.raw_bytes(raw(what.id));
        out.text(what.key);
        out.text(what.public_key);
        out.number(what.kept);
    }
    return out.finish(key);
}

std::optional<change> decode_change(std::string_view key, std::string_view value) {
    if (key.size() != 8) return std::nullopt;
    reader in(key, value);
    change made;
    made.rev = read_big_endian(key);
    const auto what = kind_of(in.byte());
    if (!what) return std::nullopt;
    made.what = *what;
    if (is_document_change(made.what)) {
        made.document_kind = in.text();
        made.document_id = in.text();
    } else {
        made.tenant = in.id<tenant_id>();
        made.id = in.id<image_id>();
        made.key = in.text();
        made.public_key = in.text();
        if (in.version() != first_version) made.kept = in.number();
    }
    if (!in.ok()) return std::nullopt;
    return made;
}

std::string encode_number(std::uint64_t value) {
    std::string made;
    for (int shift = 0; shift < 64; shift += 8)
        made.push_back(static_cast<char>(value >> shift));
    return made;
}

std::optional<std::uint64_t> decode_number(std::string_view value) noexcept {
    if (value.size() != 8) return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;)
        number = (number << 8) | static_cast<unsigned char>(value[i]);
    return number;
}

}  // namespace gallery::rocks
