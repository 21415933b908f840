// SPDX-License-Identifier: Apache-2.0
#include "api/image_bytes.hpp"

#include "api/image_key.hpp"
#include "http/conditional.hpp"
#include "http/content_coding.hpp"
#include "http/disposition.hpp"
#include "http/errors.hpp"
#include "http/percent.hpp"
#include "http/serve_bytes.hpp"
#include "images/permissions.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gallery::api {
namespace {

constexpr std::string_view svg = "image/svg+xml";

// What an image's bytes always come with: they are data, whatever a browser might see in them.
constexpr std::string_view safety =
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; sandbox\r\n";

// Bits of etag_entry::flags: what a 304's head depends on besides the etag.
constexpr std::uint32_t flag_codings = 1;  // other codings exist: negotiate, and say Vary
constexpr std::uint32_t flag_system = 2;

constexpr auto hex_size = sizeof(sha256_digest) * 2;

// An etag is written with every answer.
std::array<char, hex_size> hex(const sha256_digest& digest) noexcept {
    std::array<char, hex_size> text;  // all of it is written below
#if defined(__SSE2__)
    // Sixteen bytes become 32 letters at a time.
    const auto letters = [](__m128i digits) {
        const auto beyond = _mm_cmpgt_epi8(digits, _mm_set1_epi8(9));
        const auto gap = _mm_and_si128(beyond, _mm_set1_epi8('a' - '0' - 10));
        return _mm_add_epi8(_mm_add_epi8(digits, _mm_set1_epi8('0')), gap);
    };
    static_assert(sizeof digest % 16 == 0);
    const auto four_bits = _mm_set1_epi8(15);
    for (std::size_t at = 0; at < digest.size(); at += 16) {
        const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(digest.data() + at));
        const auto high = _mm_and_si128(_mm_srli_epi16(bytes, 4), four_bits);
        const auto low = _mm_and_si128(bytes, four_bits);
        auto* const out = reinterpret_cast<__m128i*>(text.data() + 2 * at);
        _mm_storeu_si128(out, letters(_mm_unpacklo_epi8(high, low)));
        _mm_storeu_si128(out + 1, letters(_mm_unpackhi_epi8(high, low)));
    }
#else
    constexpr char digits[] = "0123456789abcdef";
    for (std::size_t i = 0; i < digest.size(); ++i) {
        const auto byte = std::to_integer<std::size_t>(digest[i]);
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
#endif
    return text;
}

// What a cache needs with a 200 as well as a 304: the whole lines, as they are sent.
std::string make_cache_lines(bool by_link, std::chrono::minutes ttl, const http::cross_origin& pages) {
    std::string lines = by_link ? "Cache-Control: public, " : "Cache-Control: private, ";
    lines += ttl.count() <= 0 ? "no-cache" : "max-age=" + std::to_string(std::chrono::seconds(ttl).count());
    lines += "\r\n";
    if (by_link) {
        lines += http::open_lines;
    } else if (pages.depends_on_origin() || (pages.enabled() && ttl.count() > 0)) {
        // Another site's page must not be given a copy that the console's page, which sends no Origin, left.
        lines += "Vary: Origin\r\n";
    }
    return lines;
}

cache::coding to_cache(http::coding coding) noexcept {
    switch (coding) {
        case http::coding::gzip:
            return cache::coding::gzip;
        case http::coding::br:
            return cache::coding::brotli;
        case http::coding::identity:
            break;
    }
    return cache::coding::identity;
}

http::coding negotiate(const http::request& message) noexcept {
    return http::choose_coding(message, {.gzip = true, .br = true});
}

// Empty where the media type must not be sent.
std::string make_prepared_lines(const image_record& record, representation which, bool by_link) {
    http::response typed;
    typed.add("Content-Type", record.descriptor(which).media_type);
    if (!typed.is_sound()) return {};
    std::string lines = typed.fields();
    lines += safety;
    lines += "Content-Disposition: ";
    lines += http::content_disposition(
        by_link ? http::disposition_kind::inline_ : http::disposition_kind::attachment, record.file_name);
    lines += "\r\nx-filename: ";
    lines += http::header_text(record.file_name);
    lines += "\r\n";
    return lines;
}

// "Content-Type", "Content-Disposition", "x-filename" and the safety lines. Composed once for a revision of a
// record, and kept by each thread for those that it served last; valid until the thread's next call.
std::string_view prepared_lines(const image_record& record, representation which, bool by_link) {
    struct kept {
        image_id id;
        revision rev = 0;
        representation which = representation::original;
        bool by_link = false;
        std::string lines;
    };
    thread_local std::array<kept, 256> table;
    auto& slot = table[(std::hash<image_id>{}(record.id) * 4 + record.rev * 5 +
                        static_cast<std::size_t>(which) * 2 + (by_link ? 1 : 0)) %
                       table.size()];
    if (slot.rev != record.rev || slot.which != which || slot.by_link != by_link || slot.id != record.id) {
        slot.lines = make_prepared_lines(record, which, by_link);
        slot.id = record.id;
        slot.rev = record.rev;
        slot.which = which;
        slot.by_link = by_link;
    }
    return slot.lines;
}

cache::etag_entry entry_of(const image_record& record, representation which) {
    const auto& described = record.descriptor(which);
    cache::etag_entry entry;
    entry.digest = described.etag;
    entry.flags =
        (described.media_type == svg ? flag_codings : 0) | (record.tenant == system_tenant ? flag_system : 0);
    entry.revision = record.rev;
    return entry;
}

bool wants_content(const http::request& message, const http::selection& selected) noexcept {
    return message.verb() != http::method::head && (selected.status == 200 || selected.status == 206);
}

}  // namespace

