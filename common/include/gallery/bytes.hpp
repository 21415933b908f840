// SPDX-License-Identifier: Apache-2.0
/// Immutable bytes that travel between a storage engine and a socket without being copied.
#pragma once

#include <gallery/export.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace gallery {

/// Memory with its owner. A copy keeps the memory alive, and the memory must not change. Copying copies a
/// pointer and a reference count. Thread-safe to the same extent as shared_ptr.
class bytes {
public:
    bytes() = default;
    /// @p view is in memory that @p owner keeps alive (a pinned slice, a mapping, a string).
    bytes(std::shared_ptr<const void> owner, std::span<const char> view) noexcept
        : owner_(std::move(owner)), view_(view) {}

    /// Takes over a string without copying its characters.
    static bytes own(std::string text) {
        auto owner = std::make_shared<const std::string>(std::move(text));
        const std::span<const char> view(owner->data(), owner->size());
        return {std::move(owner), view};
    }
    /// Takes over a vector without copying.
    static bytes own(std::vector<char> data) {
        auto owner = std::make_shared<const std::vector<char>>(std::move(data));
        const std::span<const char> view(owner->data(), owner->size());
        return {std::move(owner), view};
    }
    /// Views memory that lives as long as the process (string literals, tables).
    static bytes permanent(std::string_view text) noexcept { return {nullptr, {text.data(), text.size()}}; }

    [[nodiscard]] const char* data() const noexcept { return view_.data(); }
    [[nodiscard]] std::size_t size() const noexcept { return view_.size(); }
    [[nodiscard]] bool empty() const noexcept { return view_.empty(); }
    [[nodiscard]] std::span<const char> span() const noexcept { return view_; }
    [[nodiscard]] std::string_view view() const noexcept { return {view_.data(), view_.size()}; }
    [[nodiscard]] const std::shared_ptr<const void>& owner() const noexcept { return owner_; }

    /// A part of it, sharing the owner. Precondition: offset + length <= size().
    [[nodiscard]] bytes slice(std::size_t offset, std::size_t length) const {
        return {owner_, view_.subspan(offset, length)};
    }

private:
    std::shared_ptr<const void> owner_;
    std::span<const char> view_;
};

/// An open, readable file; closed with the last reference.
class GALLERY_API file_handle {
public:
    /// Takes ownership of @p descriptor.
    explicit file_handle(int descriptor) noexcept : descriptor_(descriptor) {}
    file_handle(const file_handle&) = delete;
    file_handle& operator=(const file_handle&) = delete;
    ~file_handle();

    [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

/// A part of an open file, to be sent with sendfile. The bytes of the file must not change while it is
/// referenced: engines replace files and do not write into them.
struct file_region {
    std::shared_ptr<const file_handle> file;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};

/// The bytes of one representation, or of a range of it.
class GALLERY_API body {
public:
    body() = default;
    body(bytes memory) noexcept : source_(std::move(memory)) {}        // NOLINT: a body is either of the two
    body(file_region region) noexcept : source_(std::move(region)) {}  // NOLINT

    [[nodiscard]] std::uint64_t size() const noexcept;
    [[nodiscard]] const bytes* memory() const noexcept { return std::get_if<bytes>(&source_); }
    [[nodiscard]] const file_region* region() const noexcept { return std::get_if<file_region>(&source_); }

    /// A part of it. Precondition: offset + length <= size().
    [[nodiscard]] body slice(std::uint64_t offset, std::uint64_t length) const;

    /// The whole body in memory: without cost if it already is, otherwise by read(2) in the calling thread,
    /// which may block. Empty, with errno set, if reading fails or the file is shorter than the region.
    [[nodiscard]] std::optional<bytes> load() const;

private:
    std::variant<bytes, file_region> source_;
};

}  // namespace gallery
