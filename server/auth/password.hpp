// SPDX-License-Identifier: Apache-2.0
/// Hashes and checks passwords on threads of their own.
///
/// New hashes are scrypt (RFC 7914) in PHC notation, "$scrypt$ln=15,r=8,p=1$<salt>$<hash>": 32 MiB and about
/// 80 ms per check. bcrypt hashes ("$2a$", "$2b$", "$2y$"), which ThingsBoard stores, are also checked, so
/// imported accounts keep their passwords.
#pragma once

#include "turns/fair_turns.hpp"

#include <gallery/error.hpp>
#include <gallery/task.hpp>

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace gallery::auth {

/// scrypt's parameters. Memory is 128 * r * 2^log_n bytes.
struct password_cost {
    std::uint32_t log_n = 15;
    std::uint32_t r = 8;
    std::uint32_t p = 1;

    friend bool operator==(const password_cost&, const password_cost&) = default;
};

/// A hash with a fresh salt. Blocks for as long as a try costs.
std::string hash_password(std::string_view password, const password_cost& cost);

/// Whether @p stored is a hash of this password. Also false for a hash in an unknown notation or with a cost
/// that could only exhaust the server. Blocks for the duration of one check.
bool verify_password(std::string_view password, std::string_view stored);

/// Whether @p stored has other parameters than @p cost and should be replaced at the next login.
bool is_outdated_hash(std::string_view stored, const password_cost& cost);

/// The password policy: 6 to 72 characters (ThingsBoard's limits) of well-formed UTF-8, no control
/// characters. Error: invalid_argument.
result<void> check_password_policy(std::string_view password);

/// A random password for an account that is shown once: 20 letters and digits, 119 bits.
std::string generate_password();

/// Hashes and checks on two threads of its own, so that no I/O thread waits and many logins do not use all
/// processors or all memory. Waiting clients take turns, so that a client that tries many passwords does not
/// delay the others. A few may wait for each client, and queue_limit together; more are refused.
class password_service {
public:
    static constexpr std::size_t threads = 2;
    static constexpr std::size_t queue_limit = 128;
    static constexpr std::size_t queue_limit_each = 8;

    /// Blocks for one hash, the one that stands in for unknown users.
    explicit password_service(password_cost cost = {});
    password_service(const password_service&) = delete;
    password_service& operator=(const password_service&) = delete;

    /// Waits for the work in progress. No coroutine of it may be running.
    ~password_service();

    using turns = fair_turns<std::string>;

    /// Waits until one password may be hashed or checked. @p who: the network of the client, or another name
    /// of the client. Errors: too_many_requests where @p who has too many waiting; busy where all have.
    task<result<turns::turn>> begin(std::string who) { return turns_.take(std::move(who)); }

    /// Errors: as begin().
    task<result<std::string>> hash(std::string password, std::string who = {});

    struct verdict {
        bool matches = false;
        std::string better_hash;  ///< of the same password, where it matches and @p stored is outdated
    };

    /// An empty @p stored matches nothing, but takes as long as a hash. The duration therefore does not
    /// reveal whether a user name exists.
    task<verdict> verify(turns::turn held, std::string password, std::string stored);
    /// The same in a turn of its own. Errors: as begin().
    task<result<verdict>> verify(std::string password, std::string stored, std::string who = {});

private:
    const password_cost cost_;
    const std::string dummy_;
    turns turns_{"passwords to check",
                 {.at_once = threads, .waiting_per_user = queue_limit_each, .waiting = queue_limit}};
    asio::thread_pool pool_;
};

}  // namespace gallery::auth