struct image_bytes::wanted {
    representation which = representation::original;
    access how = access::authenticated;
    std::optional<images::image_view_permit> may;  // authenticated only
    std::string_view name;                         // key, or public key

    [[nodiscard]] cache::etag_key etag_key(cache::coding coding) const noexcept {
        return how == access::by_link ? cache::etag_key::link(name, which, coding)
                                      : cache::etag_key::image(may->tenant(), name, which, coding);
    }
};

struct image_bytes::coding_choice {
    http::coding coding = http::coding::identity;
    images::coded_body coded;  // empty where the identity is sent
};

image_bytes::image_bytes(images::image_service& gallery, cache::etag_cache& etags,
                         images::coded_bodies& coded, verify_credentials verify, browser_ttl ttl,
                         const http::cross_origin& pages)
    : gallery_(gallery), etags_(etags), coded_(coded), verify_(std::move(verify)) {
    for (const bool is_system : {false, true}) {
        for (const bool by_link : {false, true})
            cache_lines_[is_system][by_link] =
                make_cache_lines(by_link, is_system ? ttl.system : ttl.tenant, pages);
    }
}

void image_bytes::add_routes(http::router& routes) {
    struct path {
        std::string_view pattern;
        const char* name;
        representation which;
        access how;
    };
    const path paths[] = {
        {"/api/images/{type}/{key}", "image.download", representation::original, access::authenticated},
        {"/api/images/{type}/{key}/preview", "image.preview", representation::preview, access::authenticated},
        {"/api/images/public/{publicResourceKey}", "image.public", representation::original, access::by_link},
    };
    for (const auto& each : paths) {
        const auto which = each.which;
        const auto how = each.how;
        routes.add(http::method::get, each.pattern,
                   [this, which, how](http::request& message) { return serve(message, which, how); },
                   {.name = each.name, .body_limit = 0, .open_to_pages = how == access::by_link});
        routes.add_hot(http::method::get, each.pattern,
                       [this, which, how](http::request& message, http::response& out) {
                           return try_at_once(message, which, how, out);
                       });
    }
}

const std::string& image_bytes::cache_lines(bool is_system, access how) const noexcept {
    return cache_lines_[is_system][how == access::by_link];
}

result<image_bytes::wanted> image_bytes::resolve(http::request& message, representation which,
                                                 access how) const {
    wanted what;
    what.which = which;
    what.how = how;
    if (how == access::by_link) {
        what.name = message.param(0);
        return what;
    }
    const auto who = principal_of(message, verify_);
    if (!who) return who.error();
    auto may = images::authorise_images<images::image_operation::view>(**who, message.param(0));
    if (!may) return may.error();
    what.may.emplace(std::move(*may));
    what.name = message.param(1);
    return what;
}

bool image_bytes::try_at_once(http::request& message, representation which, access how,
                              http::response& out) const {
    const auto what = resolve(message, which, how);
    if (!what) {
        out = http::error_response(what.error());
        return true;
    }
    return answer_not_modified(message, *what, out) || answer_from_memory(message, *what, out);
}

bool image_bytes::answer_not_modified(const http::request& message, const wanted& what,
                                      http::response& out) const {
    if (!etags_.enabled() || message.header(http::field::if_none_match).empty()) return false;
    const auto now = cache::etag_cache::coarse_now();
    auto known = etags_.find(what.etag_key(cache::coding::identity), now);
    if (!known) return false;
    const bool has_codings = (known->flags & flag_codings) != 0;
    if (has_codings) {
        if (const auto coding = negotiate(message); coding != http::coding::identity) {
            known = etags_.find(what.etag_key(to_cache(coding)), now);
            if (!known) return false;
        }
    }
    const auto etag = hex(known->digest);
    http::representation facts;
    facts.etag = {etag.data(), etag.size()};
    facts.prepared_validators = cache_lines((known->flags & flag_system) != 0, what.how);
    if (has_codings) facts.vary = "Accept-Encoding";
    return http::try_not_modified(message, facts, out);
}

