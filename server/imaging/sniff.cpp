// SPDX-License-Identifier: Apache-2.0
#include "imaging/sniff.hpp"

#include "imaging/xml.hpp"

#include <gallery/characters.hpp>
#include <gallery/media_type.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace gallery::imaging {
namespace {

using namespace std::string_view_literals;

/// Reads the table of media types when this is compiled: a format without a type there is an error.
struct format_row {
    consteval format_row(format f, std::string_view n, std::string_view extension)
        : kind(f), name(n), media_type(media_type_of(extension)) {
        if (media_type.empty()) throw "gallery/media_type.hpp lacks the extension";
    }
    format kind;
    std::string_view name;
    std::string_view media_type;
};

/// All that there are, in the order in which messages name them.
constexpr std::array formats{
    format_row(format::png, "PNG", "png"),    format_row(format::jpeg, "JPEG", "jpeg"),
    format_row(format::gif, "GIF", "gif"),    format_row(format::webp, "WebP", "webp"),
    format_row(format::avif, "AVIF", "avif"), format_row(format::heif, "HEIF", "heif"),
    format_row(format::tiff, "TIFF", "tiff"), format_row(format::bmp, "BMP", "bmp"),
    format_row(format::ico, "ICO", "ico"),    format_row(format::svg, "SVG", "svg"),
};

const format_row* row_of(format f) noexcept {
    const auto* const row = std::ranges::find(formats, f, &format_row::kind);
    return row == formats.end() ? nullptr : row;
}

std::uint32_t le32(std::string_view d, std::size_t at) noexcept {
    std::uint32_t v = 0;
    for (std::size_t i = 4; i-- > 0;)
        v = v << 8 | static_cast<unsigned char>(d[at + i]);
    return v;
}

std::uint32_t be32(std::string_view d, std::size_t at) noexcept {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4; ++i)
        v = v << 8 | static_cast<unsigned char>(d[at + i]);
    return v;
}

bool at(std::string_view d, std::size_t where, std::string_view what) noexcept {
    return d.size() >= where + what.size() && d.substr(where, what.size()) == what;
}

// ISO base media files (ISO/IEC 14496-12, 4.3): a box "ftyp" with a major brand, a version and compatible
// brands. HEIF files are marked by the brands of ISO/IEC 23008-12 and by AVIF's own.
sniffed sniff_ftyp(std::string_view d) noexcept {
    const std::size_t end = std::min<std::size_t>({d.size(), be32(d, 0), 256});
    bool avif = false;
    bool heif = false;
    for (std::size_t i = 8; i + 4 <= end; i += 4) {
        if (i == 12) continue;  // the minor version
        const auto brand = d.substr(i, 4);
        avif = avif || brand == "avif"sv || brand == "avis"sv;
        for (const auto known :
             {"heic"sv, "heix"sv, "hevc"sv, "hevx"sv, "heim"sv, "heis"sv, "mif1"sv, "msf1"sv}) {
            heif = heif || brand == known;
        }
    }
    if (avif) return {format::avif, "an AVIF image"};
    if (heif) return {format::heif, "a HEIF image"};
    if (at(d, 8, "qt  ")) return {format::unknown, "a QuickTime video"};
    if (at(d, 8, "crx ")) return {format::unknown, "a Canon raw photograph"};
    if (at(d, 8, "jp2 ") || at(d, 8, "jpx ")) return {format::unknown, "a JPEG 2000 image"};
    return {format::unknown, "an MP4 video or audio file"};
}

bool plausible_bmp(std::string_view d) noexcept {
    if (d.size() < 26) return false;
    constexpr std::array<std::uint32_t, 8> header_sizes{12, 16, 40, 52, 56, 64, 108, 124};
    return std::ranges::find(header_sizes, le32(d, 14)) != header_sizes.end();
}

// ICONDIR: reserved, type 1, count; then the first ICONDIRENTRY, whose fourth byte is reserved and whose
// offset lies behind the directory.
bool plausible_ico(std::string_view d) noexcept {
    if (d.size() < 22) return false;
    const auto count = le32(d, 4) & 0xffff;
    return count > 0 && le32(d, 18) >= 6 + 16 * count;
}

struct signature {
    std::size_t offset;
    std::string_view bytes;
    sniffed answer;
};

