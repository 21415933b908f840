// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE scrub
#include "boost_test.hpp"
