import Media

extension RecorderConfiguration {
  /// What no key shows by itself: each problem names all keys concerned. Empty if the values fit together.
  public func validate() -> [ConfigurationProblem] {
    var problems: [ConfigurationProblem] = []
    func check(_ holds: Bool, _ keys: [String], _ text: @autoclosure () -> String) {
      if !holds { problems.append(ConfigurationProblem(keys: keys, text: text())) }
    }

    check(
      camera.source != .v4l2 || !camera.device.isEmpty, ["camera.device", "camera.source"],
      "source \"v4l2\" needs a device, such as \"/dev/video0\"")
    check(
      camera.width * camera.height <= 3_840 * 2_160, ["camera.width", "camera.height"],
      "\(camera.width)x\(camera.height) has more pixels than 3840x2160")
    check(
      microphone.source != .alsa || !microphone.device.isEmpty, ["microphone.device", "microphone.source"],
      "source \"alsa\" needs a device, such as \"default\"")
    check(
      video.peakBitsPerSecond >= video.bitsPerSecond, ["video.peak_kbps", "video.bitrate_kbps"],
      "a peak of \(video.peakBitsPerSecond / 1_000) kbit/s is below the mean of \(video.bitsPerSecond / 1_000) kbit/s")
    check(
      recording.segment >= video.groupOfPictures * 2, ["recording.segment_s", "video.gop_ms"],
      "a segment must hold at least two keyframes: "
        + "\(recording.segment.inMilliseconds) ms are less than 2 × \(video.groupOfPictures.inMilliseconds) ms")
    check(
      !recording.hasPreEventAudio || microphone.source != .none, ["recording.pre_event_audio", "microphone.source"],
      "sound in the pre-event needs a microphone, and the source is \"none\"")
    check(
      !Self.overlap(store.path, identity.path), ["identity.path", "store.path"],
      "the device key must not be on the evidence card, and one of \(identity.path.excerpt), \(store.path.excerpt) "
        + "holds the other")
    return problems
  }

  /// Whether one path is the other or lies below it; by their names alone, links are not followed.
  private static func overlap(_ left: String, _ right: String) -> Bool {
    func names(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }
    let (left, right) = (names(left), names(right))
    return left.starts(with: right) || right.starts(with: left)
  }
}
