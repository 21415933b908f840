// SPDX-License-Identifier: Apache-2.0
#include "packed_record.hpp"

#include <gallery/sub_type.hpp>

#include <limits>
#include <stdexcept>

namespace gallery::kit {
namespace {

enum packed_flags : std::uint16_t {
    flag_is_scada_symbol = 1,
    flag_is_public = 2,
    flag_preview_is_original = 4,
    flag_preview_equals_original = 8,  ///< the descriptor of the preview is that of the original
    flag_file_name_is_key = 16,
    flag_has_body_name = 32,
    flag_has_packed_link = 64,  ///< the public key has 32 characters; its length is not stored
};

static_assert(sub_types.entries.size() == 2,
              "A packed record has one bit for the sub type, and catalog and tenant_index have two shelves.");

constexpr std::size_t usual_link_size = 32;

class packed_writer {
public:
    template <class Field>
    void fixed(const Field& field) {
        data_.append(reinterpret_cast<const char*>(&field), sizeof field);
    }
    void bytes(std::string_view text) { data_.append(text); }
    /// 7 bits a byte, the lowest first; the highest bit means that there are more.
    void number(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            data_.push_back(static_cast<char>(value | 0x80));
        data_.push_back(static_cast<char>(value));
    }
    /// Small if the difference is small in either direction.
    void difference(std::uint64_t value) { number(value << 1 ^ (0 - (value >> 63))); }
    void text(std::string_view text) {
        number(text.size());
        bytes(text);
    }
    void descriptor(const body_descriptor& of, names_of_records& names) {
        number(of.size);
        number(names.number_of(of.media_type));
        number(of.width);
        number(of.height);
    }

    [[nodiscard]] const std::string& data() const noexcept { return data_; }

private:
    std::string data_;
};

std::uint16_t short_size(std::string_view text) {
    if (text.size() > std::numeric_limits<std::uint16_t>::max())
        throw std::length_error("a key is longer than 65,535 bytes");
    return static_cast<std::uint16_t>(text.size());
}

}  // namespace

std::uint64_t first_bytes(std::string_view text) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < sizeof word; ++i)
        word = word << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
    return word;
}

class packed_record::reader {
public:
    explicit reader(const char* at) noexcept : at_(at) {}

    std::uint64_t number() noexcept {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto part = static_cast<unsigned char>(*at_++);
            value |= std::uint64_t{part & 0x7fU} << shift;
            if (part < 0x80) return value;
        }
    }
    std::uint64_t difference() noexcept {
        const auto value = number();
        return value >> 1 ^ (0 - (value & 1));
    }
    std::string_view bytes(std::size_t size) noexcept { return {std::exchange(at_, at_ + size), size}; }
    std::string_view text() noexcept { return bytes(static_cast<std::size_t>(number())); }
    template <class Field>
    void fixed(Field& field) noexcept {
        std::memcpy(&field, bytes(sizeof field).data(), sizeof field);
    }
    std::string_view link(std::uint16_t flags) noexcept {
        return (flags & flag_has_packed_link) != 0 ? bytes(usual_link_size) : text();
    }
    /// Without the hash.
    void descriptor(body_descriptor& of, const names_of_records& names) {
        of.size = number();
        of.media_type = names.media_type(number());
        of.width = static_cast<std::uint32_t>(number());
        of.height = static_cast<std::uint32_t>(number());
    }

private:
    const char* at_;
};

