// SPDX-License-Identifier: Apache-2.0
/// Encrypted records of OpenSSL that have not been sent yet.
///
/// OpenSSL writes each record, of at most 16 KiB, by itself. Here it writes into memory of the thread
/// instead, so that many records are sent by one system call. That memory is empty between two calls of a
/// transport.
#pragma once

#include <openssl/bio.h>

#include <cstddef>
#include <memory>
#include <span>

namespace gallery::http {

struct bio_deleter {
    void operator()(BIO* one) const noexcept { BIO_free(one); }
};

/// Appends what is written to it to gathered_records(). It refuses only what is more than any
/// handshake or batch, and where memory runs out.
/// Cannot be read. Null where memory ran out. It belongs to no thread: each write counts for its caller's.
std::unique_ptr<BIO, bio_deleter> make_gathering_bio() noexcept;

/// Of this thread; valid until something is written.
std::span<const char> gathered_records() noexcept;
/// Keeps the memory for the next time, unless it was unusually much.
void clear_gathered_records() noexcept;

}  // namespace gallery::http
