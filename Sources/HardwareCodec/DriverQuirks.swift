import CLinux

/// Where a driver is known to part from the specification, each with its source. A driver that is not in the table is
/// taken at its word. None of this was seen by us: no such hardware was here.
struct DriverQuirks: Hashable, Sendable {
  /// Values of controls that are never set, whatever the driver says.
  var avoided: [CodecControl: Set<Int>] = [:]

  func avoids(_ control: CodecControl, _ value: Int) -> Bool { avoided[control]?.contains(value) ?? false }

  /// By the driver's name in VIDIOC_QUERYCAP.
  static func of(driver: String) -> DriverQuirks { table[driver] ?? DriverQuirks() }

  static let table: [String: DriverQuirks] = [
    // The Raspberry Pi's up to 4 and Zero 2 (bcm2835-v4l2-codec.c of raspberrypi/linux). Constant bitrate at 1920x1080
    // ended in timeouts of its firmware (raspberrypi/linux#5360); repeated parameter sets stalled it after some 20,000
    // pictures (raspberrypi/linux#4520).
    //
    // What needs no entry, because every driver is treated so: its rows are aligned (negotiated); it silently drops a
    // picture that its rate control cannot hold (raspberrypi/linux#6680, raspberrypi/picamera2#1236: `PicturesInCodec`
    // counts it); its V4L2_ENC_CMD_START does nothing (vidioc_encoder_cmd: we go on by STREAMOFF and STREAMON).
    "bcm2835-codec": DriverQuirks(
      avoided: [
        .bitrateMode: [Int(V4L2_MPEG_VIDEO_BITRATE_MODE_CBR.rawValue)],
        .repeatHeader: [1],
      ])
  ]
}
