// SPDX-License-Identifier: Apache-2.0
#include "load/requests.hpp"

#include "load/pictures.hpp"
#include "load/seeding.hpp"

#include <gallery/encode.hpp>

#include <array>
#include <charconv>

namespace gallery::load {

namespace {

constexpr std::string_view end_of_head = "\r\n";
constexpr int ok = 200;
constexpr int not_modified = 304;

std::vector<double> shares_of_sizes(const scenario& plan) {
    std::vector<double> out;
    for (const auto& one : plan.sizes)
        out.push_back(one.share);
    return out;
}

/// The ETag of a confirmed upload, in its JSON.
std::optional<sha256_digest> etag_in(std::string_view json) noexcept {
    constexpr std::string_view name = "\"etag\":";
    auto at = json.find(name);
    if (at == json.npos) return std::nullopt;
    at = json.find('"', at + name.size());
    if (at == json.npos) return std::nullopt;
    return parse_sha256(json.substr(at + 1, 64));
}

void append_decimal(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, ignored] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

}  // namespace

request_writer::request_writer(const scenario& plan, catalogue& content, const admin::address& where,
                               std::uint64_t seed)
    : plan_(plan),
      content_(content),
      base_(where.base),
      size_of_upload_(shares_of_sizes(plan)),
      random_(seed) {
    for (const auto& one : content.tenants) {
        tails_.push_back(" HTTP/1.1\r\nHost: " + where.authority +
                         "\r\nUser-Agent: gallery-load\r\nX-Authorization: " + one.authorization + "\r\n");
    }
}

void request_writer::begin_line(std::string& out, std::string_view method, std::string_view path,
                                std::string_view suffix) {
    out += method;
    out += base_;
    out += path;
    out += suffix;
}

bool request_writer::choose_replaceable(planned_request& plan) noexcept {
    const auto count = static_cast<std::uint32_t>(content_.tenants[plan.tenant].images.size());
    for (std::uint32_t tries = 0; tries < count; ++tries) {
        if (image_of(plan).versions.may_be_replaced()) return true;
        plan.image = (plan.image + 1) % count;
    }
    return false;
}

void request_writer::append_form(std::string& out, sent_request& about, std::size_t size_class) {
    const auto& picture = content_.templates[size_class];
    out += "Content-Type: ";
    out += form_type;
    out += "\r\nContent-Length: ";
    append_decimal(out, form_begin.size() + picture.size() + form_end.size());
    out += "\r\n\r\n";
    out += form_begin;
    const auto begin = out.size();
    out += picture;
    const std::span<char> own(out.data() + begin, picture.size());
    stamp_picture(own, content_.run, content_.pictures++);
    about.picture = sha256(own);
    out += form_end;
}

sent_request request_writer::write(const planned_request& wanted, std::string& out) {
    sent_request about;
    about.plan = wanted;
    if (wanted.what == operation::replace && !choose_replaceable(about.plan))
        about.plan.what = operation::get;
    auto& image = image_of(about.plan);
    const std::string_view tail = tails_[wanted.tenant];
    about.noted = image.versions.acknowledged();
    out.clear();
    switch (about.plan.what) {
        case operation::list:
            begin_line(out, "GET ", "/api/images?pageSize=10&sortProperty=createdTime&sortOrder=DESC&page=",
                       about.plan.image % 10 == 0 ? "1" : "0");
            out += tail;
            break;
        case operation::search:
            begin_line(out, "GET ", "/api/images?pageSize=10&page=0&textSearch=load_", {});
            append_decimal(out, about.plan.image);
            out += tail;
            break;
        case operation::info:
            begin_line(out, "GET ", image.path, "/info");
            out += tail;
            break;
        case operation::preview:
            begin_line(out, "GET ", image.path, "/preview");
            out += tail;
            break;
        case operation::get:
            begin_line(out, "GET ", image.path, {});
            out += tail;
            break;
        case operation::revalidate: {
            about.had = image.versions.seen();
            const auto digits = hex_digits(image.versions.picture(about.had));
            begin_line(out, "GET ", image.path, {});
            out += tail;
            out += "If-None-Match: \"";
            out.append(digits.data(), digits.size());
            out += "\"\r\n";
            break;
        }
        case operation::upload:
            begin_line(out, "POST ", "/api/image", {});
            out += tail;
            append_form(out, about, size_of_upload_.choose(random_));
            return about;
        case operation::replace:
            begin_line(out, "PUT ", image.path, {});
            out += tail;
            append_form(out, about, image.size_class);
            image.versions.begin(about.picture);
            return about;
    }
    out += end_of_head;
    about.is_hashed = (about.plan.what == operation::get || about.plan.what == operation::revalidate) &&
                      random_.fraction() < plan_.hashed;
    return about;
}

verdict request_writer::judge(const sent_request& asked, const response_reader& answer,
                              const std::optional<sha256_digest>& hash) {
    const int status = answer.status();
    auto& versions = image_of(asked.plan).versions;
    switch (asked.plan.what) {
        case operation::get:
        case operation::revalidate: {
            if (status == not_modified && asked.plan.what == operation::revalidate)
                return versions.check_unchanged(asked.had, asked.noted);
            if (status != ok) return verdict::status;
            if (hash && hash != answer.etag()) return verdict::wrong;
            return versions.check(answer.etag(), asked.noted);
        }
        case operation::info:
            if (status != ok) return verdict::status;
            return versions.check(etag_in(answer.body()), asked.noted);
        case operation::upload:
            if (status != ok) return verdict::status;
            return etag_in(answer.body()) == asked.picture ? verdict::good : verdict::wrong;
        case operation::replace:
            if (status == ok) {
                versions.confirm();
                return etag_in(answer.body()) == asked.picture ? verdict::good : verdict::wrong;
            }
            // A refusal says that nothing was changed; after a fault of the server this is not known.
            if (status >= 400 && status < 500)
                versions.refuse();
            else
                versions.lose();
            return verdict::status;
        case operation::list:
        case operation::search:
        case operation::preview:
            break;
    }
    return status == ok ? verdict::good : verdict::status;
}

void request_writer::lost(const sent_request& asked) {
    if (asked.plan.what == operation::replace) image_of(asked.plan).versions.lose();
}

}  // namespace gallery::load
