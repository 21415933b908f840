// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE storage
#include "boost_test.hpp"
