// SPDX-License-Identifier: Apache-2.0
#include "app/access_line.hpp"

#include "app/loggable_target.hpp"
#include "http/scan.hpp"

#include <gallery/encode.hpp>

#include <bit>
#include <charconv>
#include <cstring>
#include <ctime>

namespace gallery::app {

namespace {

constexpr bool is_plain(char c) noexcept {
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

#if defined(__SSE2__)
/// A bit for each of 16 characters that is not plain.
unsigned special_in_16(const char* at) noexcept {
    const auto block = http::scan::load(at);
    // As signed bytes, those above 0x7F are below 0x20.
    const auto printable = _mm_cmpgt_epi8(block, _mm_set1_epi8(0x1F));
    const auto quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    const auto backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    const auto del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7F));
    const auto special = _mm_or_si128(_mm_or_si128(quote, backslash), del);
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_andnot_si128(special, printable))) ^ 0xFFFFU;
}
#endif

/// The first character that has to be escaped; @p end if there is none.
const char* find_special(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
    const char* const begin = at;
    for (; end - at >= 16; at += 16) {
        if (const auto mask = special_in_16(at); mask != 0) return at + std::countr_zero(mask);
    }
    if (end - begin >= 16) {
        // The rest together with bytes that were seen before, in which nothing is found again.
        const auto mask = special_in_16(end - 16);
        return mask == 0 ? end : end - 16 + std::countr_zero(mask);
    }
#endif
    while (at != end && is_plain(*at))
        ++at;
    return at;
}

/// Appends to memory that is large enough.
class line_text {
public:
    /// @p numeric: what is in front of the two digits of a byte that is not printable.
    line_text(char* at, std::string_view numeric) noexcept : at_(at), numeric_(numeric) {}

    [[nodiscard]] char* end() const noexcept { return at_; }

    /// As it is.
    void put(std::string_view text) noexcept {
        if (text.empty()) return;  // and may have no memory
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    void put(char c) noexcept { *at_++ = c; }

    void number(std::uint64_t value) noexcept { at_ = std::to_chars(at_, at_ + 20, value).ptr; }

    /// With six digits behind the point.
    void seconds(std::chrono::nanoseconds time) noexcept {
        constexpr std::uint64_t million = 1'000'000;
        const auto microseconds = static_cast<std::uint64_t>(time.count() < 0 ? 0 : time.count() / 1000);
        number(microseconds / million);
        auto rest = microseconds % million;
        *at_ = '.';
        for (int i = 6; i > 0; --i, rest /= 10)
            at_[i] = static_cast<char>('0' + rest % 10);
        at_ += 7;
    }

    /// In the canonical form.
    void id(const uuid& value) noexcept {
        const auto digits = hex_digits(std::bit_cast<std::array<std::byte, 16>>(value));
        const std::string_view all(digits.data(), digits.size());
        put(all.substr(0, 8));
        put('-');
        put(all.substr(8, 4));
        put('-');
        put(all.substr(12, 4));
        put('-');
        put(all.substr(16, 4));
        put('-');
        put(all.substr(20, 12));
    }
    void id_or_dash(const uuid* value) noexcept {
        if (value != nullptr) {
            id(*value);
        } else {
            put('-');
        }
    }

    void escaped(std::string_view text) noexcept {
        const char* at = text.data();
        const char* const end = at + text.size();
        for (;;) {
            const char* const special = find_special(at, end);
            put(std::string_view(at, static_cast<std::size_t>(special - at)));
            if (special == end) return;
            escape(*special);
            at = special + 1;
        }
    }
    /// Cut where it is longer than that.
    void escaped(std::string_view text, std::size_t most) noexcept {
        escaped(text.substr(0, most));
        if (text.size() > most) put("...");
    }

    void target(const access_entry& entry) noexcept {
        const auto emit = [this](std::string_view part) { escaped(part); };
        emit_target(entry.target.substr(0, longest_logged_target), link_in_path_of(entry.route), emit);
        if (entry.target.size() > longest_logged_target) put("...");
    }
    void referrer(const access_entry& entry) noexcept {
        const auto emit = [this](std::string_view part) { escaped(part); };
        emit_referrer(entry.referrer.substr(0, longest_logged_header), emit);
        if (entry.referrer.size() > longest_logged_header) put("...");
    }

private:
    void escape(char c) noexcept {
        if (c == '"' || c == '\\') {
            put('\\');
            put(c);
            return;
        }
        const auto byte = static_cast<unsigned char>(c);
        put(numeric_);
        put(lower_hex_digits[byte >> 4U]);
        put(lower_hex_digits[byte & 15U]);
    }

    char* at_;
    std::string_view numeric_;
};

std::string_view text_of(cache_outcome cache) noexcept {
    switch (cache) {
        case cache_outcome::none:
            return "-";
        case cache_outcome::hit:
            return "hit";
        case cache_outcome::revalidated:
            return "revalidated";
        case cache_outcome::miss:
            return "miss";
    }
    return "-";
}

std::string_view protocol_of(int version) noexcept {
    return version == 10 ? "HTTP/1.0" : "HTTP/1.1";
}

constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The decimal digits of @p value, @p width of them.
void put_digits(char*& at, int value, int width) noexcept {
    for (int i = width - 1; i >= 0; --i, value /= 10)
        at[i] = static_cast<char>('0' + value % 10);
    at += width;
}

}  // namespace

