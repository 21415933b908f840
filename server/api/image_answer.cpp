// SPDX-License-Identifier: Apache-2.0
#include "api/image_answer.hpp"

#include "http/cache_lines.hpp"
#include "http/download_lines.hpp"
#include "http/serve_bytes.hpp"

#include <gallery/encode.hpp>
#include <gallery/media_type.hpp>

#include <array>
#include <functional>

namespace gallery::api {
namespace {

// Bits of etag_entry::flags: what a 304's head depends on besides the etag.
constexpr std::uint32_t flag_codings = 1;  // other codings exist: negotiate, and send Vary
constexpr std::uint32_t flag_system = 2;

content_coding negotiate(const http::request& message) noexcept {
    return http::choose_coding(message, {.gzip = true, .brotli = true});
}

bool has_codings(const body_descriptor& described) noexcept {
    return described.media_type == svg_media_type;
}

// The lines of a 200 that depend on the record alone. Composed once for a revision of a record; each thread
// keeps those that it sent last. Valid until the thread's next call. Empty where the media type must not be
// sent.
std::string_view record_lines(const image_record& record, representation which, bool by_link) {
    struct kept_lines {
        image_id id;
        revision rev = 0;
        representation which = representation::original;
        bool by_link = false;
        std::string lines;
    };
    thread_local std::array<kept_lines, 256> table;
    auto& slot = table[(std::hash<image_id>{}(record.id) * 4 + record.rev * 5 +
                        static_cast<std::size_t>(which) * 2 + (by_link ? 1 : 0)) %
                       table.size()];
    if (slot.rev != record.rev || slot.which != which || slot.by_link != by_link || slot.id != record.id) {
        slot.lines = http::download_lines(
            record.descriptor(which).media_type,
            by_link ? http::disposition_kind::inline_ : http::disposition_kind::attachment, record.file_name);
        slot.id = record.id;
        slot.rev = record.rev;
        slot.which = which;
        slot.by_link = by_link;
    }
    return slot.lines;
}

}  // namespace

cache::etag_key image_request::etag_key(content_coding coding) const noexcept {
    return is_public_link() ? cache::etag_key::link(name, which, coding)
                            : cache::etag_key::image(may->tenant(), name, which, coding);
}

image_answers::image_answers(browser_ttl ttl, const http::cross_origin& pages) {
    for (const bool of_system : {false, true}) {
        for (const bool by_link : {false, true})
            cache_lines_[of_system][by_link] =
                http::cache_lines(by_link, of_system ? ttl.system : ttl.tenant, pages);
    }
}

image_plan image_answers::plan(const http::request& message, const image_request& asked,
                               const known_image& known, http::response& out) const {
    const auto* const record = known.record;
    if (record == nullptr && known.cached == nullptr) return {};
    image_plan plan;
    const body_descriptor* described = nullptr;
    const sha256_digest* digest = nullptr;
    http::representation facts;
    bool of_system = false;
    bool negotiated = false;
    bool is_coded = false;
    if (record != nullptr) {
        described = &record->descriptor(asked.which);
        of_system = record->tenant == system_tenant;
        negotiated = has_codings(*described);
        if (negotiated) plan.coding = negotiate(message);
        if (plan.coding != content_coding::identity && known.coded == nullptr) {
            plan.next = image_plan::needs::coded_body;
            return plan;
        }
        is_coded = known.coded != nullptr && !known.coded->data.empty();
        digest = is_coded ? &known.coded->etag : &described->etag;
        facts.size = is_coded ? known.coded->data.size() : described->size;
    } else {
        digest = &known.cached->digest;
        of_system = (known.cached->flags & flag_system) != 0;
        negotiated = (known.cached->flags & flag_codings) != 0;
    }
    const auto etag = hex_digits(*digest);
    facts.etag = {etag.data(), etag.size()};
    facts.prepared_validators = cache_lines_[of_system][asked.is_public_link()];
    if (negotiated) facts.vary = "Accept-Encoding";

    if (record == nullptr) {
        // The etag alone says no more than that the client has the image already.
        if (http::try_not_modified(message, facts, out)) plan.next = image_plan::needs::nothing;
        return plan;
    }
    if (is_coded) facts.content_encoding = content_codings.name_of(plan.coding);
    facts.prepared = record_lines(*record, asked.which, asked.is_public_link());
    // A media type that must not be sent is refused there, and the answer is a 500.
    if (facts.prepared.empty()) facts.media_type = described->media_type;
    const auto selected = http::select_representation(message, facts);
    http::prepare_response(facts, selected, out);
    const bool has_content = selected.status == 200 || selected.status == 206;
    if (message.verb() == http::method::head || !has_content) {
        plan.next = image_plan::needs::nothing;
    } else if (is_coded) {
        out.set_content(known.coded->data.slice(selected.range.first, selected.range.length));
        plan.next = image_plan::needs::nothing;
    } else {
        plan.range = selected.range;
        plan.next = image_plan::needs::content;
    }
    return plan;
}

std::optional<cache::etag_entry> image_answers::cached(cache::etag_cache& etags, const http::request& message,
                                                       const image_request& asked) {
    if (!etags.enabled() || message.header(http::field::if_none_match).empty()) return std::nullopt;
    const auto now = cache::etag_cache::coarse_now();
    auto entry = etags.find(asked.etag_key(), now);
    if (entry && (entry->flags & flag_codings) != 0) {
        if (const auto coding = negotiate(message); coding != content_coding::identity)
            entry = etags.find(asked.etag_key(coding), now);
    }
    return entry;
}

void image_answers::remember(cache::etag_cache& etags, cache::etag_cache::ticket ticket,
                             const image_request& asked, const known_image& known, content_coding coding,
                             cache::etag_cache::time_point now) {
    const auto& record = *known.record;
    const auto& described = record.descriptor(asked.which);
    cache::etag_entry entry;
    entry.digest = described.etag;
    entry.flags =
        (has_codings(described) ? flag_codings : 0) | (record.tenant == system_tenant ? flag_system : 0);
    entry.revision = record.rev;
    etags.complete_fill(ticket, asked.etag_key(), entry, now);
    if (coding == content_coding::identity) return;
    // Where compressing does not make the bytes smaller, the client is sent them as they are.
    if (known.coded != nullptr && !known.coded->data.empty()) {
        entry.coded = coding;
        entry.digest = known.coded->etag;
    }
    etags.complete_fill(ticket, asked.etag_key(coding), entry, now);
}

}  // namespace gallery::api
