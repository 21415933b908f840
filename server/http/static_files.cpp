// SPDX-License-Identifier: Apache-2.0
#include "http/static_files.hpp"

#include "coding/compress.hpp"
#include "http/content_coding.hpp"
#include "http/errors.hpp"
#include "http/forwarded.hpp"
#include "http/media_type.hpp"
#include "http/percent.hpp"
#include "http/serve_bytes.hpp"

#include <gallery/bytes.hpp>
#include <gallery/files.hpp>
#include <gallery/sha256.hpp>

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

namespace gallery::http {

namespace {

struct coded_content {
    gallery::bytes content;
    std::string etag;
};

struct file {
    std::string media_type;
    std::string_view cache_control;
    std::string prepared;
    coded_content identity;
    std::optional<coded_content> gzip, brotli;
};

constexpr std::string_view immutable = "public, max-age=31536000, immutable";
constexpr std::size_t worth_compressing = 512;

bool is_compressible(std::string_view type) noexcept {
    return type.starts_with("text/") || type.starts_with("application/json") ||
           type.starts_with("image/svg") || type.starts_with("application/manifest") ||
           type.starts_with("application/xml") || type.starts_with("application/wasm");
}

coded_content make_coded(std::string content) {
    coded_content made;
    made.etag = to_hex(sha256(content)).substr(0, 32);
    made.content = gallery::bytes::own(std::move(content));
    return made;
}

constexpr std::string_view ending_of(content_coding coding) noexcept {
    return coding == content_coding::brotli ? ".br" : ".gz";
}

/// Whether it is a compressed form of a file beside it.
bool is_coded_form(const std::filesystem::path& path) {
    const auto ending = path.extension();
    std::error_code failure;
    return (ending == ending_of(content_coding::brotli) || ending == ending_of(content_coding::gzip)) &&
           std::filesystem::exists(std::filesystem::path(path).replace_extension(), failure);
}

/// What the build has compressed; whoever changed the file since gets it as it is now.
std::optional<std::string> coded_at_build(const std::filesystem::path& path, content_coding coding) {
    auto beside = path;
    beside += ending_of(coding);
    std::error_code failure;
    const auto made = std::filesystem::last_write_time(beside, failure);
    if (failure || made < std::filesystem::last_write_time(path, failure) || failure) return std::nullopt;
    auto content = read_file(beside);
    if (!content) return std::nullopt;
    return std::move(*content);
}

std::optional<coded_content> coded(const std::filesystem::path& path, std::string_view content,
                                   content_coding coding) {
    auto made = coded_at_build(path, coding);
    if (!made) made = compress(content, coding, effort::once);
    if (!made) return std::nullopt;
    return make_coded(std::move(*made));
}

result<file> load_file(const std::filesystem::path& path, const static_files_options& options) {
    auto content = read_file(path);
    if (!content) return std::move(content.error());
    file made;
    made.media_type = media_type_of_file(path.filename().string());
    made.cache_control = has_hashed_name(path.filename().string()) ? immutable : "no-cache";
    made.prepared =
        "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: ";
    made.prepared.append(options.content_security_policy).append("\r\n");
    if (is_compressible(made.media_type) && content->size() >= worth_compressing) {
        made.brotli = coded(path, *content, content_coding::brotli);
        made.gzip = coded(path, *content, content_coding::gzip);
    }
    made.identity = make_coded(std::move(*content));
    return made;
}

}  // namespace

struct static_files::state {
    static_files_options options;
    std::string not_below;
    std::unordered_map<std::string, file> files;  // by path, "/index.html"
    const file* index = nullptr;
    std::size_t memory = 0;
};

static_files::static_files(std::unique_ptr<const state> loaded) : state_(std::move(loaded)) {}
static_files::~static_files() = default;

result<std::shared_ptr<const static_files>> static_files::load(const std::filesystem::path& folder,
                                                               static_files_options options) {
    namespace fs = std::filesystem;
    auto loaded = std::make_unique<state>();
    loaded->options = options;
    loaded->not_below = options.not_below;
    std::error_code failure;
    for (fs::recursive_directory_iterator at(folder, failure), end; !failure && at != end;
         at.increment(failure)) {
        if (!at->is_regular_file() || is_coded_form(at->path())) continue;
        auto made = load_file(at->path(), options);
        if (!made) return std::move(made.error());
        loaded->memory += made->identity.content.size() + (made->brotli ? made->brotli->content.size() : 0) +
                          (made->gzip ? made->gzip->content.size() : 0);
        loaded->files.emplace("/" + at->path().lexically_relative(folder).generic_string(), std::move(*made));
    }
    if (failure) {
        return error{errc::not_found,
                     "Cannot read the folder '" + folder.string() + "': " + failure.message()};
    }
    const auto index = loaded->files.find("/index.html");
    if (index == loaded->files.end()) {
        return error{errc::not_found, "The folder '" + folder.string() + "' has no index.html"};
    }
    loaded->index = &index->second;
    return std::shared_ptr<const static_files>(new static_files(std::move(loaded)));
}

hot_handler static_files::as_fallback(std::shared_ptr<const static_files> files) {
    return [files = std::move(files)](request& message, response& out) { return files->serve(message, out); };
}

bool static_files::serve(request& message, response& out) const {
    const bool reading = message.verb() == method::get || message.verb() == method::head;
    std::string path;  // decoded as a whole, since no file's name has a '/' or '%'
    if (!percent_decode(message.path(), path)) return false;
    if (path.starts_with(state_->not_below) || (path.size() + 1 == state_->not_below.size() &&
                                                std::string_view(state_->not_below).starts_with(path)))
        return false;
    const file* found = nullptr;
    if (path == "/") {
        found = state_->index;
    } else if (const auto at = state_->files.find(path); at != state_->files.end()) {
        found = &at->second;
    } else {
        // A link into the application: no file name, asked for by a browser's address bar.
        const auto last = std::string_view(path).substr(path.rfind('/') + 1);
        const bool asks_for_page = message.header(field::accept).find("text/html") != std::string_view::npos;
        if (!reading || last.find('.') != last.npos || !asks_for_page) return false;
        found = state_->index;
    }
    if (!reading) {
        out = wrong_method(message, "GET, HEAD, OPTIONS");
        return true;
    }
    if (found == state_->index) {
        if (const auto prefix = path_prefix(message); !prefix.empty()) {
            // A few kilobytes, asked for once in a session, so neither kept nor compressed.
            const auto page = make_coded(index_below(prefix));
            const representation facts{.etag = page.etag,
                                       .media_type = found->media_type,
                                       .size = page.content.size(),
                                       .cache_control = found->cache_control,
                                       .vary = "",
                                       .content_encoding = "",
                                       .last_modified = std::nullopt,
                                       .prepared = found->prepared};
            out = serve_bytes(message, facts, page.content);
            return true;
        }
    }
    const bool coded = found->brotli || found->gzip;
    const coded_content* chosen = &found->identity;
    const auto asked = choose_coding(message, {found->gzip.has_value(), found->brotli.has_value()});
    if (asked == content_coding::brotli) chosen = &*found->brotli;
    if (asked == content_coding::gzip) chosen = &*found->gzip;
    const representation facts{.etag = chosen->etag,
                               .media_type = found->media_type,
                               .size = chosen->content.size(),
                               .cache_control = found->cache_control,
                               .vary = coded ? "Accept-Encoding" : "",
                               .content_encoding = content_codings.name_of(asked),
                               .last_modified = std::nullopt,
                               .prepared = found->prepared};
    out = serve_bytes(message, facts, chosen->content);
    return true;
}

std::string static_files::index_below(std::string_view prefix) const {
    constexpr std::string_view base = "<base href=\"/\"";
    std::string page(state_->index->identity.content.view());
    if (const auto at = page.find(base); at != page.npos) {
        page.replace(at, base.size(), "<base href=\"" + std::string(prefix) + "/\"");
    }
    return page;
}

std::size_t static_files::count() const noexcept {
    return state_->files.size();
}
std::size_t static_files::memory() const noexcept {
    return state_->memory;
}

bool has_hashed_name(std::string_view name) noexcept {
    const auto dash = name.rfind('-');
    if (dash == name.npos || dash == 0) return false;
    const auto hash = name.substr(dash + 1, name.find('.', dash) - dash - 1);
    return hash.size() >= 8 && name.find('.', dash) != name.npos &&
           std::all_of(hash.begin(), hash.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace gallery::http
