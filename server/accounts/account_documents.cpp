// SPDX-License-Identifier: Apache-2.0
#include "accounts/account_documents.hpp"

#include "accounts/profile_data.hpp"

#include <boost/json.hpp>

#include <type_traits>
#include <utility>

namespace gallery::accounts {
namespace {

namespace json = boost::json;

/// Reads members of one document; remembers the first that is not what it should be.
class reader {
public:
    explicit reader(const document& doc) : doc_(doc) {
        boost::system::error_code failed;
        auto value = json::parse(doc.body, failed);
        if (failed || !value.is_object()) {
            wrong_ = "it is not a JSON object";
        } else {
            members_ = std::move(value.get_object());
        }
        const auto id = parse_uuid(doc.id);
        if (id) id_ = *id;
        has_id_ = id.has_value();
    }

    [[nodiscard]] uuid id() {
        if (!has_id_) note("its id is not a UUID");
        return id_;
    }

    void read(std::string_view name, std::string& out) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_string()) return note(name);
        out = value->get_string();
    }
    void read(std::string_view name, std::int64_t& out) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_int64()) return note(name);
        out = value->get_int64();
    }
    void read(std::string_view name, bool& out) {
        const auto* value = find(name);
        if (value == nullptr) return;
        if (!value->is_bool()) return note(name);
        out = value->get_bool();
    }
    void read(std::string_view name, std::optional<uuid>& out) {
        std::string text;
        read(name, text);
        if (text.empty()) return;
        out = parse_uuid(text);
        if (!out) note(name);
    }
    void require(std::string_view name, uuid& out) {
        std::optional<uuid> value;
        read(name, value);
        if (!value) return note(name);
        out = *value;
    }
    void read(contact& out) {
        read("country", out.country);
        read("state", out.state);
        read("city", out.city);
        read("address", out.address);
        read("address2", out.address2);
        read("zip", out.zip);
        read("phone", out.phone);
        read("email", out.email);
    }
    void note(std::string_view what) {
        if (wrong_.empty()) wrong_ = "'" + std::string(what) + "' is missing or malformed";
    }

    template <class Account>
    result<Account> finish(Account value) {
        if (!wrong_.empty()) {
            return error{errc::corrupt,
                         "The account document " + doc_.kind + '/' + doc_.id + " cannot be read: " + wrong_};
        }
        value.rev = doc_.rev;
        return value;
    }

private:
    const json::value* find(std::string_view name) const { return members_.if_contains(name); }

    const document& doc_;
    json::object members_;
    uuid id_{};
    bool has_id_ = false;
    std::string wrong_;
};

void put(json::object& out, std::string_view name, const std::string& value) {
    if (!value.empty()) out[name] = value;
}

void put(json::object& out, const contact& value) {
    put(out, "country", value.country);
    put(out, "state", value.state);
    put(out, "city", value.city);
    put(out, "address", value.address);
    put(out, "address2", value.address2);
    put(out, "zip", value.zip);
    put(out, "phone", value.phone);
    put(out, "email", value.email);
}

json::object members_of(const tenant_profile& value) {
    json::object out;
    out["createdTime"] = value.created_time;
    put(out, "name", value.name);
    put(out, "description", value.description);
    if (value.is_default) out["default"] = true;
    if (value.isolated_rule_engine) out["isolatedRuleEngine"] = true;
    put(out, "data", value.data);
    return out;
}

void read(reader& from, tenant_profile& out) {
    from.read("createdTime", out.created_time);
    from.read("name", out.name);
    from.read("description", out.description);
    from.read("default", out.is_default);
    from.read("isolatedRuleEngine", out.isolated_rule_engine);
    std::string data;
    from.read("data", data);
    if (!restore_data(out, std::move(data))) from.note("data");
}

json::object members_of(const tenant& value) {
    json::object out;
    out["createdTime"] = value.created_time;
    put(out, "title", value.title);
    put(out, "region", value.region);
    put(out, value.reach);
    if (value.profile) out["profile"] = to_string(*value.profile);
    put(out, "additionalInfo", value.additional_info);
    out["version"] = value.version;
    if (value.deleting) out["deleting"] = true;
    if (value.deleted) {
        out["deleted"] = true;
        out["deletedTime"] = value.deleted_time;
    }
    if (value.images_erased) out["imagesErased"] = true;
    return out;
}

void read(reader& from, tenant& out) {
    from.read("createdTime", out.created_time);
    from.read("title", out.title);
    from.read("region", out.region);
    from.read(out.reach);
    std::optional<uuid> profile;
    from.read("profile", profile);
    if (profile) out.profile = tenant_profile_id{*profile};
    from.read("additionalInfo", out.additional_info);
    from.read("version", out.version);
    from.read("deleting", out.deleting);
    from.read("deleted", out.deleted);
    from.read("deletedTime", out.deleted_time);
    from.read("imagesErased", out.images_erased);
}

json::object members_of(const customer& value) {
    json::object out;
    out["tenant"] = to_string(value.owner);
    out["createdTime"] = value.created_time;
    put(out, "title", value.title);
    put(out, value.reach);
    put(out, "additionalInfo", value.additional_info);
    out["version"] = value.version;
    return out;
}

void read(reader& from, customer& out) {
    from.require("tenant", out.owner.value);
    from.read("createdTime", out.created_time);
    from.read("title", out.title);
    from.read(out.reach);
    from.read("additionalInfo", out.additional_info);
    from.read("version", out.version);
}

