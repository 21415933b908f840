// SPDX-License-Identifier: Apache-2.0
// The two ways that a request is read, and every way that its bytes may be cut.
#include "http_targets.hpp"

#include "exact.hpp"
#include "http/head_parser.hpp"
#include "http/request_input.hpp"
#include "http/request_parser.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

namespace gallery::http::fuzz {

using gallery::fuzz::exact;
using gallery::fuzz::hold;

namespace {

/// All that a handler can see of a head.
std::string text_of(const request_head& head) {
    std::string out(head.verb_text);
    out += '=' + std::to_string(static_cast<int>(head.verb)) + ' ' + std::string(head.target) + ' ' +
           std::to_string(head.version) + " path " + std::string(head.path) + " query " +
           std::string(head.query);
    for (std::size_t i = 0; i < head.field_count; ++i) {
        const auto& line = head.fields[i];
        out += '\n' + std::string(line.name) + '=' + std::to_string(static_cast<int>(line.id)) + ',' +
               std::to_string(line.next) + ": " + std::string(line.value);
    }
    for (std::size_t i = 0; i < known_fields; ++i)
        out += ' ' + std::to_string(head.first[i]);
    return out;
}

std::string text_of(const framing& frame) {
    return std::to_string(static_cast<int>(frame.body)) + ' ' + std::to_string(frame.length) + ' ' +
           std::to_string(int{frame.keep_alive}) + std::to_string(int{frame.expects_continue});
}

/// Beast's parser reads every head that the strict one accepts, and reads the same.
void compare_ways(std::string_view input) {
    static thread_local request_head strict;
    static thread_local request_head beast;
    static thread_local request_parser parser;
    const exact text(input);
    const auto outcome = parse_head(text.view(), {}, strict);
    if (outcome.status != head_status::complete) return;
    const auto checked = validate_head(strict);
    if (checked.error) return;
    const auto skipped = static_cast<std::size_t>(strict.verb_text.data() - text.view().data());
    exact copy(text.view().substr(skipped, outcome.size - skipped));
    parse_head(copy.view(), {}, beast);
    const std::span<char> bytes(const_cast<char*>(copy.view().data()), copy.view().size());
    hold(parser.read_head(bytes, checked.framing, beast), "Beast reads what the strict parser accepts",
         input);
    hold(text_of(beast) == text_of(strict), "both ways read the same head", input);
}

/// Reads all requests in @p input as a connection does, with @p pieces(n) bytes arriving at the n-th read.
template <class Pieces>
std::string read_all(std::string_view input, Pieces pieces) {
    static thread_local request_head head;
    constexpr head_limits limits{4096, 1024};
    request_input reader(limits.head_bytes);
    std::string out;
    std::size_t reads = 0;
    const auto arrive = [&](std::span<char> room) {
        const auto size = std::min({pieces(reads++), room.size(), input.size()});
        std::memcpy(room.data(), input.data(), size);
        input.remove_prefix(size);
        return size;
    };
    for (;;) {
        auto taken = reader.take_head(limits, head);
        while (taken.status == head_status::incomplete) {
            if (input.empty()) return out + "\n#end of input in a head";
            reader.add(arrive(reader.room()));
            taken = reader.take_head(limits, head);
        }
        if (taken.status == head_status::refused) {
            return out + "\n#refused " + std::to_string(taken.error.status) + ' ' +
                   std::string(taken.error.message);
        }
        const auto checked = reader.begin_request(head);
        if (checked.error) {
            return out + "\n#not valid " + std::to_string(checked.error->status) + ' ' +
                   std::string(checked.error->message);
        }
        out += "\n#request " + text_of(head) + "\n#" + text_of(reader.frame());
        std::string body;
        for (;;) {
            const auto next = reader.next_of_body();
            body.append(next.data.data(), next.data.size());
            if (next.what == request_parser::step::end) break;
            if (next.what == request_parser::step::broken)
                return out + "\n#broken";  // how much came before depends on the cuts
            if (next.what != request_parser::step::need_more) continue;
            if (input.empty()) return out + "\n#end of input in " + body;
            if (!reader.has_block()) reader.lend(std::make_unique_for_overwrite<char[]>(body_block));
            reader.add_to_body(arrive(reader.body_room()));
        }
        out += "\n#body " + body;
        hold(reader.body_ended() && reader.body_left() == 0, "a body that ended has nothing left", input);
        if (reader.has_block()) (void)reader.return_block();
    }
}

}  // namespace

void request(std::string_view input) {
    compare_ways(input);
    // A head that is not complete is looked at again when a line of it ends, so the input ends with a line.
    const auto bytes = std::string(input) + '\n';
    const auto whole = read_all(bytes, [](std::size_t) { return body_block; });
    const auto same = [&](const std::string& cut) {
        hold(cut == whole, "requests do not depend on how their bytes arrive", input);
    };
    same(read_all(bytes, [](std::size_t) { return std::size_t{1}; }));
    same(read_all(bytes, [](std::size_t) { return std::size_t{7}; }));
    // Cuts that depend on the input, so that a fuzzer can look for a bad one.
    std::uint32_t seed = 2166136261U;
    for (const char c : input)
        seed = (seed ^ static_cast<unsigned char>(c)) * 16777619U;
    same(read_all(bytes, [seed](std::size_t n) {
        const auto mixed = (seed + static_cast<std::uint32_t>(n)) * 2654435761U;
        return std::size_t{1} + (mixed >> 16) % ((mixed & 1U) != 0 ? 8 : 100);
    }));
}

}  // namespace gallery::http::fuzz
