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

class string_source final : public body_source {
public:
    explicit string_source(std::string content) : content_(std::move(content)) {}
    [[nodiscard]] std::optional<std::uint64_t> content_length() const noexcept override {
        return content_.size();
    }
    task<result<std::span<const char>>> read_some() override {
        const std::span<const char> all(content_);
        if (std::exchange(done_, true)) co_return all.last(0);
        co_return all;
    }

private:
    std::string content_;
    bool done_ = false;
};

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

std::unique_ptr<body_source> make_body_source(std::string content) {
    return std::make_unique<string_source>(std::move(content));
}

}  // namespace gallery::http
