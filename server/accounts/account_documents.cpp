// SPDX-License-Identifier: Apache-2.0
#include "accounts/account_documents.hpp"

#include <boost/json.hpp>

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

template <class Account>
document finish(std::string id, const json::object& members) {
    document doc;
    doc.kind = document_of<Account>::kind;
    doc.id = std::move(id);
    doc.body = json::serialize(members);
    return doc;
}

}  // namespace

std::string name_digest(std::string_view name) {
    return to_hex(sha256({name.data(), name.size()}));
}

document to_document(const tenant& value) {
    json::object out;
    out["createdTime"] = value.created_time;
    put(out, "title", value.title);
    put(out, "region", value.region);
    put(out, value.reach);
    if (value.profile) out["profile"] = to_string(*value.profile);
    put(out, "additionalInfo", value.additional_info);
    out["version"] = value.version;
    if (value.deleting) out["deleting"] = true;
    if (value.deleted) out["deleted"] = true;
    return finish<tenant>(to_string(value.id), out);
}

template <>
result<tenant> from_document<tenant>(const document& doc) {
    reader from(doc);
    tenant out;
    out.id.value = from.id();
    from.read("createdTime", out.created_time);
    from.read("title", out.title);
    from.read("region", out.region);
    from.read(out.reach);
    from.read("profile", out.profile);
    from.read("additionalInfo", out.additional_info);
    from.read("version", out.version);
    from.read("deleting", out.deleting);
    from.read("deleted", out.deleted);
    return from.finish(std::move(out));
}

document to_document(const customer& value) {
    json::object out;
    out["tenant"] = to_string(value.owner);
    out["createdTime"] = value.created_time;
    put(out, "title", value.title);
    put(out, value.reach);
    put(out, "additionalInfo", value.additional_info);
    out["version"] = value.version;
    return finish<customer>(to_string(value.id), out);
}

template <>
result<customer> from_document<customer>(const document& doc) {
    reader from(doc);
    customer out;
    out.id.value = from.id();
    from.require("tenant", out.owner.value);
    from.read("createdTime", out.created_time);
    from.read("title", out.title);
    from.read(out.reach);
    from.read("additionalInfo", out.additional_info);
    from.read("version", out.version);
    return from.finish(std::move(out));
}

document to_document(const user& value) {
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
    return finish<user>(to_string(value.id), out);
}

template <>
result<user> from_document<user>(const document& doc) {
    reader from(doc);
    user out;
    out.id.value = from.id();
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
    return from.finish(std::move(out));
}

document to_document(const api_key& value) {
    json::object out;
    out["user"] = to_string(value.holder);
    out["tenant"] = to_string(value.owner);
    out["createdTime"] = value.created_time;
    if (value.expiration_time != 0) out["expirationTime"] = value.expiration_time;
    put(out, "description", value.description);
    out["enabled"] = value.enabled;
    out["hash"] = to_hex(value.hash);
    if (value.last_used != 0) out["lastUsed"] = value.last_used;
    return finish<api_key>(to_string(value.id), out);
}

template <>
result<api_key> from_document<api_key>(const document& doc) {
    reader from(doc);
    api_key out;
    out.id.value = from.id();
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
    return from.finish(std::move(out));
}

document to_document(const ended_session& value) {
    json::object out;
    out["forgetAfter"] = value.forget_after;
    return finish<ended_session>(value.id, out);
}

template <>
result<ended_session> from_document<ended_session>(const document& doc) {
    reader from(doc);
    ended_session out;
    out.id = doc.id;
    from.read("forgetAfter", out.forget_after);
    return from.finish(std::move(out));
}

document to_document(const spent_token& value) {
    json::object out;
    out["spentAt"] = value.spent_at;
    out["forgetAfter"] = value.forget_after;
    return finish<spent_token>(value.id, out);
}

template <>
result<spent_token> from_document<spent_token>(const document& doc) {
    reader from(doc);
    spent_token out;
    out.id = doc.id;
    from.read("spentAt", out.spent_at);
    from.read("forgetAfter", out.forget_after);
    return from.finish(std::move(out));
}

namespace {

template <class Claim>
document claim_document(const Claim& value) {
    json::object out;
    out["holder"] = to_string(value.holder);
    return finish<Claim>(value.id, out);
}

template <class Claim>
result<Claim> claim_from(const document& doc) {
    reader from(doc);
    Claim out;
    out.id = doc.id;
    from.require("holder", out.holder);
    return from.finish(std::move(out));
}

}  // namespace

document to_document(const email_claim& value) {
    return claim_document(value);
}
document to_document(const title_claim& value) {
    return claim_document(value);
}

template <>
result<email_claim> from_document<email_claim>(const document& doc) {
    return claim_from<email_claim>(doc);
}
template <>
result<title_claim> from_document<title_claim>(const document& doc) {
    return claim_from<title_claim>(doc);
}

}  // namespace gallery::accounts