packed_record::packed_record(const stored& item, names_of_records& names) {
    const auto& record = *item.record;
    unsigned flags = 0;
    if (record.sub_type == image_sub_type::scada_symbol) flags |= flag_is_scada_symbol;
    if (record.is_public) flags |= flag_is_public;
    if (record.preview_is_original) flags |= flag_preview_is_original;
    if (record.preview == record.original) flags |= flag_preview_equals_original;
    if (record.file_name == record.key) flags |= flag_file_name_is_key;
    if (!item.body.is_nil()) flags |= flag_has_body_name;
    if (record.public_key.size() == usual_link_size) flags |= flag_has_packed_link;

    packed_writer to;
    to.fixed(record.original.etag);
    to.fixed(record.rev);
    to.fixed(names.number_of(record.tenant));
    to.fixed(short_size(record.key));
    to.fixed(static_cast<std::uint16_t>(flags));
    to.bytes(record.key);
    // The order in which the functions below read.
    to.difference(record.rev - record.content_rev);
    if ((flags & flag_has_packed_link) == 0) to.number(record.public_key.size());
    to.bytes(record.public_key);
    to.descriptor(record.original, names);
    if ((flags & flag_preview_equals_original) == 0) {
        to.descriptor(record.preview, names);
        to.fixed(record.preview.etag);
    }
    to.number(record.tags.size());
    for (const auto& tag : record.tags)
        to.text(tag);
    to.difference(static_cast<std::uint64_t>(record.modified_time) -
                  static_cast<std::uint64_t>(record.created_time));
    if ((flags & flag_file_name_is_key) == 0) to.text(record.file_name);
    if ((flags & flag_has_body_name) != 0) to.fixed(item.body);

    data_.reset(new char[to.data().size()]);
    std::memcpy(data_.get(), to.data().data(), to.data().size());
}

packed_record::reader packed_record::behind_key() const noexcept {
    return reader(data_.get() + key_at + at<std::uint16_t>(key_size_at));
}

std::string_view packed_record::public_key() const noexcept {
    auto from = behind_key();
    from.number();
    return from.link(at<std::uint16_t>(flags_at));
}

revision packed_record::content_rev() const noexcept {
    return at<revision>(rev_at) - behind_key().difference();
}

image_sub_type packed_record::sub_type() const noexcept {
    return (at<std::uint16_t>(flags_at) & flag_is_scada_symbol) != 0 ? image_sub_type::scada_symbol
                                                                     : image_sub_type::image;
}

void packed_record::unpack_filtered(const names_of_records& names, image_record& to) const {
    const auto flags = at<std::uint16_t>(flags_at);
    to.is_public = (flags & flag_is_public) != 0;
    to.preview_is_original = (flags & flag_preview_is_original) != 0;
    auto from = behind_key();
    from.number();
    from.link(flags);
    from.descriptor(to.original, names);
    if ((flags & flag_preview_equals_original) != 0) {
        to.preview.size = to.original.size;
    } else {
        from.descriptor(to.preview, names);
        from.fixed(to.preview.etag);
    }
    to.tags.resize(static_cast<std::size_t>(from.number()));
    for (auto& tag : to.tags)
        tag = from.text();
}

stored packed_record::unpack(const row_fields& beside, const names_of_records& names) const {
    const auto flags = at<std::uint16_t>(flags_at);
    stored item;
    auto to = std::make_shared<image_record>();
    to->id = beside.id;
    to->tenant = names.tenant(tenant());
    to->key = key();
    to->title = beside.title;
    to->sub_type = sub_type();
    to->is_public = (flags & flag_is_public) != 0;
    to->created_time = beside.created_time;
    to->preview_is_original = (flags & flag_preview_is_original) != 0;
    to->rev = at<revision>(rev_at);
    auto from = behind_key();
    to->content_rev = to->rev - from.difference();
    to->public_key = from.link(flags);
    from.descriptor(to->original, names);
    to->original.etag = etag();
    if ((flags & flag_preview_equals_original) != 0) {
        to->preview = to->original;
    } else {
        from.descriptor(to->preview, names);
        from.fixed(to->preview.etag);
    }
    to->tags.resize(static_cast<std::size_t>(from.number()));
    for (auto& tag : to->tags)
        tag = from.text();
    to->modified_time =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(to->created_time) + from.difference());
    if ((flags & flag_file_name_is_key) != 0)
        to->file_name = to->key;
    else
        to->file_name = from.text();
    if ((flags & flag_has_body_name) != 0) from.fixed(item.body);
    item.record = std::move(to);
    return item;
}

}  // namespace gallery::kit
