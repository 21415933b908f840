// SPDX-License-Identifier: Apache-2.0
#include "http/gathered_records.hpp"

#include <new>
#include <vector>

namespace gallery::http {

namespace {

/// A batch of a transport with the frames of its records. A handshake may need more.
constexpr std::size_t usual_size = 72 * 1024;
/// A client can make OpenSSL answer many small messages during one read.
constexpr std::size_t largest_size = 8 * usual_size;

thread_local std::vector<char> records;

int append(BIO*, const char* data, std::size_t size, std::size_t* written) {
    if (records.size() + size > largest_size) return 0;  // the connection ends
    try {
        if (records.capacity() == 0) records.reserve(usual_size);
        records.insert(records.end(), data, data + size);
    } catch (const std::bad_alloc&) {
        return 0;
    }
    *written = size;
    return 1;
}

long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* gathering_method() noexcept {
    static const BIO_METHOD* const made = [] {
        auto* const made_method =
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gathered records");
        if (made_method != nullptr) {
            BIO_meth_set_write_ex(made_method, &append);
            BIO_meth_set_ctrl(made_method, &control);
        }
        return made_method;
    }();
    return made;
}

}  // namespace

std::unique_ptr<BIO, bio_deleter> make_gathering_bio() noexcept {
    const auto* const ours = gathering_method();
    std::unique_ptr<BIO, bio_deleter> made(ours == nullptr ? nullptr : BIO_new(ours));
    if (made) BIO_set_init(made.get(), 1);
    return made;
}

std::span<const char> gathered_records() noexcept {
    return records;
}

void clear_gathered_records() noexcept {
    records.clear();
    if (records.capacity() > 2 * usual_size) records.shrink_to_fit();
}

}  // namespace gallery::http
