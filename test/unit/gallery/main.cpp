#define GALLERY_TEST_MODULE "gallery"
#include "boost_test.hpp"
