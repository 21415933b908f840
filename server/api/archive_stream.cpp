// SPDX-License-Identifier: Apache-2.0
#include "api/archive_stream.hpp"

#include "api/image_key.hpp"
#include "images/exported_files.hpp"

#include <gallery/clock.hpp>
#include <gallery/text.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace gallery::api {
namespace {

constexpr std::uint64_t piece_size = 256 * 1024;
/// Less is neither counted nor read on another thread.
constexpr std::uint64_t small_size = 16 * 1024;
/// How many images are looked up before other connections of the thread have their turn.
constexpr std::size_t images_at_once = 64;

/// More in a row are no damage of single images.
constexpr std::size_t most_unreadable = 16;
/// More than all numbers that names get.
constexpr unsigned longest_number = 1'000'000;

constexpr std::string_view text_name = "not-included.txt";

/// Of a whole body. Empty where its file cannot be read.
result<std::uint32_t> crc_of(const body& content) {
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < content.size(); at += piece_size) {
        const auto piece = content.slice(at, std::min(piece_size, content.size() - at)).load();
        if (!piece) return error{errc::io_error, "the file of a picture cannot be read"};
        crc = zip_crc(crc, piece->span());
    }
    return crc;
}

/// May pass without anybody's doing.
bool is_temporary(const error& why) noexcept {
    return why.code == errc::stale || why.code == errc::busy || why.code == errc::too_many_requests;
}

/// Is not about one image.
bool concerns_all(const error& why) noexcept {
    return is_temporary(why) || why.code == errc::unavailable;
}

/// One line of a text.
std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    }
    return out;
}

}  // namespace

archive_stream::archive_stream(const archive_services& services, archive_request wanted, archive_receiver to,
                               archive_places::place place)
    : services_(services), wanted_(std::move(wanted)), to_(std::move(to)), place_(std::move(place)) {}

task<result<void>> archive_stream::prepare() {
    auto begun = co_await begin_next();
    if (!begun) co_return begun.error();
    if (begun->empty()) {
        if (something_is_unreadable_)
            co_return error{errc::io_error, "none of an archive's images can be read"};
        co_return error{errc::not_found,
                        wanted_.size() == 1 ? "There is no such image." : "There is none of these images."};
    }
    prepared_ = std::move(*begun);
    co_return result<void>();
}

task<result<bytes>> archive_stream::next() {
    if (!prepared_.empty()) co_return bytes::own(std::exchange(prepared_, {}));
    if (sent_ < current_.content.size()) {
        auto piece = co_await next_piece();
        co_return piece;
    }
    if (is_at_end_) co_return bytes();
    current_ = {};
    auto begun = co_await begin_next();
    if (!begun) co_return begun.error();
    if (!begun->empty()) co_return bytes::own(std::move(*begun));
    is_at_end_ = true;
    co_return bytes::own(finish());
}

task<result<std::string>> archive_stream::begin_next() {
    const auto executor = co_await asio::this_coro::executor;
    while (at_ < wanted_.size()) {
        if (at_ % images_at_once == images_at_once - 1) co_await asio::post(executor, use_task);
        if (auto admitted = services_.tickets.check_still_admitted(*to_.who, to_.since); !admitted)
            co_return admitted.error();
        const bool is_own = at_ < wanted_.own.size();
        const auto& key = is_own ? wanted_.own[at_] : wanted_.of_system[at_ - wanted_.own.size()];
        ++at_;
        const auto& may = is_own ? to_.own : to_.of_system;
        auto opening = open(may->lend(), key);
        auto opened = co_await std::move(opening);
        if (opened) {
            unreadable_ = 0;
            auto text = begin_picture(*opened);
            if (text.empty()) continue;
            current_ = std::move(*opened);
            sent_ = 0;
            co_return text;
        }
        if (concerns_all(opened.error())) co_return opened.error();
        auto left_out = leave_out(is_own ? "tenant" : "system", key, opened.error());
        if (!left_out) co_return left_out.error();
    }
    co_return std::string();
}

