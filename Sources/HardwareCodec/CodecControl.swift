import CLinux

/// A control of an encoder (Codec Control Reference in the kernel's documentation), under its kernel name.
public struct CodecControl: Hashable, Sendable, CustomStringConvertible {
  public var id: UInt32
  public var description: String

  init(_ id: UInt32, _ description: String) {
    self.id = id
    self.description = description
  }

  public static let bitrate = CodecControl(clinux_control_bitrate, "V4L2_CID_MPEG_VIDEO_BITRATE")
  public static let bitrateMode = CodecControl(clinux_control_bitrate_mode, "V4L2_CID_MPEG_VIDEO_BITRATE_MODE")
  public static let bitratePeak = CodecControl(clinux_control_bitrate_peak, "V4L2_CID_MPEG_VIDEO_BITRATE_PEAK")
  public static let frameRateControl = CodecControl(
    clinux_control_frame_rate_control, "V4L2_CID_MPEG_VIDEO_FRAME_RC_ENABLE")
  public static let gopSize = CodecControl(clinux_control_gop_size, "V4L2_CID_MPEG_VIDEO_GOP_SIZE")
  public static let bFrames = CodecControl(clinux_control_b_frames, "V4L2_CID_MPEG_VIDEO_B_FRAMES")
  public static let headerMode = CodecControl(clinux_control_header_mode, "V4L2_CID_MPEG_VIDEO_HEADER_MODE")
  public static let repeatHeader = CodecControl(clinux_control_repeat_header, "V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER")
  public static let forceKeyframe = CodecControl(
    clinux_control_force_keyframe, "V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME")
  public static let h264Profile = CodecControl(clinux_control_h264_profile, "V4L2_CID_MPEG_VIDEO_H264_PROFILE")
  public static let h264Level = CodecControl(clinux_control_h264_level, "V4L2_CID_MPEG_VIDEO_H264_LEVEL")
}

/// A control to be set before encoding begins.
public struct ControlSetting: Hashable, Sendable {
  public var control: CodecControl
  /// Tried in this order until the driver takes one.
  public var values: [Int]
  /// Without it the encoder is refused; otherwise a driver that lacks the control keeps its default.
  public var isRequired: Bool

  public init(_ control: CodecControl, _ values: Int..., isRequired: Bool = false) {
    self.control = control
    self.values = values
    self.isRequired = isRequired
  }
}
