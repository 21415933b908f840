// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE "load"
#include "boost_test.hpp"
