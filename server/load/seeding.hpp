// SPDX-License-Identifier: Apache-2.0
/// Creates the tenants and images of a run, and removes them.
#pragma once

#include "admin/session.hpp"
#include "admin/transfer.hpp"
#include "load/catalogue.hpp"
#include "load/scenario.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace gallery::load {

/// Tenants whose titles begin with this were made by runs.
inline constexpr std::string_view title_begin = "gallery-load ";

/// A multipart form with one picture: what is before and behind it, and the value of Content-Type.
extern const std::string_view form_begin, form_end, form_type;

class seeded_data {
public:
    /// @p in: logged in as a system administrator.
    explicit seeded_data(admin::session& in) : in_(in) {}
    seeded_data(const seeded_data&) = delete;
    seeded_data& operator=(const seeded_data&) = delete;
    /// Removes what remove() was not called for; failures are ignored.
    ~seeded_data();

    /// Creates the tenants with a user each, and their images. Failures: those of requests; not_permitted for
    /// who is not a system administrator.
    admin::outcome<> create(const scenario& plan, std::uint64_t seed);
    /// The users log in again: before a run that their tokens might not outlive.
    admin::outcome<> renew_logins();
    /// Deletes the tenants with all they contain.
    admin::outcome<> remove();
    /// They stay; another run does not use them.
    void keep() noexcept { is_kept_ = true; }

    [[nodiscard]] catalogue& content() noexcept { return content_; }

private:
    admin::outcome<> create_tenant(std::size_t number);
    /// @p classes: of each image, which of the scenario's sizes it has.
    admin::outcome<> create_images(std::size_t tenant, const std::vector<std::size_t>& classes,
                                   admin::progress& bar);

    admin::session& in_;
    bool is_kept_ = false;
    catalogue content_;
    std::vector<std::unique_ptr<admin::server_api>> users_;
};

/// Deletes the tenants of all runs, also of those that still go on; returns how many.
admin::outcome<std::size_t> remove_all_seeded(admin::session& in);

}  // namespace gallery::load