bool image_bytes::answer_from_memory(const http::request& message, const wanted& what,
                                     http::response& out) const {
    const auto key = what.etag_key(cache::coding::identity);
    // Who asks without a condition has no etag yet; the next request of that client has one, and fills.
    const bool fills = etags_.enabled() && message.has(http::field::if_none_match);
    const auto ticket = etags_.begin_fill(key);
    const auto found = what.how == access::by_link ? gallery_.find_public_now(what.name)
                                                   : gallery_.find_now(*what.may, what.name);
    if (!found) return false;
    const auto& record = **found;
    coding_choice choice;
    if (record.descriptor(what.which).media_type == svg) {
        // Compressed bytes may have to be made first.
        if (negotiate(message) != http::coding::identity) return false;
    }
    if (fills) {
        etags_.complete_fill(ticket, key, entry_of(record, what.which), cache::etag_cache::coarse_now());
    }
    const auto selected = prepare(message, what, record, choice, out);
    if (!wants_content(message, selected)) return true;
    auto content = gallery_.read_now(record, what.which);
    if (!content) {
        out.reset();
        return false;
    }
    if (selected.status == 200) {
        out.set_content(std::move(*content));
    } else {
        out.set_content(content->slice(selected.range.first, selected.range.length));
    }
    return true;
}

http::selection image_bytes::prepare(const http::request& message, const wanted& what,
                                     const image_record& record, const coding_choice& choice,
                                     http::response& out) const {
    const auto& described = record.descriptor(what.which);
    const bool is_coded = !choice.coded.data.empty();
    const auto etag = hex(is_coded ? choice.coded.etag : described.etag);
    http::representation facts;
    facts.etag = {etag.data(), etag.size()};
    facts.size = is_coded ? choice.coded.data.size() : described.size;
    facts.prepared_validators = cache_lines(record.tenant == system_tenant, what.how);
    if (described.media_type == svg) facts.vary = "Accept-Encoding";
    if (is_coded) facts.content_encoding = http::to_string(choice.coding);
    facts.prepared = prepared_lines(record, what.which, what.how == access::by_link);
    // It is refused there, and the answer is a 500.
    if (facts.prepared.empty()) facts.media_type = described.media_type;
    const auto selected = http::select_representation(message, facts);
    http::prepare_response(facts, selected, out);
    return selected;
}

task<http::response> image_bytes::serve(http::request& message, representation which, access how) {
    auto what = resolve(message, which, how);
    if (!what) co_return http::error_response(what.error());
    std::optional<std::string> decoded;
    if (how == access::authenticated) decoded = key_decoded_again(what->name);
    if (decoded) {
        std::string name(what->name);
        const auto exact = co_await gallery_.find(what->may->lend(), std::move(name));
        if (!exact && exact.error().code == errc::not_found) {
            const auto other = co_await gallery_.find(what->may->lend(), *decoded);
            if (other) what->name = *decoded;
        }
    }
    // A record that was replaced between finding it and reading its bytes is found again; each time means
    // that a write was committed in between.
    for (int attempt = 0; attempt < 16; ++attempt) {
        auto served = co_await serve_current(message, *what);
        if (served) co_return std::move(*served);
        if (served.error().code != errc::stale) co_return http::error_response(served.error());
    }
    co_return http::error_response(
        error{errc::busy, "The image is being replaced faster than it can be read. Try again."});
}

task<result<http::response>> image_bytes::serve_current(http::request& message, const wanted& what) {
    const auto key = what.etag_key(cache::coding::identity);
    const auto ticket = etags_.begin_fill(key);
    std::string name(what.name);
    auto found = result<record_ptr>(error{});
    if (what.how == access::by_link) {
        found = co_await gallery_.find_public(std::move(name));
    } else {
        found = co_await gallery_.find(what.may->lend(), std::move(name));
    }
    if (!found) co_return found.error();
    const auto record = std::move(*found);
    const auto& described = record->descriptor(what.which);

    coding_choice choice;
    if (described.media_type == svg) choice.coding = negotiate(message);
    if (choice.coding != http::coding::identity) {
        images::coded_bodies::load fetch = [this, record, which = what.which] {
            return gallery_.read(record, which);
        };
        auto made = co_await coded_.get(
            described.etag,
            choice.coding == http::coding::br ? images::body_coding::brotli : images::body_coding::gzip,
            std::move(fetch));
        if (!made) co_return made.error();
        choice.coded = std::move(*made);
    }
    const bool is_coded = !choice.coded.data.empty();

    const auto now = cache::etag_cache::time_point::clock::now();
    auto entry = entry_of(*record, what.which);
    etags_.complete_fill(ticket, key, entry, now);
    if (choice.coding != http::coding::identity) {
        entry.coded = is_coded ? to_cache(choice.coding) : cache::coding::identity;
        if (is_coded) entry.digest = choice.coded.etag;
        etags_.complete_fill(ticket, what.etag_key(to_cache(choice.coding)), entry, now);
    }

    http::response out;
    const auto selected = prepare(message, what, *record, choice, out);
    if (!wants_content(message, selected)) co_return out;
    body content = choice.coded.data;
    if (!is_coded) {
        auto read = co_await gallery_.read(record, what.which);
        if (!read) co_return read.error();
        content = std::move(*read);
    }
    out.set_content(content.slice(selected.range.first, selected.range.length));
    co_return out;
}

}  // namespace gallery::api
