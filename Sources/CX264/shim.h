// x264.h needs <stdint.h> before it.
#include <stdint.h>
#include <x264.h>

// x264_encoder_open is a macro that carries the build number into the symbol's name; Swift imports functions only.
static inline x264_t *lapel_x264_open(x264_param_t *parameters) { return x264_encoder_open(parameters); }
