// SPDX-License-Identifier: Apache-2.0
#include "imaging/worker/channel.hpp"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

namespace gallery::imaging::worker {
namespace {

void send_all(std::span<iovec> parts) {
    while (!parts.empty()) {
        msghdr message{};
        message.msg_iov = parts.data();
        message.msg_iovlen = parts.size();
        const auto sent = ::sendmsg(protocol::worker_descriptor, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) ::_exit(0);  // the server is gone
        auto left = static_cast<std::size_t>(sent);
        while (!parts.empty() && left >= parts.front().iov_len) {
            left -= parts.front().iov_len;
            parts = parts.subspan(1);
        }
        if (!parts.empty()) {
            parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + left;
            parts.front().iov_len -= left;
        }
    }
}

iovec part(const void* data, std::size_t size) {
    return {const_cast<void*>(data), size};
}

}  // namespace

void send_hello(const protocol::hello& greeting) {
    std::array parts{part(&greeting, sizeof greeting)};
    send_all(parts);
}

job receive_job() {
    job j;
    std::size_t done = 0;
    while (done < sizeof j.request) {
        iovec where{reinterpret_cast<char*>(&j.request) + done, sizeof j.request - done};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
        msghdr message{};
        message.msg_iov = &where;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const auto got = ::recvmsg(protocol::worker_descriptor, &message, MSG_CMSG_CLOEXEC);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) ::_exit(0);
        const auto* head = CMSG_FIRSTHDR(&message);
        if (head != nullptr && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
            std::memcpy(&j.descriptor, CMSG_DATA(head), sizeof j.descriptor);
        }
        done += static_cast<std::size_t>(got);
    }
    if (j.request.magic != protocol::magic) ::_exit(5);
    return j;
}

void send_answer(protocol::answer answer, std::string_view text, std::string_view preview,
                 std::string_view document) {
    answer.text_size = static_cast<std::uint32_t>(text.size());
    answer.preview_size = static_cast<std::uint32_t>(preview.size());
    answer.document_size = static_cast<std::uint32_t>(document.size());
    std::array parts{part(&answer, sizeof answer), part(text.data(), text.size()),
                     part(preview.data(), preview.size()), part(document.data(), document.size())};
    send_all(parts);
}

mapping::mapping(const job& j) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto before = j.request.offset % page;
    mapped_ = j.request.size + before;
    void* const base = ::mmap(nullptr, mapped_, PROT_READ, MAP_PRIVATE, j.descriptor,
                              static_cast<off_t>(j.request.offset - before));
    if (base == MAP_FAILED) return;
    base_ = base;
    bytes_ = {static_cast<const char*>(base) + before, j.request.size};
}

mapping::~mapping() {
    if (base_ != nullptr) ::munmap(base_, mapped_);
}

}  // namespace gallery::imaging::worker
