// x264.h needs <stdint.h> before it.
#include <stdint.h>
#include <x264.h>
