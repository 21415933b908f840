// SPDX-License-Identifier: Apache-2.0
// Handlers of requests, one for each case of check.py.
#include "accounts/tenants.hpp"
#include "accounts/users.hpp"
#include "images/extraction.hpp"
#include "images/image_service.hpp"

#include <string>
#include <utility>

namespace gallery {

using images::image_operation;

struct sender {
    auth::principal_ptr who;
    std::string type;
    std::string key;
};

task<result<void>> handle_image(images::image_service& images, sender from) {
#if defined(CASE_FORGETS_IMAGE_PERMIT)
    auto done = co_await images.erase(from.who->tenant, from.key, {});
#elif defined(CASE_FORGES_IMAGE_PERMIT)
    images::image_write_permit may(from.who->tenant);
    auto done = co_await images.erase(std::move(may), from.key, {});
#elif defined(CASE_READS_AND_WRITES)
    auto may = images::authorise_images<image_operation::read>(*from.who, from.type);
    if (!may) co_return may.error();
    auto done = co_await images.erase(std::move(*may), from.key, {});
#elif defined(CASE_COPIES_IMAGE_PERMIT)
    auto may = images::authorise_images<image_operation::write>(*from.who, from.type);
    if (!may) co_return may.error();
    const auto again = *may;
    auto done = co_await images.erase(std::move(*may), from.key, {});
#else
    auto may = images::authorise_images<image_operation::write>(*from.who, from.type);
    if (!may) co_return may.error();
    auto done = co_await images.erase(std::move(*may), from.key, {});
#endif
    co_return done;
}

task<result<void>> handle_document(images::image_service& images, sender from) {
    auto of_system = images::authorise_images<image_operation::read>(*from.who, "system");
    if (!of_system) co_return of_system.error();
#if defined(CASE_EXTRACTS_AND_READS)
    auto own = images::authorise_images<image_operation::read>(*from.who, "tenant");
#else
    auto own = images::authorise_images<image_operation::write>(*from.who, "tenant");
#endif
    if (!own) co_return own.error();
    images::document_write_permit may{std::move(*own), std::move(*of_system)};
    auto done = co_await images::extract_pictures(images, std::move(may), {}, 0, false);
    if (!done) co_return done.error();
    co_return result<void>();
}

task<result<void>> handle_tenant(accounts::tenants& tenants, sender from, tenant_id id) {
#if defined(CASE_FORGETS_ROLE)
    auto done = co_await tenants.erase(from.who, id);
#elif defined(CASE_WEAKER_ROLE)
    auto who = accounts::prove<accounts::administrator>(from.who);
    if (!who) co_return who.error();
    auto done = co_await tenants.erase(std::move(*who), id);
#else
    auto who = accounts::prove<accounts::system_administrator>(from.who);
    if (!who) co_return who.error();
    auto done = co_await tenants.erase(std::move(*who), id);
#endif
    co_return done;
}

task<result<void>> handle_user(accounts::users& users, sender from, user_id id) {
    auto who = accounts::prove<accounts::anybody>(from.who);
    if (!who) co_return who.error();
#if defined(CASE_FORGETS_USER)
    auto done = co_await users.set_enabled(id, false);
#elif defined(CASE_WEAKER_USER)
    auto found = users.manage(std::move(*who), id);
    if (!found) co_return found.error();
    auto done = co_await users.set_enabled(std::move(*found), false);
#else
    auto found = users.administer(std::move(*who), id);
    if (!found) co_return found.error();
    auto done = co_await users.set_enabled(std::move(*found), false);
#endif
    co_return done;
}

}  // namespace gallery