json::object members_of(const user& value) {
    json::object out;
    out["tenant"] = to_string(value.owner);
    if (value.customer) out["customer"] = to_string(*value.customer);
    out["role"] = auth::name_of(value.role);
    out["createdTime"] = value.created_time;
    put(out, "email", value.email);
    put(out, "firstName", value.first_name);
    put(out, "lastName", value.last_name);
    put(out, "phone", value.phone);
    put(out, "additionalInfo", value.additional_info);
    out["version"] = value.version;
    out["enabled"] = value.enabled;
    put(out, "password", value.password_hash);
    if (value.pending) {
        out["activationNonce"] = value.pending->nonce;
        out["activationExpires"] = value.pending->expires;
        if (value.pending->made_with) out["madeWithKey"] = to_string(*value.pending->made_with);
    }
    if (value.tokens_valid_after != 0) out["tokensValidAfter"] = value.tokens_valid_after;
    if (value.deleted) {
        out["deleted"] = true;
        out["forgetAfter"] = value.forget_after;
    }
    return out;
}

void read(reader& from, user& out) {
    from.require("tenant", out.owner.value);
    std::optional<uuid> belongs_to;
    from.read("customer", belongs_to);
    if (belongs_to) out.customer = customer_id{*belongs_to};
    std::string role;
    from.read("role", role);
    if (const auto parsed = auth::parse_authority(role)) {
        out.role = *parsed;
    } else {
        from.note("role");
    }
    from.read("createdTime", out.created_time);
    from.read("email", out.email);
    from.read("firstName", out.first_name);
    from.read("lastName", out.last_name);
    from.read("phone", out.phone);
    from.read("additionalInfo", out.additional_info);
    from.read("version", out.version);
    from.read("enabled", out.enabled);
    from.read("password", out.password_hash);
    activation pending;
    from.read("activationNonce", pending.nonce);
    from.read("activationExpires", pending.expires);
    std::optional<uuid> made_with;
    from.read("madeWithKey", made_with);
    if (made_with) pending.made_with = api_key_id{*made_with};
    if (!pending.nonce.empty()) out.pending = std::move(pending);
    from.read("tokensValidAfter", out.tokens_valid_after);
    from.read("deleted", out.deleted);
    from.read("forgetAfter", out.forget_after);
    if (out.email.empty() && !out.deleted) from.note("email");
}

json::object members_of(const api_key& value) {
    json::object out;
    out["user"] = to_string(value.holder);
    out["tenant"] = to_string(value.owner);
    out["createdTime"] = value.created_time;
    if (value.expiration_time != 0) out["expirationTime"] = value.expiration_time;
    put(out, "description", value.description);
    out["enabled"] = value.enabled;
    out["hash"] = to_hex(value.hash);
    if (value.last_used != 0) out["lastUsed"] = value.last_used;
    return out;
}

void read(reader& from, api_key& out) {
    from.require("user", out.holder.value);
    from.require("tenant", out.owner.value);
    from.read("createdTime", out.created_time);
    from.read("expirationTime", out.expiration_time);
    from.read("description", out.description);
    from.read("enabled", out.enabled);
    std::string hash;
    from.read("hash", hash);
    if (const auto parsed = parse_sha256(hash)) {
        out.hash = *parsed;
    } else {
        from.note("hash");
    }
    from.read("lastUsed", out.last_used);
    out.latest_use->store(out.last_used, std::memory_order_relaxed);
}

json::object members_of(const ended_session& value) {
    json::object out;
    out["forgetAfter"] = value.forget_after;
    return out;
}

void read(reader& from, ended_session& out) {
    from.read("forgetAfter", out.forget_after);
}

json::object members_of(const spent_token& value) {
    json::object out;
    out["spentAt"] = value.spent_at;
    out["forgetAfter"] = value.forget_after;
    return out;
}

void read(reader& from, spent_token& out) {
    from.read("spentAt", out.spent_at);
    from.read("forgetAfter", out.forget_after);
}

json::object members_of(const claim& value) {
    json::object out;
    out["holder"] = to_string(value.holder);
    return out;
}

void read(reader& from, claim& out) {
    from.require("holder", out.holder);
}

template <class Account>
constexpr bool has_text_id = std::is_same_v<decltype(Account::id), std::string>;

}  // namespace

std::string name_digest(std::string_view name) {
    return to_hex(sha256({name.data(), name.size()}));
}

template <class Account>
document to_document(const Account& value) {
    document doc;
    doc.kind = Account::document_kind;
    if constexpr (has_text_id<Account>) {
        doc.id = value.id;
    } else {
        doc.id = to_string(value.id);
    }
    doc.body = json::serialize(members_of(value));
    return doc;
}

template <class Account>
result<Account> from_document(const document& doc) {
    reader from(doc);
    Account out;
    if constexpr (has_text_id<Account>) {
        out.id = doc.id;
    } else {
        out.id.value = from.id();
    }
    read(from, out);
    return from.finish(std::move(out));
}

// One pair for each of stored_types.
#define GALLERY_STORED(Account)                             \
    template document to_document<Account>(const Account&); \
    template result<Account> from_document<Account>(const document&);
GALLERY_STORED(tenant_profile)
GALLERY_STORED(tenant)
GALLERY_STORED(customer)
GALLERY_STORED(user)
GALLERY_STORED(api_key)
GALLERY_STORED(ended_session)
GALLERY_STORED(spent_token)
GALLERY_STORED(email_claim)
GALLERY_STORED(title_claim)
GALLERY_STORED(profile_name_claim)
#undef GALLERY_STORED

}  // namespace gallery::accounts
