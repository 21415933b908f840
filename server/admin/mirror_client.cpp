// SPDX-License-Identifier: Apache-2.0
#include "admin/mirror_client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <thread>
#include <utility>

namespace gallery::admin {

namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds look_again{200};
constexpr int unauthorized = 401;

std::uint64_t part_of(const json::object& from, std::string_view name, std::string_view part) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_object()) return 0;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(value->get_object(), part), 0));
}

std::string lag_of(const json::object& from) {
    if (text_of(from, "state") != "following" && text_of(from, "state") != "switching") return {};
    std::array<char, 32> seconds{};
    const auto* value = from.if_contains("lagSeconds");
    std::snprintf(seconds.data(), seconds.size(), "%.1f",
                  value != nullptr && value->is_number() ? value->to_number<double>() : 0.0);
    return std::to_string(number_of(from, "lagRevisions")) + " revisions, " + seconds.data() + " s";
}

std::string verification_of(const json::object& from) {
    if (flag_of(from, "verifying")) return "in progress, " + progress_of(from, "images") + " images";
    const auto* value = from.if_contains("verified");
    if (value == nullptr || !value->is_object()) return {};
    const auto& verified = value->get_object();
    std::string out = time_of(verified, "time") + ", " + std::to_string(number_of(verified, "images")) +
                      (flag_of(verified, "same") ? " images are the same" : " images, the stores differ");
    const auto* repaired = verified.if_contains("repaired");
    if (repaired == nullptr || !repaired->is_array()) return out;
    for (const auto& one : repaired->get_array()) {
        if (one.is_string()) out += "\n  repaired: " + std::string(one.get_string());
    }
    return out;
}

std::string switch_of(const json::object& from) {
    const auto* value = from.if_contains("lastSwitch");
    if (value == nullptr || !value->is_object()) return {};
    const auto& last = value->get_object();
    return time_of(last, "time") + ", from " + store_text(last, "from") + ", writes waited " +
           std::to_string(number_of(last, "heldMilliseconds")) + " ms at most";
}

std::string damage_of(const json::object& from) {
    const auto* damaged = from.if_contains("damaged");
    std::string out;
    if (damaged == nullptr || !damaged->is_array()) return out;
    for (const auto& one : damaged->get_array()) {
        if (one.is_string()) out += "\n  " + std::string(one.get_string());
    }
    return out;
}

std::string revision_of(const json::object& from) {
    const auto rev = number_of(from, "revision");
    return rev == 0 ? std::string() : std::to_string(rev);
}

std::string state_of(const json::object& from) {
    auto out = text_of(from, "state");
    if (out == "stopped") out += is_complete(from) ? ", complete" : ", not complete";
    if (out == "failed" && flag_of(from, "retrying")) out += ", retrying";
    if (flag_of(from, "stopping")) out += ", stopping";
    return out;
}

constexpr std::array<field, 13> fields{{
    {"state", state_of},
    {"active", [](const json::object& one) { return store_text(one, "active"); }},
    {"mirror", [](const json::object& one) { return store_text(one, "mirror"); }},
    {"images", [](const json::object& one) { return progress_of(one, "images"); }},
    {"bytes", [](const json::object& one) { return progress_of(one, "bytes"); }},
    {"copied",
     [](const json::object& one) {
         if (one.if_contains("imagesCopied") == nullptr) return std::string();
         return std::to_string(number_of(one, "imagesCopied")) + " images, " +
                std::to_string(number_of(one, "bytesCopied")) + " bytes";
     }},
    {"revision", revision_of},
    {"lag", lag_of},
    {"verified", verification_of},
    {"last switch", switch_of},
    {"problem", [](const json::object& one) { return text_of(one, "problem"); }},
    {"claim", [](const json::object& one) { return text_of(one, "claimProblem"); }},
    {"damaged", damage_of},
}};

}  // namespace

std::string store_text(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    if (value == nullptr || !value->is_object()) return {};
    return text_of(value->get_object(), "engine") + ":" + text_of(value->get_object(), "path");
}

bool flag_of(const json::object& from, std::string_view name) {
    const auto* value = from.if_contains(name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

bool is_complete(const json::object& from) {
    return text_of(from, "state") == "stopped" && from.if_contains("completed") != nullptr;
}

std::span<const field> mirror_fields() noexcept {
    return fields;
}

std::string progress_of(const json::object& from, std::string_view name) {
    if (from.if_contains(name) == nullptr) return {};
    return std::to_string(part_of(from, name, "done")) + " of " +
           std::to_string(part_of(from, name, "total"));
}

progress_figures progress_figures_of(const json::object& from) {
    return {part_of(from, "images", "done"), part_of(from, "images", "total"), part_of(from, "bytes", "done"),
            part_of(from, "bytes", "total")};
}

outcome<json::object> state_at(session& in, const char* target) {
    auto answer = in.server.get_object(target);
    if (answer || answer.error().status != unauthorized || in.server.has_api_key()) return answer;
    in.server.forget_login();
    return in.server.get_object(target);
}

outcome<json::object> mirror_status(session& in) {
    return state_at(in, mirror_target);
}

std::string run_of(const json::object& from) {
    return text_of(from, "run");
}

outcome<json::object> watch_mirror(session& in, const std::string& run,
                                   const std::function<bool(const json::object&)>& is_done) {
    progress_bar bar(!in.given.has("--json"));
    for (;;) {
        auto now = mirror_status(in);
        if (!now) return now;
        if (run_of(*now) != run) {
            return failure{exit_code::refused,
                           "the mirror or backup has ended, and its result is not known, because another one "
                           "was started since or it was forgotten. See gallery-admin mirror status"};
        }
        if (is_done(*now)) return now;
        if (text_of(*now, "state") == "copying" || flag_of(*now, "verifying")) {
            bar.show(progress_figures_of(*now));
        } else {
            bar.clear();
        }
        std::this_thread::sleep_for(look_again);
    }
}

}  // namespace gallery::admin