std::string_view access_line::write(const access_entry& entry) noexcept {
    if (const auto second = entry.milliseconds / 1000; second != second_) note_second(second);
    const char* const end =
        format_ == config::access_log_format::json ? write_json(entry) : write_combined(entry);
    return {text_.data(), static_cast<std::size_t>(end - text_.data())};
}

// "29/Nov/2026:20:36:23 +0000", or "2026-11-29T20:36:23" without the fraction of the second.
void access_line::note_second(std::int64_t second) noexcept {
    second_ = second;
    const auto time = static_cast<std::time_t>(second);
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    char* at = date_.data();
    const auto put = [&at](std::string_view text) {
        std::memcpy(at, text.data(), text.size());
        at += text.size();
    };
    const auto clock = [&] {
        put_digits(at, parts.tm_hour, 2);
        put(":");
        put_digits(at, parts.tm_min, 2);
        put(":");
        put_digits(at, parts.tm_sec, 2);
    };
    if (format_ == config::access_log_format::json) {
        put_digits(at, parts.tm_year + 1900, 4);
        put("-");
        put_digits(at, parts.tm_mon + 1, 2);
        put("-");
        put_digits(at, parts.tm_mday, 2);
        put("T");
        clock();
    } else {
        put_digits(at, parts.tm_mday, 2);
        put("/");
        put(months[static_cast<std::size_t>(parts.tm_mon)]);
        put("/");
        put_digits(at, parts.tm_year + 1900, 4);
        put(":");
        clock();
        put(" +0000");
    }
    date_size_ = static_cast<std::size_t>(at - date_.data());
}

// Apache's combined format, and behind it what it has no field for, as name=value.
char* access_line::write_combined(const access_entry& entry) noexcept {
    line_text out(text_.data(), "\\x");
    out.escaped(entry.client);
    out.put(" - ");
    out.id_or_dash(entry.user);
    out.put(" [");
    out.put({date_.data(), date_size_});
    out.put("] \"");
    if (entry.method.empty() || entry.target.empty()) {
        out.put('-');  // of a head that could not be read
    } else {
        out.escaped(entry.method);
        out.put(' ');
        out.target(entry);
        out.put(' ');
        out.put(protocol_of(entry.version));
    }
    out.put("\" ");
    out.number(entry.status);
    out.put(' ');
    out.number(entry.sent);
    out.put(" \"");
    if (entry.referrer.empty()) {
        out.put('-');
    } else {
        out.referrer(entry);
    }
    out.put("\" \"");
    if (entry.user_agent.empty()) {
        out.put('-');
    } else {
        out.escaped(entry.user_agent, longest_logged_header);
    }
    out.put("\" id=");
    out.put(entry.id);
    out.put(" tenant=");
    out.id_or_dash(entry.tenant);
    out.put(" key=");
    out.id_or_dash(entry.api_key);
    out.put(" time=");
    out.seconds(entry.duration);
    out.put(" cache=");
    out.put(text_of(entry.cache));
    out.put(entry.complete ? std::string_view(" sent=all\n") : std::string_view(" sent=part\n"));
    return out.end();
}

// Members without a value are left out.
char* access_line::write_json(const access_entry& entry) noexcept {
    line_text out(text_.data(), "\\u00");
    out.put(R"({"time":")");
    out.put({date_.data(), date_size_});
    out.put('.');
    char fraction[3];
    char* at = fraction;
    put_digits(at, static_cast<int>(entry.milliseconds % 1000), 3);
    out.put({fraction, sizeof fraction});
    out.put(R"(Z","id":")");
    out.put(entry.id);
    if (!entry.trace.empty()) {
        out.put(R"(","trace":")");
        out.put(entry.trace);
    }
    out.put(R"(","client":")");
    out.escaped(entry.client);
    const auto id = [&out](std::string_view before, const uuid* value) {
        if (value == nullptr) return;
        out.put(before);
        out.id(*value);
    };
    id(R"(","user":")", entry.user);
    id(R"(","apiKey":")", entry.api_key);
    id(R"(","tenant":")", entry.tenant);
    if (!entry.method.empty() && !entry.target.empty()) {
        out.put(R"(","method":")");
        out.escaped(entry.method);
        out.put(R"(","target":")");
        out.target(entry);
        out.put(R"(","protocol":")");
        out.put(protocol_of(entry.version));
    }
    if (!entry.route.empty()) {
        out.put(R"(","route":")");
        out.put(entry.route);
    }
    if (!entry.referrer.empty()) {
        out.put(R"(","referrer":")");
        out.referrer(entry);
    }
    if (!entry.user_agent.empty()) {
        out.put(R"(","userAgent":")");
        out.escaped(entry.user_agent, longest_logged_header);
    }
    if (entry.cache != cache_outcome::none) {
        out.put(R"(","cache":")");
        out.put(text_of(entry.cache));
    }
    out.put(R"(","status":)");
    out.number(entry.status);
    out.put(R"(,"received":)");
    out.number(entry.received);
    out.put(R"(,"sent":)");
    out.number(entry.sent);
    out.put(R"(,"seconds":)");
    out.seconds(entry.duration);
    out.put(R"(,"complete":)");
    out.put(entry.complete ? std::string_view("true}\n") : std::string_view("false}\n"));
    return out.end();
}

}  // namespace gallery::app
