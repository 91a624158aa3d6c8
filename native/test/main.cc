// Without doctest's signal handlers: forked children would inherit them and report their own intended deaths. A crash
// still ends the test, and ctest, which runs each test case in a process of its own, names it.
#define DOCTEST_CONFIG_NO_POSIX_SIGNALS
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
