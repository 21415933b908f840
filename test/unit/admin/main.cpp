#define GALLERY_TEST_MODULE "admin"
#include "boost_test.hpp"
