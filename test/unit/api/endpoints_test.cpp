// SPDX-License-Identifier: Apache-2.0
// The tables of endpoints against the description of the API, and what every row must fulfil.
#include "api/all_endpoints.hpp"
#include "api/openapi.hpp"
#include "boost_test.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gallery::test {

namespace json = boost::json;
using api::body_kind;
using api::endpoint_facts;

namespace {

// What concerns whoever runs the server, and the description itself.
const std::set<std::string_view> not_described{"health.live", "health.ready", "openapi.document",
                                               "openapi.page"};

const json::object& paths() {
    static const json::value document =
        json::parse({api::openapi_document().data(), api::openapi_document().size()});
    return document.at("paths").as_object();
}

std::string verb_of(const endpoint_facts& facts) {
    const auto text = to_string(facts.verb);
    return {text.data(), text.size()};
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return out;
}

const json::object* description_of(const endpoint_facts& facts) {
    const auto* operations = paths().if_contains(facts.pattern);
    if (operations == nullptr) return nullptr;
    const auto* operation = operations->as_object().if_contains(lower(verb_of(facts)));
    return operation == nullptr ? nullptr : &operation->as_object();
}

std::vector<endpoint_facts> described() {
    auto all = api::list_endpoints();
    std::erase_if(all, [](const endpoint_facts& each) { return not_described.contains(each.name); });
    return all;
}

std::string title(const endpoint_facts& facts) {
    return verb_of(facts) + " " + std::string(facts.pattern);
}

std::set<std::string> strings(const json::value& list) {
    std::set<std::string> out;
    for (const auto& each : list.as_array())
        out.emplace(each.as_string());
    return out;
}

std::set<std::string> names(auth::authority_set roles) {
    std::set<std::string> out;
    for (const auto& each : auth::authority_names.entries) {
        if (roles.contains(each.value)) out.emplace(each.name);
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoints)

BOOST_AUTO_TEST_CASE(every_endpoint_is_described_and_everything_described_is_there) {
    std::set<std::string> ours;
    for (const auto& each : described())
        ours.insert(std::string(each.pattern) + " " + lower(verb_of(each)));
    std::set<std::string> theirs;
    for (const auto& [path, operations] : paths()) {
        for (const auto& [verb, operation] : operations.as_object())
            theirs.insert(std::string(path) + " " + std::string(verb));
    }
    BOOST_TEST(ours.size() > 30U);
    BOOST_TEST(ours == theirs, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_access_of_every_endpoint_is_described) {
    for (const auto& each : described()) {
        BOOST_TEST_CONTEXT(title(each)) {
            const auto* operation = description_of(each);
            BOOST_TEST_REQUIRE(operation != nullptr);
            const auto* security = operation->if_contains("security");
            const auto text = security == nullptr ? std::string() : json::serialize(*security);
            BOOST_TEST(text == (each.access.anonymous ? "[]"
                                : each.access.api_key ? ""
                                                      : R"([{"token":[]}])"));
            const auto* roles = operation->if_contains("x-roles");
            const auto own = roles == nullptr ? names(auth::every_authority) : strings(*roles);
            BOOST_TEST(own == names(each.access.roles), boost::test_tools::per_element());
            const auto* others = operation->if_contains("x-roles-on-system-images");
            const auto of_system = others == nullptr ? own : strings(*others);
            BOOST_TEST(of_system == names(each.access.on_system_images), boost::test_tools::per_element());
            const auto& answers = operation->at("responses").as_object();
            // Logging in answers 401 for a wrong password as well.
            if (!each.access.anonymous) BOOST_TEST(answers.contains("401"));
            BOOST_TEST(answers.contains("429"));
            if (own.size() < auth::authority_names.entries.size()) BOOST_TEST(answers.contains("403"));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_body_of_every_endpoint_is_described) {
    const std::map<body_kind, std::string_view> media_types{
        {body_kind::json, "application/json"},
        {body_kind::picture_document, "application/json"},
        {body_kind::document, "application/json"},
        {body_kind::image_list, "application/json"},
        {body_kind::image_list_form, "application/x-www-form-urlencoded"},
        {body_kind::picture_form, "multipart/form-data"}};
    for (const auto& each : described()) {
        BOOST_TEST_CONTEXT(title(each)) {
            const auto* operation = description_of(each);
            BOOST_TEST_REQUIRE(operation != nullptr);
            const auto* body = operation->if_contains("requestBody");
            BOOST_TEST_REQUIRE((body != nullptr) == (each.body != body_kind::none));
            if (body != nullptr)
                BOOST_TEST(body->at("content").as_object().contains(media_types.at(each.body)));
        }
    }
}

BOOST_AUTO_TEST_CASE(only_probes_of_health_are_beyond_the_limit_of_clients) {
    for (const auto& each : api::list_endpoints())
        BOOST_TEST(each.is_probe == each.pattern.starts_with("/health/"), title(each));
}

BOOST_AUTO_TEST_CASE(names_are_unique_and_only_get_is_open_to_other_pages) {
    std::set<std::string_view> seen;
    for (const auto& each : api::list_endpoints()) {
        BOOST_TEST_CONTEXT(title(each)) {
            BOOST_TEST(!each.name.empty());
            BOOST_TEST(seen.insert(each.name).second);
            BOOST_TEST(each.pattern.starts_with('/'));
            // A body is for methods that have one.
            BOOST_TEST((each.body == body_kind::none || each.verb == http::method::post ||
                        each.verb == http::method::put));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_limit_holds_for_the_content_whatever_is_around_it) {
    constexpr std::uint64_t picture = 1'000'001;
    BOOST_TEST(api::body_limit(body_kind::none, {picture}) == 0U);
    BOOST_TEST(api::body_limit(body_kind::json, {picture}) == picture);
    BOOST_TEST(api::body_limit(body_kind::document, {picture}) == picture);
    BOOST_TEST(api::body_limit(body_kind::image_list, {picture}) == picture);
    // Of a form each byte may be percent-encoded.
    BOOST_TEST(api::body_limit(body_kind::image_list_form, {picture}) > 3 * picture);
    BOOST_TEST(api::body_limit(body_kind::picture_form, {picture}) > picture);
    // Base64 needs four characters for three bytes.
    BOOST_TEST(api::body_limit(body_kind::picture_document, {picture}) >= (picture + 2) / 3 * 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace gallery::test
