// SPDX-License-Identifier: Apache-2.0
#include "load/seeding.hpp"

#include "admin/transfer.hpp"
#include "auth/password.hpp"
#include "auth/random.hpp"
#include "http/percent.hpp"
#include "load/chooser.hpp"
#include "load/pictures.hpp"

#include <cstdio>
#include <utility>

namespace gallery::load {

namespace {

namespace json = boost::json;
using admin::failure;

constexpr std::size_t uploads_at_a_time = 8;

/// Even and repeatable: which size the image with this number has.
std::vector<std::size_t> classes_of(const scenario& plan, std::uint64_t seed) {
    std::vector<double> shares;
    for (const auto& one : plan.sizes)
        shares.push_back(one.share);
    const chooser choice(shares);
    random_numbers random(seed);
    std::vector<std::size_t> out(plan.images);
    for (auto& one : out)
        one = choice.choose(random);
    return out;
}

}  // namespace

const std::string_view form_begin =
    "--gallery-load-part\r\nContent-Disposition: form-data; name=\"file\"; filename=\"load.png\"\r\n"
    "Content-Type: image/png\r\n\r\n";
const std::string_view form_end = "\r\n--gallery-load-part--\r\n";
const std::string_view form_type = "multipart/form-data; boundary=gallery-load-part";

seeded_data::~seeded_data() {
    if (!is_kept_) (void)remove();
}

admin::outcome<> seeded_data::create(const scenario& plan, std::uint64_t seed) {
    const auto me = in_.server.me();
    if (!me) return me.error();
    if (admin::text_of(*me, "authority") != "SYS_ADMIN") {
        return failure{admin::exit_code::not_permitted,
                       "the scenarios require a system administrator, who creates their tenants; " +
                           admin::text_of(*me, "email") + " is not one"};
    }
    content_.run = random_numbers(seed ^ std::hash<std::string>()(auth::random_alphanumerics(16))).next();
    for (std::size_t i = 0; i < plan.sizes.size(); ++i)
        content_.templates.push_back(make_picture(plan.sizes[i].bytes, seed + i));
    admin::progress bar("seeding", plan.tenants * plan.images, !in_.given.has("--json"));
    for (std::size_t i = 0; i < plan.tenants; ++i) {
        if (auto made = create_tenant(i); !made) return made;
        if (auto made = create_images(i, classes_of(plan, seed + i), bar); !made) return made;
    }
    return {};
}

admin::outcome<> seeded_data::create_images(std::size_t tenant, const std::vector<std::size_t>& classes,
                                            admin::progress& bar) {
    const auto count = classes.size();
    auto workers = admin::connections(*users_[tenant], std::min(uploads_at_a_time, count));
    if (!workers) return workers.error();
    std::vector<std::string> keys(count);
    std::vector<sha256_digest> digests(count);
    const auto first = content_.pictures;
    content_.pictures += count;
    // Each item is written by one worker, at places of its own.
    auto done = admin::in_parallel(
        workers->size(), count, [&](std::size_t worker, std::size_t image) -> admin::outcome<> {
            auto picture = content_.templates[classes[image]];
            stamp_picture(picture, content_.run, first + image);
            digests[image] = sha256(picture);
            auto form = std::string(form_begin) + picture + std::string(form_end);
            auto made =
                (*workers)[worker].send_form("POST", "/api/image", std::string(form_type), std::move(form));
            if (!made) return made.error();
            keys[image] = admin::text_of(*made, "resourceKey");
            bar.step(picture.size());
            return {};
        });
    if (!done) return done;
    auto& images = content_.tenants[tenant].images;
    images.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        images.push_back(
            {"/api/images/tenant/" + http::percent_encode(keys[i]), image_versions(digests[i]), classes[i]});
    }
    return {};
}

admin::outcome<> seeded_data::create_tenant(std::size_t number) {
    std::array<char, 17> run{};
    std::snprintf(run.data(), run.size(), "%016llx", static_cast<unsigned long long>(content_.run));
    const auto name = std::string(run.data()) + "-" + std::to_string(number + 1);
    auto tenant =
        in_.server.post_object("/api/tenant", json::object{{"title", std::string(title_begin) + name}});
    if (!tenant) return tenant.error();
    const auto id = admin::id_of(*tenant);
    content_.tenants.push_back({id, {}, {}});
    const auto email = name + "@gallery-load.example";
    auto user = in_.server.post_object(
        "/api/user?sendActivationMail=false",
        json::object{
            {"email", email}, {"authority", "TENANT_ADMIN"}, {"tenantId", admin::entity("TENANT", id)}});
    if (!user) return user.error();
    const auto password = auth::generate_password();
    auto set = in_.server.post("/api/user/" + admin::id_of(*user) + "/password",
                               json::object{{"password", password}});
    if (!set) return set.error();
    admin::credentials who;
    who.user = email;
    who.password = password;
    users_.push_back(
        std::make_unique<admin::server_api>(admin::http_client(in_.server.client()), std::move(who)));
    if (auto in = users_.back()->log_in(); !in) return in;
    content_.tenants.back().authorization = users_.back()->authorization();
    return {};
}

admin::outcome<> seeded_data::renew_logins() {
    for (std::size_t i = 0; i < users_.size(); ++i) {
        users_[i]->forget_login();
        if (auto in = users_[i]->log_in(); !in) return in;
        content_.tenants[i].authorization = users_[i]->authorization();
    }
    return {};
}

admin::outcome<> seeded_data::remove() {
    while (!content_.tenants.empty()) {
        auto gone = in_.server.erase("/api/tenant/" + content_.tenants.back().id);
        if (!gone && gone.error().code != admin::exit_code::not_found) return gone.error();
        content_.tenants.pop_back();
    }
    return {};
}

admin::outcome<std::size_t> remove_all_seeded(admin::session& in) {
    const auto all = in.server.list("/api/tenants", "title", "gallery-load");
    if (!all) return all.error();
    std::size_t count = 0;
    for (const auto& one : *all) {
        if (!one.is_object() || !admin::text_of(one.get_object(), "title").starts_with(title_begin)) continue;
        auto gone = in.server.erase("/api/tenant/" + admin::id_of(one.get_object()));
        if (!gone && gone.error().code != admin::exit_code::not_found) return gone.error();
        ++count;
    }
    return count;
}

}  // namespace gallery::load
