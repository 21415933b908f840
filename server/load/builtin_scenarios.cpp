// SPDX-License-Identifier: Apache-2.0
#include "load/scenario.hpp"

#include <array>

namespace gallery::load {

namespace {

constexpr std::string_view browse = R"(# Users look through the images of their tenant.
description: users list and search images and look at pictures
rate: 20                # visits a second
ramp: 10s               # from 0 to this rate
duration: 60s           # at this rate
warm_up: 10s            # not counted
connections: 64
tenants: 4
images: 250             # of each tenant
popularity: 0.9         # Zipf: few images are requested often
sizes:
  - {size: 2KiB, share: 50}
  - {size: 14KiB, share: 35}
  - {size: 100KiB, share: 15}
visits:
  - name: first visit
    share: 3
    think: 2s
    requests:
      - list, preview * 10
      - get * 2, info
      - list, preview * 10
  - name: return visit
    share: 6
    think: 2s
    requests:
      - list, revalidate * 10
      - revalidate * 2
  - name: search
    share: 1
    think: 1s
    requests:
      - search
      - get
thresholds:
  - p99 < 250ms
  - errors < 0.1%
)";

constexpr std::string_view dashboard_wall =
    R"(# Screens that show dashboards ask again and again for pictures that rarely change.
description: screens request the pictures of their dashboards again, almost always unchanged
rate: 50
ramp: 5s
duration: 60s
warm_up: 5s
arrivals: even          # screens follow a clock
connections: 1000
tenants: 4
images: 100
popularity: 0.5
sizes:
  - {size: 2KiB, share: 60}
  - {size: 14KiB, share: 40}
visits:
  - name: refresh
    share: 49
    think: 5s
    requests:
      - revalidate * 12
      - revalidate * 12
      - revalidate * 12
  - name: restart of a screen
    share: 1
    requests:
      - get * 12
thresholds:
  - p99 < 100ms
  - revalidate p99 < 50ms
  - errors < 0.1%
)";

constexpr std::string_view upload_storm = R"(# Many users upload at the same time, while a few others read.
description: many uploads at once, and a few readers
rate: 20
ramp: 5s
duration: 60s
warm_up: 5s
connections: 64
tenants: 4
images: 50
sizes:
  - {size: 14KiB, share: 60}
  - {size: 100KiB, share: 30}
  - {size: 1MiB, share: 10}
timeout: 30s
visits:
  - name: upload
    share: 4
    requests:
      - upload
  - name: read
    share: 1
    requests:
      - list, get * 4
thresholds:
  - upload p99 < 2s
  - get p99 < 250ms
  - errors < 0.1%
)";

constexpr std::string_view replace_and_watch =
    R"(# Pictures are replaced while screens show them. No screen may see an old one after the replacement was acknowledged.
description: pictures are replaced while others watch them
rate: 20
ramp: 5s
duration: 60s
warm_up: 5s
connections: 128
tenants: 2
images: 20
popularity: 1.2
sizes:
  - {size: 14KiB}
hashed: 0.1             # the share of pictures whose bytes are hashed
visits:
  - name: replace and look
    share: 1
    think: 100ms
    same_image: true    # all requests of a visit are for one image
    requests:
      - replace
      - revalidate * 2, get, info
      - revalidate * 2, get
  - name: watch
    share: 4
    think: 500ms
    requests:
      - revalidate * 10
      - revalidate * 10
thresholds:
  - replace p99 < 1s
  - revalidate p99 < 100ms
  - errors < 0.1%
)";

constexpr std::string_view mixed = R"(# All kinds of requests, as on an ordinary day.
description: screens, users and uploads together
rate: 40
ramp: 10s
duration: 120s
warm_up: 10s
connections: 256
tenants: 8
images: 200
popularity: 0.9
sizes:
  - {size: 2KiB, share: 50}
  - {size: 14KiB, share: 35}
  - {size: 100KiB, share: 14}
  - {size: 1MiB, share: 1}
visits:
  - name: screen
    share: 70
    think: 5s
    requests:
      - revalidate * 12
      - revalidate * 12
  - name: user
    share: 24
    think: 2s
    requests:
      - list, preview * 10
      - search
      - get * 2, info
  - name: editor
    share: 6
    think: 2s
    same_image: true
    requests:
      - list
      - replace
      - get, preview
  - name: upload
    share: 2
    requests:
      - upload
thresholds:
  - p99 < 250ms
  - upload p99 < 2s
  - errors < 0.1%
)";

constexpr std::array<builtin_scenario, 5> scenarios{{{"browse", browse},
                                                     {"dashboard-wall", dashboard_wall},
                                                     {"upload-storm", upload_storm},
                                                     {"replace-and-watch", replace_and_watch},
                                                     {"mixed", mixed}}};

}  // namespace

std::span<const builtin_scenario> builtin_scenarios() noexcept {
    return scenarios;
}

}  // namespace gallery::load
