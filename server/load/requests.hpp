// SPDX-License-Identifier: Apache-2.0
/// Writes requests, and judges their answers.
#pragma once

#include "admin/address.hpp"
#include "load/catalogue.hpp"
#include "load/random.hpp"
#include "load/response_reader.hpp"
#include "load/scenario.hpp"
#include "load/schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gallery::load {

/// A request under way, and what its answer is judged by.
struct sent_request {
    planned_request plan;
    run_time sent = 0;
    image_versions::number noted = 0;  ///< acknowledged when it was sent
    image_versions::number had = 0;    ///< in If-None-Match
    bool is_hashed = false;            ///< the bytes of the answer are to be hashed
    sha256_digest picture{};           ///< that it uploads
};

/// One thread. The text of a request is copied from parts that were made before the run.
class request_writer {
public:
    /// @p content is changed by the requests. Both must outlive this.
    request_writer(const scenario& plan, catalogue& content, const admin::address& where, std::uint64_t seed);

    /// Replaces @p out by the text of the request. A replacement of an image that is being replaced becomes
    /// one of another image of the tenant; if there is none, a `get`.
    sent_request write(const planned_request& wanted, std::string& out);

    /// Of a complete answer. @p hash: of its body, where is_hashed.
    verdict judge(const sent_request& asked, const response_reader& answer,
                  const std::optional<sha256_digest>& hash);
    /// There is no answer.
    void lost(const sent_request& asked);

private:
    seeded_image& image_of(const planned_request& plan) noexcept {
        return content_.tenants[plan.tenant].images[plan.image];
    }
    bool choose_replaceable(planned_request& plan) noexcept;
    void begin_line(std::string& out, std::string_view method, std::string_view path,
                    std::string_view suffix);
    void append_form(std::string& out, sent_request& about, std::size_t size_class);

    const scenario& plan_;
    catalogue& content_;
    const std::string base_;
    std::vector<std::string> tails_;  ///< by tenant: the version and the fields of all its requests
    std::vector<std::string> searches_;
    chooser size_of_upload_;
    random_numbers random_;
};

}  // namespace gallery::load
