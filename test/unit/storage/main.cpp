#define GALLERY_TEST_MODULE storage
#include "boost_test.hpp"
