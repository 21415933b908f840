// SPDX-License-Identifier: Apache-2.0
/// What a handler sees of a request.
#pragma once

#include "http/body_reader.hpp"
#include "http/fields.hpp"
#include "http/request_id.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::http {

struct front_door;

struct field_line {
    std::string_view name;
    std::string_view value;  ///< without white space around it
    field id = field::other;
    std::uint8_t next = 0;  ///< position + 1 of the next line of the same known field; 0 = none
};

/// The head of a request as views into the connection's read buffer. Filled by parse_head().
struct request_head {
    static constexpr std::size_t max_fields = 100;

    method verb = method::unknown;
    std::uint8_t version = 11;  ///< 10 or 11
    std::uint8_t field_count = 0;
    std::string_view verb_text;
    std::string_view target;  ///< as received
    std::string_view path;    ///< of origin- and absolute-form, undecoded; "*" stays "*"
    std::string_view query;   ///< without the question mark
    std::array<field_line, max_fields> fields;
    std::array<std::uint8_t, known_fields> first{};  ///< position + 1 of a known field's first line
    std::array<std::uint8_t, known_fields> last{};

    void clear() noexcept;
    /// No body, no expectation, no other origin: none of the first four known fields.
    [[nodiscard]] bool is_plain() const noexcept {
        std::uint32_t rare = 0;
        std::memcpy(&rare, first.data(), sizeof rare);
        return rare == 0;
    }
    /// Preconditions: field_count < max_fields; @p id is the name's.
    void append(std::string_view name, std::string_view value, field id) noexcept {
        fields[field_count++] = {.name = name, .value = value, .id = id};
        if (id == field::other) return;
        const auto known = static_cast<std::size_t>(id);
        if (first[known] == 0) {
            first[known] = field_count;
        } else {
            fields[last[known] - 1U].next = field_count;
        }
        last[known] = field_count;
    }
};

/// Threads: the connection's I/O thread only. Every view is valid until the response has been written;
/// copy what must live longer.
class request {
public:
    [[nodiscard]] method verb() const noexcept { return head_.verb; }
    [[nodiscard]] std::string_view verb_text() const noexcept { return head_.verb_text; }
    [[nodiscard]] std::string_view target() const noexcept { return head_.target; }
    /// Undecoded; param() has the decoded segments.
    [[nodiscard]] std::string_view path() const noexcept { return head_.path; }
    /// Undecoded, without '?'; see query_view.
    [[nodiscard]] std::string_view query() const noexcept { return head_.query; }
    /// 10 or 11.
    [[nodiscard]] int version() const noexcept { return head_.version; }

    /// The first line's value; empty where the field is missing or empty.
    [[nodiscard]] std::string_view header(field id) const noexcept {
        const auto at = head_.first[static_cast<std::size_t>(id)];
        return at == 0 ? std::string_view() : head_.fields[at - 1U].value;
    }
    [[nodiscard]] bool has(field id) const noexcept { return head_.first[static_cast<std::size_t>(id)] != 0; }
    /// Each line's value in order: fn(std::string_view).
    template <class Function>
    void for_each(field id, Function&& fn) const {
        for (std::size_t at = head_.first[static_cast<std::size_t>(id)]; at != 0;
             at = head_.fields[at - 1].next) {
            fn(head_.fields[at - 1].value);
        }
    }
    /// Any field by name, without regard to case; looks at every line.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
    [[nodiscard]] const request_head& head() const noexcept { return head_; }

    /// The matched route's parameters in order, percent-decoded exactly once, valid UTF-8. They are data:
    /// "/", "..", NUL and control characters may be in them. Precondition: index < param_count().
    [[nodiscard]] const std::string& param(std::size_t index) const noexcept { return params_[index]; }
    [[nodiscard]] std::size_t param_count() const noexcept { return param_count_; }
    /// The matched route's name (route_options::name), else empty.
    [[nodiscard]] std::string_view route_name() const noexcept { return route_name_; }

    /// The client's address as text, without port: the peer's, or that for which a trusted proxy speaks.
    [[nodiscard]] std::string_view remote_address() const noexcept { return remote_address_; }
    /// The connection's own; see client_view::secure for what the client uses.
    [[nodiscard]] bool is_secure() const noexcept { return secure_; }
    /// What stands between clients and the server, for view_of(); null in tests without a server.
    [[nodiscard]] const front_door* front() const noexcept { return front_; }
    /// The peer is a trusted proxy.
    [[nodiscard]] bool is_from_proxy() const noexcept { return from_proxy_; }

    /// Names this request in error answers and in logs: X-Request-ID of a trusted proxy, else the trace id of
    /// its traceparent, else an id that is made at the first call. Empty in tests without a server.
    [[nodiscard]] std::string_view request_id() const noexcept {
        if (request_id_size_ == 0) find_request_id();
        return {request_id_.data(), request_id_size_};
    }
    /// Of a trusted proxy's traceparent; empty where there is none.
    [[nodiscard]] std::string_view trace_id() const noexcept;

    [[nodiscard]] body_reader& body() noexcept { return body_; }

    /// A place for what the hot try found out (for instance the principal), so that the handler of the same
    /// request need not do it again, and for the access observer. Empty at the start of each request.
    [[nodiscard]] std::shared_ptr<const void>& attachment() noexcept { return attachment_; }
    [[nodiscard]] const std::shared_ptr<const void>& attachment() const noexcept { return attachment_; }

    // For the session, the router and tests.
    request_head& mutable_head() noexcept { return head_; }
    void set_peer(std::string_view address, bool secure) noexcept {
        remote_address_ = address;
        secure_ = secure;
    }
    /// @p door outlives the request.
    void set_front(const front_door* door, bool from_proxy) noexcept {
        front_ = door;
        from_proxy_ = from_proxy;
    }
    /// @p ids outlives the request.
    void set_ids(request_ids& ids) noexcept { ids_ = &ids; }
    /// For a server below a path: what the route is looked for by.
    void set_path(std::string_view path) noexcept { head_.path = path; }
    void set_body(body_reader reader) noexcept { body_ = reader; }
    void set_route_name(std::string_view name) noexcept { route_name_ = name; }
    void clear_params() noexcept { param_count_ = 0; }
    /// A string to decode the next parameter into; keeps its capacity from request to request.
    std::string& next_param();
    void drop_params(std::size_t count) noexcept { param_count_ = count; }
    /// Forgets the last request, keeps the memory.
    void reset() noexcept;

private:
    void find_request_id() const noexcept;

    request_head head_;
    std::vector<std::string> params_;
    std::size_t param_count_ = 0;
    std::string_view route_name_;
    std::string_view remote_address_;
    const front_door* front_ = nullptr;
    request_ids* ids_ = nullptr;
    mutable std::array<char, longest_request_id> request_id_{};  // written at the first question
    mutable std::uint8_t request_id_size_ = 0;
    bool secure_ = false;
    bool from_proxy_ = false;
    body_reader body_;
    std::shared_ptr<const void> attachment_;
};

}  // namespace gallery::http