task<result<archive_stream::picture>> archive_stream::open(images::image_view_permit may, std::string key) {
    error failure = replaced_too_often();
    for (int attempt = 0; attempt < max_read_attempts; ++attempt) {
        picture out;
        auto record = co_await services_.images.find(may.lend(), key);
        if (!record) co_return record.error();
        out.record = std::move(*record);
        const auto size = out.record->original.size;
        if (size > small_size) {
            auto memory = co_await services_.sent.acquire(to_.who->tenant, size);
            if (!memory) co_return memory.error();
            out.memory = std::move(*memory);
        }
        auto content = co_await services_.images.read(out.record, representation::original);
        if (!content && content.error().code == errc::stale) continue;
        if (!content) co_return content.error();
        out.content = std::move(*content);
        if (out.content.memory() == nullptr) out.memory = {};
        result<std::uint32_t> crc = 0U;
        if (out.content.memory() != nullptr && out.content.size() <= small_size) {
            crc = crc_of(out.content);
        } else {
            auto work = [content = out.content] { return crc_of(content); };
            auto reading = services_.reading.run(to_.who->tenant, std::move(work));
            crc = co_await std::move(reading);
        }
        if (crc) {
            out.crc = *crc;
            co_return out;
        }
        if (!is_temporary(crc.error())) co_return crc.error();
        failure = crc.error();
    }
    co_return failure;
}

std::string archive_stream::begin_picture(const picture& opened) {
    const auto& record = *opened.record;
    std::string out;
    if (wanted_.layout == archive_layout::pictures) {
        const auto name = unique_name(record.file_name.empty() ? record.key : record.file_name);
        out = zip_.begin({name, opened.content.size(), opened.crc, record.created_time});
    } else {
        const auto name = images::picture_file_name(record.key, wanted_.similar);
        if (!names_.insert(name).second) {
            left_out_ += "system/" + printable(record.key) + ": an image with this key is in the archive\r\n";
            return {};
        }
        // An import looks for the JSON of each picture, in whichever order they are. Like the files of the
        // shell's export, it does not depend on the time at which it is made.
        const auto sidecar = images::sidecar_text(images::document_of(record));
        const std::span<const char> text(sidecar);
        out = zip_.begin({name + std::string(images::sidecar_ending), text.size(), zip_crc(0, text), 0});
        out += sidecar;
        out += zip_.begin({name, opened.content.size(), opened.crc, 0});
    }
    return out;
}

task<result<bytes>> archive_stream::next_piece() {
    const auto length = std::min(piece_size, current_.content.size() - sent_);
    const auto part = current_.content.slice(sent_, length);
    sent_ += length;
    if (const auto* const memory = part.memory()) co_return *memory;
    auto work = [part]() -> result<bytes> {
        auto loaded = part.load();
        if (!loaded) return error{errc::io_error, "the file of a picture cannot be read"};
        return std::move(*loaded);
    };
    auto reading = services_.reading.run(to_.who->tenant, std::move(work));
    auto piece = co_await std::move(reading);
    co_return piece;
}

std::string archive_stream::finish() {
    std::string out;
    if (!left_out_.empty()) {
        const auto text = "These images are not in the archive:\r\n\r\n" + std::exchange(left_out_, {});
        const std::span<const char> content(text);
        out = zip_.begin({unique_name(text_name), content.size(), zip_crc(0, content), 0});
        out += text;
    }
    names_.clear();
    numbers_.clear();
    return out + zip_.finish();
}

result<void> archive_stream::leave_out(std::string_view kind, const std::string& key, const error& why) {
    const bool is_missing = why.code == errc::not_found;
    if (!is_missing) {
        something_is_unreadable_ = true;
        services_.warn("an archive does not contain " + printable(key) + " [" + to_.request +
                       "]: " + why.message);
        if (++unreadable_ == most_unreadable)
            return error{errc::io_error, "too many images of an archive cannot be read"};
    }
    left_out_ += kind;
    left_out_ +=
        '/' + printable(key) + (is_missing ? ": there is no such image" : ": it cannot be read") + "\r\n";
    return {};
}

std::string archive_stream::unique_name(std::string_view name) {
    const auto folded = [](const std::string& text) { return is_utf8(text) ? fold_case(text) : text; };
    auto out = images::readable_file_name(name);
    if (names_.insert(folded(out)).second) return out;
    auto& last =
        numbers_.try_emplace(folded(images::readable_file_name(name, longest_number)), 1).first->second;
    do {
        out = images::readable_file_name(name, ++last);
    } while (!names_.insert(folded(out)).second);
    return out;
}

}  // namespace gallery::api
