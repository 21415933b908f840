// SPDX-License-Identifier: Apache-2.0
#define GALLERY_TEST_MODULE mirror
#include "boost_test.hpp"
