// opus_encoder_ctl is variadic, which Swift cannot call: one typed function per request.
#include <opus/opus.h>