constexpr std::array signatures{
    signature{0, "\x89PNG\r\n\x1a\n"sv, {format::png, "a PNG image"}},
    signature{0, "\xff\xd8\xff"sv, {format::jpeg, "a JPEG image"}},
    signature{0, "GIF87a"sv, {format::gif, "a GIF image"}},
    signature{0, "GIF89a"sv, {format::gif, "a GIF image"}},
    signature{0, "II*\0"sv, {format::tiff, "a TIFF image"}},
    signature{0, "MM\0*"sv, {format::tiff, "a TIFF image"}},
    signature{0, "II+\0"sv, {format::tiff, "a TIFF image"}},
    signature{0, "MM\0+"sv, {format::tiff, "a TIFF image"}},
    // From here on only for the text of a refusal.
    signature{1, "PNG"sv, {format::unknown, "a PNG image whose signature is damaged"}},
    signature{0, "%PDF-"sv, {format::unknown, "a PDF document"}},
    signature{0, "%!PS"sv, {format::unknown, "a PostScript document"}},
    signature{0, "PK\x03\x04"sv, {format::unknown, "a ZIP archive or an office document"}},
    signature{0, "PK\x05\x06"sv, {format::unknown, "an empty ZIP archive"}},
    signature{0, "\x1f\x8b"sv, {format::unknown, "a gzip archive"}},
    signature{0, "BZh"sv, {format::unknown, "a bzip2 archive"}},
    signature{0,
              "\xfd"
              "7zXZ\0"sv,
              {format::unknown, "an xz archive"}},
    signature{0, "\x28\xb5\x2f\xfd"sv, {format::unknown, "a Zstandard archive"}},
    signature{0, "7z\xbc\xaf\x27\x1c"sv, {format::unknown, "a 7-Zip archive"}},
    signature{0, "Rar!"sv, {format::unknown, "a RAR archive"}},
    signature{257, "ustar"sv, {format::unknown, "a tar archive"}},
    signature{0, "\xd0\xcf\x11\xe0"sv, {format::unknown, "an old office document"}},
    signature{0,
              "\x7f"
              "ELF"sv,
              {format::unknown, "a Linux program"}},
    signature{0, "MZ"sv, {format::unknown, "a Windows program"}},
    signature{0, "8BPS"sv, {format::unknown, "a Photoshop document"}},
    signature{0, "gimp xcf"sv, {format::unknown, "a GIMP document"}},
    signature{0, "\0\0\0\x0cjP  "sv, {format::unknown, "a JPEG 2000 image"}},
    signature{0, "\xff\x4f\xff\x51"sv, {format::unknown, "a JPEG 2000 image"}},
    signature{0, "\0\0\0\x0cJXL "sv, {format::unknown, "a JPEG XL image"}},
    signature{0, "\xff\x0a"sv, {format::unknown, "a JPEG XL image"}},
    signature{0, "\0\0\x02\0"sv, {format::unknown, "a Windows cursor"}},
    signature{0, "\x1a\x45\xdf\xa3"sv, {format::unknown, "a Matroska or WebM video"}},
    signature{8, "AVI "sv, {format::unknown, "an AVI video"}},
    signature{8, "WAVE"sv, {format::unknown, "a WAV recording"}},
    signature{0, "OggS"sv, {format::unknown, "an Ogg recording"}},
    signature{0, "ID3"sv, {format::unknown, "an MP3 recording"}},
    signature{0, "fLaC"sv, {format::unknown, "a FLAC recording"}},
    signature{0, "SQLite format 3"sv, {format::unknown, "an SQLite database"}},
    signature{0, "wOF2"sv, {format::unknown, "a web font"}},
    signature{0, "wOFF"sv, {format::unknown, "a web font"}},
};

// Text in any of the encodings that XML parsers must read; other encodings are found by their bytes.
sniffed sniff_text(std::string_view d) noexcept {
    constexpr std::size_t examined = 4096;
    const auto head = d.substr(0, examined);
    const auto first = head.find_first_not_of(" \t\r\n");
    if (first == head.npos) return {format::unknown, "a file that contains only white space"};
    const bool binary = std::ranges::any_of(head, [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\x1b';
    });
    if (binary) return {format::unknown, "unknown binary data"};
    if (head[first] == '{' || head[first] == '[') return {format::unknown, "a JSON document"};
    if (at(head, 0, "#!")) return {format::unknown, "a script"};
    return {format::unknown, "plain text"};
}

sniffed sniff_markup(std::string_view d) noexcept {
    const auto root = xml::find_root(d);
    if (root.html_doctype) return {format::unknown, "an HTML document"};
    if (root.name.empty()) return sniff_text(d);
    const auto colon = root.name.rfind(':');
    const auto local = colon == root.name.npos ? root.name : root.name.substr(colon + 1);
    if (local == "svg") return {format::svg, "an SVG image"};
    for (const auto tag : {"html"sv, "head"sv, "body"sv, "script"sv, "p"sv, "div"sv, "title"sv}) {
        if (equals_ignoring_case(local, tag)) return {format::unknown, "an HTML document"};
    }
    return {format::unknown, "an XML document other than SVG"};
}

}  // namespace

std::string_view media_type(format f) noexcept {
    const auto* const row = row_of(f);
    return row == nullptr ? std::string_view() : row->media_type;
}

std::string_view display_name(format f) noexcept {
    const auto* const row = row_of(f);
    return row == nullptr ? std::string_view() : row->name;
}

sniffed sniff(std::string_view d) noexcept {
    if (d.empty()) return {format::unknown, "an empty file"};
    if (at(d, 0, "RIFF") && at(d, 8, "WEBP")) return {format::webp, "a WebP image"};
    if (d.size() >= 12 && at(d, 4, "ftyp")) return sniff_ftyp(d);
    if (at(d, 0, "BM") && plausible_bmp(d)) return {format::bmp, "a BMP image"};
    if (at(d, 0, "\0\0\1\0"sv) && plausible_ico(d)) return {format::ico, "a Windows icon"};
    for (const auto& s : signatures) {
        if (at(d, s.offset, s.bytes)) return s.answer;
    }
    if (xml::is_utf16(d)) {
        // A UTF-16 document is examined in UTF-8; its prologue is short in all that is not an attack.
        constexpr std::size_t prologue = 65536;
        const auto text = xml::utf8_from_utf16(d.substr(0, prologue));
        const auto found = sniff_markup(text);
        if (found.kind == format::svg || found.looks_like != "unknown binary data") return found;
        return {format::unknown, "unknown binary data"};
    }
    if (at(d, 0, "\xef\xbb\xbf")) d.remove_prefix(3);
    return sniff_markup(d);
}

std::string not_an_image_text(const sniffed& found) {
    std::string text = "The file is not an image: it looks like ";
    text += found.looks_like;
    text += ". Accepted are ";
    for (const auto& each : formats) {
        if (&each != formats.begin()) text += &each + 1 == formats.end() ? " and " : ", ";
        text += each.name;
    }
    text += '.';
    return text;
}

}  // namespace gallery::imaging
