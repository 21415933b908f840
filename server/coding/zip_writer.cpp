// SPDX-License-Identifier: Apache-2.0
#include "coding/zip_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace gallery {
namespace {

constexpr std::uint32_t local_header = 0x04034b50;
constexpr std::uint32_t directory_entry = 0x02014b50;
constexpr std::uint32_t end_of_directory = 0x06054b50;
constexpr std::uint32_t zip64_end_of_directory = 0x06064b50;
constexpr std::uint32_t zip64_locator = 0x07064b50;

// In place of a number that only a Zip64 field can state.
constexpr std::uint32_t see_zip64 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint16_t see_zip64_count = std::numeric_limits<std::uint16_t>::max();

constexpr std::uint16_t needs_version_2 = 20;
constexpr std::uint16_t needs_zip64 = 45;
constexpr std::uint16_t utf8_name = 1U << 11U;
constexpr std::uint16_t stored = 0;
constexpr std::uint16_t zip64_extra = 1;

template <class Number>
void put(std::string& out, Number value) {
    for (unsigned shift = 0; shift < 8 * sizeof value; shift += 8)
        out += static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xFFU);
}

std::uint32_t saturated(std::uint64_t value) noexcept {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, see_zip64));
}

/// Date in the upper half, time of day in the lower one, in steps of two seconds, in UTC.
std::uint32_t dos_time(std::int64_t ms) {
    using namespace std::chrono;
    constexpr sys_time<milliseconds> first = sys_days(year(1980) / 1 / 1);
    constexpr sys_time<milliseconds> last = sys_days(year(2108) / 1 / 1) - seconds(2);
    const auto at = std::clamp(sys_time<milliseconds>(milliseconds(ms)), first, last);
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const hh_mm_ss time(floor<seconds>(at - day));
    const auto years = static_cast<std::uint32_t>(int{date.year()} - 1980);
    return (years << 9U | unsigned{date.month()} << 5U | unsigned{date.day()}) << 16U |
           static_cast<std::uint32_t>(time.hours().count()) << 11U |
           static_cast<std::uint32_t>(time.minutes().count()) << 5U |
           static_cast<std::uint32_t>(time.seconds().count()) / 2U;
}

}  // namespace

std::uint32_t zip_crc(std::uint32_t so_far, std::span<const char> data) noexcept {
    return static_cast<std::uint32_t>(
        ::crc32_z(so_far, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string zip_writer::begin(const entry& what) {
    // The same fields are in front of the content and in the directory.
    const auto put_facts = [&what](std::string& out, std::uint16_t version, std::size_t extra) {
        put(out, version);
        put(out, utf8_name);
        put(out, stored);
        put(out, dos_time(what.time_ms));
        put(out, what.crc);
        put(out, saturated(what.size));
        put(out, saturated(what.size));
        put(out, static_cast<std::uint16_t>(what.name.size()));
        put(out, static_cast<std::uint16_t>(extra));
    };
    const auto as_field = [](const std::string& numbers) {
        std::string out;
        if (numbers.empty()) return out;
        put(out, zip64_extra);
        put(out, static_cast<std::uint16_t>(numbers.size()));
        return out + numbers;
    };
    std::string numbers;
    if (what.size >= see_zip64) {
        put(numbers, what.size);
        put(numbers, what.size);
    }
    auto extra = as_field(numbers);
    std::string out;
    out.reserve(30 + what.name.size() + extra.size());
    put(out, local_header);
    put_facts(out, extra.empty() ? needs_version_2 : needs_zip64, extra.size());
    out += what.name;
    out += extra;

    if (position_ >= see_zip64) put(numbers, position_);
    extra = as_field(numbers);
    const auto version = extra.empty() ? needs_version_2 : needs_zip64;
    put(directory_, directory_entry);
    put(directory_, version);  // made by, on a system without permissions of files
    put_facts(directory_, version, extra.size());
    put(directory_, std::uint16_t{0});  // comment
    put(directory_, std::uint16_t{0});  // disk
    put(directory_, std::uint16_t{0});  // internal attributes
    put(directory_, std::uint32_t{0});  // external attributes
    put(directory_, saturated(position_));
    directory_ += what.name;
    directory_ += extra;
    ++entries_;
    position_ += out.size() + what.size;
    return out;
}

std::string zip_writer::finish() {
    auto out = std::move(directory_);
    const std::uint64_t size = out.size();
    if (entries_ >= see_zip64_count || size >= see_zip64 || position_ >= see_zip64) {
        put(out, zip64_end_of_directory);
        put(out, std::uint64_t{44});  // bytes that follow
        put(out, needs_zip64);
        put(out, needs_zip64);
        put(out, std::uint32_t{0});  // disk
        put(out, std::uint32_t{0});  // disk of the directory
        put(out, entries_);
        put(out, entries_);
        put(out, size);
        put(out, position_);
        put(out, zip64_locator);
        put(out, std::uint32_t{0});  // disk
        put(out, position_ + size);
        put(out, std::uint32_t{1});  // disks
    }
    const auto count = static_cast<std::uint16_t>(std::min<std::uint64_t>(entries_, see_zip64_count));
    put(out, end_of_directory);
    put(out, std::uint16_t{0});  // disk
    put(out, std::uint16_t{0});  // disk of the directory
    put(out, count);
    put(out, count);
    put(out, saturated(size));
    put(out, saturated(position_));
    put(out, std::uint16_t{0});  // comment
    return out;
}

}  // namespace gallery
