// SPDX-License-Identifier: Apache-2.0
#include "http/body_reader.hpp"

#include <utility>

namespace gallery::http {

namespace {

error over_limit(std::uint64_t limit) {
    return {errc::too_large, "The request's body is larger than the " + std::to_string(limit) +
                                 " bytes that are accepted here"};
}

error compressed(std::string_view coding) {
    return {errc::unsupported_type,
            "The request's Content-Encoding is '" + std::string(coding.substr(0, 40)) +
                "'. Compressed bodies are not accepted. Send the body without this header and uncompressed"};
}

}  // namespace

std::optional<std::uint64_t> body_reader::content_length() const noexcept {
    return source_ ? source_->content_length() : std::optional<std::uint64_t>(0);
}

task<result<std::span<const char>>> body_reader::read_some() {
    if (!source_) co_return std::span<const char>();
    if (!coding_.empty()) co_return compressed(coding_);
    // The framing says it before the first byte is read, and before the client is asked to send it.
    if (const auto length = source_->content_length(); length && *length > limit_)
        co_return over_limit(limit_);
    auto piece = co_await source_->read_some();
    if (piece) {
        consumed_ += piece->size();
        if (consumed_ > limit_) co_return over_limit(limit_);
    }
    co_return piece;
}

task<result<std::string>> body_reader::read_all(std::size_t limit) {
    std::string content;
    if (const auto length = content_length()) {
        if (*length > limit) co_return over_limit(limit);
        if (*length <= limit_) content.reserve(*length);
    }
    for (;;) {
        auto piece = co_await read_some();
        if (!piece) co_return std::move(piece.error());
        if (piece->empty()) co_return content;
        if (content.size() + piece->size() > limit) co_return over_limit(limit);
        content.append(piece->data(), piece->size());
    }
}

}  // namespace gallery::http
