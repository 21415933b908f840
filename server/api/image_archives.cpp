// SPDX-License-Identifier: Apache-2.0
// Archives of images: /api/images/zip, and how a browser downloads them.
//
// A script sends the list of images with its token and gets the archive. A browser that did this would keep
// the whole archive in memory, and what it requests as a download has no token. The console therefore sends
// the list with its token to /api/images/zipTicket, and then submits a form with the same list to
// /api/images/zipDownload, with the ticket in the query: it is checked before the body is read.
#include "api/image_archives.hpp"

#include "accounts/authenticator.hpp"
#include "auth/request_limit.hpp"
#include "http/disposition.hpp"
#include "http/media_type.hpp"
#include "http/query.hpp"

#include <gallery/sha256.hpp>

#include <boost/json/object.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace gallery::api {
namespace {

using images::image_operation;

/// Bytes of the budget for reading a request with so many bytes, of which at most @p most are the list: the
/// text, the values that it is parsed into, and the keys.
std::uint64_t memory_for(std::uint64_t size, std::uint64_t most) {
    return size + 7 * std::min(size, most);
}

/// In the words of those who asked for an archive.
error no_memory(const error& why) {
    if (why.code != errc::busy) return why;
    return {errc::busy, "The server is reading too many lists of images. Try again later."};
}

error list_too_large(std::uint64_t most) {
    return {errc::too_large, "The list of images is larger than " + std::to_string(most) +
                                 " bytes. Ask for fewer at a time, or use gallery-admin images export."};
}

struct archive_order {
    archive_request wanted;
    sha256_digest digest{};  ///< of its text
};

/// What a body contains: the text itself, or a form with it in the field "images".
enum class body_form : std::uint8_t { json, form };

result<void> require_type(std::string_view content_type, body_form form) {
    if (form == body_form::json) {
        if (http::is_json(content_type)) return {};
        return error{errc::unsupported_type,
                     "The list of images must be JSON. Send it with Content-Type: application/json."};
    }
    const auto type = http::media_type::parse(content_type);
    if (type && type->is("application/x-www-form-urlencoded")) return {};
    return error{errc::unsupported_type,
                 "The list of images must be in a form. Send it with Content-Type: "
                 "application/x-www-form-urlencoded."};
}

result<archive_order> read_order(std::string text, body_form form, std::uint64_t most) {
    if (form == body_form::form) {
        auto field = http::query_view(text).require("images");
        if (!field) return field.error();
        text = std::move(*field);
        if (text.size() > most) return list_too_large(most);
    }
    auto wanted = parse_archive_request(text);
    if (!wanted) return wanted.error();
    return archive_order{std::move(*wanted), sha256(std::span<const char>(text))};
}

task<result<archive_order>> receive_order(const archive_services& services, tenant_id owner,
                                          http::request& message, content_limit limit, body_form form) {
    if (auto right = require_type(message.header(http::field::content_type), form); !right)
        co_return right.error();
    auto& body = message.body();
    const auto length = body.content_length().value_or(body.limit());
    if (length > body.limit()) co_return list_too_large(limit.bytes);
    // A client may send slowly, so it has no more than the text's memory before the text has arrived.
    auto memory = co_await services.lists.acquire(owner, length);
    if (!memory) co_return no_memory(memory.error());
    auto text = co_await body.read_all(body.limit());
    if (!text) co_return text.error();
    auto grown = co_await services.lists.grow(*memory, owner, memory_for(text->size(), limit.bytes));
    if (!grown) co_return no_memory(grown.error());
    // A long list would delay the I/O thread's other connections.
    auto work = [text = std::move(*text), form, most = limit.bytes]() mutable {
        return read_order(std::move(text), form, most);
    };
    auto reading = services.background.run(owner, std::move(work));
    auto order = co_await std::move(reading);
    co_return order;
}

/// The permission for the images of each list that is not empty.
result<archive_receiver> admit(const archive_request& wanted, const auth::principal_ptr& who,
                               std::int64_t since) {
    archive_receiver out;
    out.who = who;
    out.since = since;
    const auto may = [&](std::string_view type) -> result<images::image_view_permit> {
        if (wanted.layout == archive_layout::pictures)
            return images::authorise_images<image_operation::view>(*who, type);
        // An export has what an image's info has.
        auto reading = images::authorise_images<image_operation::read>(*who, type);
        if (!reading) return std::move(reading).error();
        return images::image_view_permit(std::move(*reading));
    };
    if (!wanted.own.empty()) {
        auto own = may("tenant");
        if (!own) return std::move(own).error();
        out.own.emplace(std::move(*own));
    }
    if (!wanted.of_system.empty()) {
        auto of_system = may("system");
        if (!of_system) return std::move(of_system).error();
        out.of_system.emplace(std::move(*of_system));
    }
    return out;
}

task<result<http::response>> send_archive(const archive_services& services, archive_request wanted,
                                          auth::principal_ptr who, std::int64_t since,
                                          const http::request& message) {
    auto to = admit(wanted, who, since);
    if (!to) co_return std::move(to).error();
    to->request = message.request_id();
    auto place = services.places.take(who->tenant, who->user);
    if (!place) co_return std::move(place).error();
    const auto* const name = wanted.layout == archive_layout::exports ? "exported-images.zip" : "images.zip";
    auto archive =
        std::make_unique<archive_stream>(services, std::move(wanted), std::move(*to), std::move(*place));
    auto begun = co_await archive->prepare();
    if (!begun) co_return begun.error();
    auto out = http::response::bytes(200, "application/zip", {});
    out.add("Content-Disposition", http::content_disposition(http::disposition_kind::attachment, name));
    out.add("Cache-Control", "no-store");
    out.add("X-Content-Type-Options", "nosniff");
    out.set_stream(std::move(archive));
    co_return out;
}

task<result<http::response>> archive(const archive_services& services, accounts::anybody who,
                                     http::request& message, content_limit limit) {
    const auto since = services.tickets.admission_of(who.who(), accounts::authenticator::coarse_now());
    auto receiving = receive_order(services, who.who().tenant, message, limit, body_form::json);
    auto order = co_await std::move(receiving);
    if (!order) co_return order.error();
    auto sending = send_archive(services, std::move(order->wanted), who.shared(), since, message);
    co_return co_await std::move(sending);
}

task<result<http::response>> ticket(const archive_services& services, accounts::anybody who,
                                    http::request& message, content_limit limit) {
    // Before the list arrives, which may take long: who loses the account meanwhile gets no ticket.
    const auto since = services.tickets.admission_of(who.who(), accounts::authenticator::coarse_now());
    auto receiving = receive_order(services, who.who().tenant, message, limit, body_form::json);
    auto order = co_await std::move(receiving);
    if (!order) co_return order.error();
    if (auto admitted = services.tickets.check_still_admitted(who.who(), since); !admitted)
        co_return admitted.error();
    // What the ticket would be refused for is said now, where a script can read it.
    if (auto may = admit(order->wanted, who.shared(), 0); !may) co_return std::move(may).error();
    boost::json::object out;
    out["ticket"] = services.tickets.issue(who.who(), order->digest, accounts::authenticator::coarse_now());
    co_return http::response::json(200, out);
}

task<result<http::response>> archive_by_ticket(const archive_services& services, http::request& message,
                                               content_limit limit) {
    const auto ticket = http::query_view(message.query()).require("ticket");
    if (!ticket) co_return ticket.error();
    const auto holder = services.tickets.redeem(*ticket, accounts::authenticator::coarse_now());
    if (!holder) co_return holder.error();
    message.attachment() = holder->who;
    if (auto taken = auth::take_request(*holder->who); !taken) co_return taken.error();
    auto receiving = receive_order(services, holder->who->tenant, message, limit, body_form::form);
    auto order = co_await std::move(receiving);
    if (!order) co_return order.error();
    if (order->digest != holder->what) {
        co_return error{errc::unauthenticated,
                        "The ticket of this download is for other images. Start the download again."};
    }
    auto sending = send_archive(services, std::move(order->wanted), holder->who, holder->since, message);
    co_return co_await std::move(sending);
}

constexpr endpoint<archive_services> endpoints[] = {
    {http::method::post, "/api/images/zip", "image.zip", body_kind::image_list,
     allow<accounts::anybody, archive>},
    {http::method::post, "/api/images/zipTicket", "image.zip_ticket", body_kind::image_list,
     allow<accounts::anybody, ticket>},
    {http::method::post, "/api/images/zipDownload", "image.zip_by_ticket", body_kind::image_list_form,
     allow<everyone, archive_by_ticket>},
};

}  // namespace

std::span<const endpoint<archive_services>> image_archive_endpoints() noexcept {
    return endpoints;
}

}  // namespace gallery::api
