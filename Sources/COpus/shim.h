#include <opus/opus.h>

// opus_encoder_ctl is variadic, which Swift cannot call: one typed function per request.
static inline int lapel_opus_set_bitrate(OpusEncoder *encoder, opus_int32 bits_per_second) {
  return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits_per_second));
}
static inline int lapel_opus_set_complexity(OpusEncoder *encoder, opus_int32 complexity) {
  return opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity));
}
static inline int lapel_opus_set_constrained_vbr(OpusEncoder *encoder) {
  int status = opus_encoder_ctl(encoder, OPUS_SET_VBR(1));
  return status != OPUS_OK ? status : opus_encoder_ctl(encoder, OPUS_SET_VBR_CONSTRAINT(1));
}
static inline int lapel_opus_lookahead(OpusEncoder *encoder, opus_int32 *samples) {
  return opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(samples));
}
static inline int lapel_opus_reset(OpusEncoder *encoder) { return opus_encoder_ctl(encoder, OPUS_RESET_STATE); }
