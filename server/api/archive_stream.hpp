// SPDX-License-Identifier: Apache-2.0
/// A zip archive of images that is made while it is sent.
///
/// In memory are the keys, the archive's directory and one piece of the current picture; the whole picture,
/// within the budget for pictures that are sent, where the storage reads it into memory. An image that is
/// deleted meanwhile or cannot be read is left out, and named in a text at the end of the archive. Whatever
/// concerns all images ends the answer without the archive's end, so that the client sees that it is
/// incomplete.
#pragma once

#include "accounts/download_tickets.hpp"
#include "api/archive_places.hpp"
#include "api/archive_request.hpp"
#include "api/authentication.hpp"
#include "auth/principal.hpp"
#include "coding/zip_writer.hpp"
#include "http/content_stream.hpp"
#include "images/byte_budget.hpp"
#include "images/image_service.hpp"
#include "images/permissions.hpp"
#include "turns/fair_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace gallery::api {

/// What the handlers and the streams use. Thread-safe; outlives the router and all answers.
struct archive_services {
    images::image_service& images;
    images::byte_budget& lists;        ///< for requests, which name many images
    images::byte_budget& sent;         ///< for pictures that are not in the storage's memory
    fair_pool<tenant_id>& background;  ///< reads requests
    fair_pool<tenant_id>& reading;     ///< reads pictures, for one archive of each place at a time
    archive_places& places;
    const accounts::download_tickets& tickets;
    std::function<void(const std::string&)> warn;  ///< writes to the log that an image cannot be read
    verify_credentials verify;
};

/// Who gets the archive, and the permissions that were checked for it.
struct archive_receiver {
    auth::principal_ptr who;
    std::int64_t since = 0;  ///< download_tickets::admission_of()
    std::string request;     ///< its id, for the log
    std::optional<images::image_view_permit> own;
    std::optional<images::image_view_permit> of_system;
};

class archive_stream final : public http::content_stream {
public:
    /// Precondition: @p to has a permit for each list of @p wanted that is not empty.
    archive_stream(const archive_services& services, archive_request wanted, archive_receiver to,
                   archive_places::place place);

    /// Finds the first image. Errors: not_found where there is none of all, io_error where none can be read;
    /// as next().
    task<result<void>> prepare();

    /// Errors: those of check_still_admitted(); unavailable and busy, where the storage or the memory remains
    /// so; io_error where a picture's file cannot be read to its end, and after most_unreadable images in a
    /// row that cannot be read.
    task<result<bytes>> next() override;

private:
    struct picture {
        record_ptr record;
        body content;
        images::byte_budget::lease memory;
        std::uint32_t crc = 0;
    };

    /// What is in front of the next picture; empty where no image is left.
    task<result<std::string>> begin_next();
    task<result<picture>> open(images::image_view_permit may, std::string key);
    task<result<bytes>> next_piece();
    std::string begin_picture(const picture& opened);
    std::string finish();
    /// Errors: io_error after most_unreadable in a row.
    result<void> leave_out(std::string_view kind, const std::string& key, const error& why);
    [[nodiscard]] std::string unique_name(std::string_view name);

    const archive_services& services_;
    const archive_request wanted_;
    const archive_receiver to_;
    const archive_places::place place_;
    zip_writer zip_;
    std::size_t at_ = 0;  ///< of the next image
    std::string prepared_;
    picture current_;
    std::uint64_t sent_ = 0;  ///< of the current picture
    bool is_at_end_ = false;
    std::string left_out_;        ///< a line for each
    std::size_t unreadable_ = 0;  ///< in a row
    bool something_is_unreadable_ = false;
    std::unordered_set<std::string> names_;  ///< without regard to case
    /// The last number that was given to names which are equal when they are cut for the longest number.
    /// Numbers of names that may get into each other's way are thus counted together, and each is tried once.
    std::unordered_map<std::string, unsigned> numbers_;
};

}  // namespace gallery::api
