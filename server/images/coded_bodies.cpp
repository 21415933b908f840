// SPDX-License-Identifier: Apache-2.0
#include "images/coded_bodies.hpp"

#include <brotli/encode.h>
#include <zlib.h>

#include <list>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace gallery::images {

struct coded_bodies::state {
    using key = std::pair<sha256_digest, body_coding>;
    struct entry {
        key name;
        coded_body coded;
        [[nodiscard]] std::size_t cost() const { return coded.data.size() + 256; }  // with list and map nodes
    };

    // A form in progress, and the other callers that wait for it.
    struct making {
        std::vector<resumption<result<coded_body>>> waiting;
        std::optional<result<coded_body>> outcome;
    };

    asio::thread_pool& pool;
    const std::size_t max_bytes;
    std::mutex mutex;  // guards everything below, and what is being made
    std::map<key, std::shared_ptr<making>> under_way;
    std::size_t bytes_kept = 0;
    std::list<entry> entries;  // most recently used first
    std::map<key, std::list<entry>::iterator> index;
    bool stopped = false;

    static error not_compressed() {
        return {errc::unavailable, "The server is stopping. The image was not compressed."};
    }

    // With the mutex held.
    std::optional<coded_body> find(const key& name) {
        const auto found = index.find(name);
        if (found == index.end()) return std::nullopt;
        entries.splice(entries.begin(), entries, found->second);
        return found->second->coded;
    }

    // With the mutex held.
    void keep(const key& name, const coded_body& coded) {
        entry made{name, coded};
        if (made.cost() > max_bytes || index.contains(name)) return;
        while (bytes_kept + made.cost() > max_bytes) {
            bytes_kept -= entries.back().cost();
            index.erase(entries.back().name);
            entries.pop_back();
        }
        bytes_kept += made.cost();
        entries.push_front(std::move(made));
        index.emplace(name, entries.begin());
    }

    void finish(const key& name, making& made, result<coded_body> outcome) {
        const std::scoped_lock lock(mutex);
        if (outcome) keep(name, *outcome);
        for (auto& each : made.waiting)
            each.complete(outcome);
        made.waiting.clear();
        made.outcome = std::move(outcome);
        under_way.erase(name);
    }

    void wait_for(making& made, resumption<result<coded_body>> waiting) {
        const std::scoped_lock lock(mutex);
        if (made.outcome) return waiting.complete(*made.outcome);
        if (stopped) return waiting.complete(not_compressed());
        made.waiting.push_back(std::move(waiting));
    }

    task<result<coded_body>> make(body_coding coding, load fetch) {
        auto plain = co_await fetch();
        if (!plain) co_return plain.error();
        auto work = [content = std::move(*plain), coding]() -> result<coded_body> {
            const auto loaded = content.load();
            if (!loaded) return error{errc::io_error, "a stored body could not be read to compress it"};
            auto compressed = compress(loaded->span(), coding);
            coded_body made;
            if (compressed) {
                made.etag = sha256(*compressed);
                made.data = bytes::own(std::move(*compressed));
            }
            return made;
        };
        co_return co_await offload(pool, std::move(work));
    }
};

coded_bodies::coded_bodies(asio::thread_pool& pool, std::size_t max_bytes)
    : state_(new state{.pool = pool,
                       .max_bytes = max_bytes,
                       .mutex = {},
                       .under_way = {},
                       .bytes_kept = 0,
                       .entries = {},
                       .index = {},
                       .stopped = false}) {}
coded_bodies::~coded_bodies() = default;

task<result<coded_body>> coded_bodies::get(sha256_digest etag, body_coding coding, load fetch) {
    const state::key name{etag, coding};
    std::shared_ptr<state::making> made;
    bool is_first = false;
    {
        const std::scoped_lock lock(state_->mutex);
        if (auto known = state_->find(name)) co_return std::move(*known);
        auto& place = state_->under_way[name];
        is_first = !place;
        if (is_first) place = std::make_shared<state::making>();
        made = place;
    }
    if (!is_first) {
        auto start = [this, &made](resumption<result<coded_body>> waiting) {
            state_->wait_for(*made, std::move(waiting));
        };
        co_return co_await suspend<result<coded_body>>(std::move(start));
    }
    try {
        auto outcome = co_await state_->make(coding, std::move(fetch));
        state_->finish(name, *made, outcome);
        co_return outcome;
    } catch (...) {
        state_->finish(name, *made, error{errc::internal, "compressing a stored body failed"});
        throw;
    }
}

void coded_bodies::stop() {
    const std::scoped_lock lock(state_->mutex);
    state_->stopped = true;
    for (const auto& [name, made] : state_->under_way) {
        for (auto& each : made->waiting)
            each.complete(state::not_compressed());
        made->waiting.clear();
    }
}

std::size_t coded_bodies::memory() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->bytes_kept;
}

std::optional<std::string> compress(std::span<const char> data, body_coding coding) {
    std::string out;
    if (coding == body_coding::brotli) {
        constexpr int quality = 7;  // beyond it, more time than it saves on the wire
        std::size_t size = BrotliEncoderMaxCompressedSize(data.size());
        out.resize(size);
        if (BrotliEncoderCompress(quality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, data.size(),
                                  reinterpret_cast<const std::uint8_t*>(data.data()), &size,
                                  reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE)
            return std::nullopt;
        out.resize(size);
    } else {
        z_stream stream{};
        constexpr int gzip_window = 15 + 16;
        if (deflateInit2(&stream, 7, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            return std::nullopt;
        out.resize(deflateBound(&stream, data.size()));
        // zlib does not write to its input; its interface is older than const.
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        stream.avail_in = static_cast<uInt>(data.size());
        stream.next_out = reinterpret_cast<Bytef*>(out.data());
        stream.avail_out = static_cast<uInt>(out.size());
        const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out.resize(stream.total_out);
        deflateEnd(&stream);
        if (!whole) return std::nullopt;
    }
    if (out.size() >= data.size()) return std::nullopt;
    out.shrink_to_fit();
    return out;
}

}  // namespace gallery::images
