// SPDX-License-Identifier: Apache-2.0
/// Boost.Test, linked as a shared library. One file of each test executable defines
/// GALLERY_TEST_MODULE, the suite's name, before it includes this and so receives main().
#pragma once

#define BOOST_TEST_DYN_LINK
#ifdef GALLERY_TEST_MODULE
#define BOOST_TEST_MODULE GALLERY_TEST_MODULE
#endif
#include <boost/test/unit_test.hpp>
