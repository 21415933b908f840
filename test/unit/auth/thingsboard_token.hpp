// SPDX-License-Identifier: Apache-2.0
/// A token as a ThingsBoard server writes it, signed with 64 times "k" by another program.
#pragma once

#include <string>

namespace gallery::test {

inline const std::string thingsboard_token =
    "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ0ZW5hbnRAdGhpbmdzYm9hcmQub3JnIiwidXNlcklkIjoiNWY3YTFiNjAtMTExMS0"
    "xMWVlLThhM2MtMDEyMzQ1Njc4OWFiIiwic2NvcGVzIjpbIlRFTkFOVF9BRE1JTiJdLCJzZXNzaW9uSWQiOiJkMWU0ZmQ3ZS0"
    "yMjIyLTRmN2ItOWIzZC0wMTIzNDU2Nzg5YWIiLCJleHAiOjE3MDAwMDkwMDAsImlzcyI6InRoaW5nc2JvYXJkLmlvIiwiaWF"
    "0IjoxNzAwMDAwMDAwLCJmaXJzdE5hbWUiOiJBZGEiLCJlbmFibGVkIjp0cnVlLCJpc1B1YmxpYyI6ZmFsc2UsInRlbmFudEl"
    "kIjoiNWUwMDAwMDAtMTExMS0xMWVlLThhM2MtMDEyMzQ1Njc4OWFiIiwiY3VzdG9tZXJJZCI6IjEzODE0MDAwLTFkZDItMTF"
    "iMi04MDgwLTgwODA4MDgwODA4MCJ9.PeUcOq2eHYpVYEy4D544VLHdSe-xCkf5alaxVKmqc1VjV0SsITiUrN-QT0ud1Hm8t9"
    "3FzaepO2jvkVpd0OzV1w";

}  // namespace gallery::test
