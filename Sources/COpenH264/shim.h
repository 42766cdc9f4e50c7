#include <wels/codec_api.h>

// The C face of ISVCEncoder is a pointer to a table of functions: one plain function per entry.
static inline int lapel_openh264_default_parameters(ISVCEncoder *encoder, SEncParamExt *parameters) {
  return (*encoder)->GetDefaultParams(encoder, parameters);
}
static inline int lapel_openh264_initialize(ISVCEncoder *encoder, const SEncParamExt *parameters) {
  return (*encoder)->InitializeExt(encoder, parameters);
}
static inline int lapel_openh264_uninitialize(ISVCEncoder *encoder) { return (*encoder)->Uninitialize(encoder); }
static inline int lapel_openh264_parameter_sets(ISVCEncoder *encoder, SFrameBSInfo *info) {
  return (*encoder)->EncodeParameterSets(encoder, info);
}
static inline int lapel_openh264_encode(ISVCEncoder *encoder, const SSourcePicture *picture, SFrameBSInfo *info) {
  return (*encoder)->EncodeFrame(encoder, picture, info);
}
static inline int lapel_openh264_force_keyframe(ISVCEncoder *encoder) {
  return (*encoder)->ForceIntraFrame(encoder, 1);
}
static inline int lapel_openh264_set_complexity(ISVCEncoder *encoder, int complexity) {
  return (*encoder)->SetOption(encoder, ENCODER_OPTION_COMPLEXITY, &complexity);
}
static inline int lapel_openh264_set_trace_level(ISVCEncoder *encoder, int level) {
  return (*encoder)->SetOption(encoder, ENCODER_OPTION_TRACE_LEVEL, &level);
}

// Arrays in structures are tuples in Swift: these reach their elements by index, NULL and 0 beyond the end.
static inline SSpatialLayerConfig *lapel_openh264_first_layer(SEncParamExt *parameters) {
  return &parameters->sSpatialLayers[0];
}
static inline const SLayerBSInfo *lapel_openh264_layer(const SFrameBSInfo *info, int index) {
  return index >= 0 && index < info->iLayerNum && index < MAX_LAYER_NUM_OF_FRAME ? &info->sLayerInfo[index] : 0;
}
