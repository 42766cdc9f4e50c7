import Core
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
    checkPath(check)
    let controls = CameraControlList(camera.controls)
    check(controls.problem == nil, ["camera.controls"], controls.problem ?? "")
    check(
      controls.settings.isEmpty || camera.source == .v4l2, ["camera.controls", "camera.source"],
      "only a \"v4l2\" camera has controls")
    check(
      camera.width * camera.height <= 3_840 * 2_160, ["camera.width", "camera.height"],
      "\(camera.width)x\(camera.height) has more pixels than 3840x2160")
    check(
      microphone.source != .alsa || !microphone.device.isEmpty, ["microphone.device", "microphone.source"],
      "source \"alsa\" needs a device, such as \"default\"")
    check(
      video.path == .passthrough || video.peakBitsPerSecond >= video.bitsPerSecond,
      ["video.peak_kbps", "video.bitrate_kbps"],
      "a peak of \(video.peakBitsPerSecond / 1_000) kbit/s is below the mean of \(video.bitsPerSecond / 1_000) kbit/s")
    check(
      video.path == .passthrough || recording.segment >= video.groupOfPictures * 2,
      ["recording.segment_s", "video.gop_ms"],
      "a segment must hold at least two keyframes: "
        + "\(recording.segment.inMilliseconds) ms are less than 2 × \(video.groupOfPictures.inMilliseconds) ms")
    check(
      !recording.hasPreEventAudio || microphone.source != .none, ["recording.pre_event_audio", "microphone.source"],
      "sound in the pre-event needs a microphone, and the source is \"none\"")
    checkButtons(check)
    check(
      buttons.second.isEmpty || mute.isAllowed, ["buttons.second", "mute.allowed"],
      "the second button mutes, which is not allowed")
    check(
      buttons.second.isEmpty || buttons.second != buttons.record, ["buttons.second", "buttons.record"],
      "one button cannot be both")
    let isAdapter =
      radio.adapter == "any" || radio.adapter.hasPrefix("hci") && UInt16(radio.adapter.dropFirst(3)) != nil
      || Self.isAddress(radio.adapter)
    check(
      radio.adapter.isEmpty || isAdapter, ["radio.adapter"],
      "\(radio.adapter.excerpt) is no Bluetooth adapter: its address as in \"01:23:45:67:89:AB\", \"hci0\", or \"any\" for the "
        + "first one")
    check(
      radio.adapter.isEmpty || !radio.groups.isEmpty || !radio.unauthenticated.isEmpty,
      ["radio.adapter", "radio.groups", "radio.unauthenticated"],
      "the radio would listen for nothing: name the file of its groups")
    check(
      power.criticalPercent < power.lowPercent, ["power.critical_percent", "power.low_percent"],
      "the recording would be closed at \(power.criticalPercent) %, and the alarm come at \(power.lowPercent) % only: it must "
        + "come before")
    check(
      !power.battery.isEmpty && !power.battery.contains("/"), ["power.battery"],
      "\(power.battery.excerpt) is no name of a battery; use \"none\" for none")
    let (table, wrong) = signs.table
    for problem in wrong { check(false, ["signs.\(problem.key)"], problem.text) }
    if wrong.isEmpty {
      for problem in table.problems() { check(false, signs.changed.map { "signs.\($0)" }, problem) }
    }
    check(
      !Self.overlap(store.path, identity.path), ["identity.path", "store.path"],
      "the device key must not be on the evidence card, and one of \(identity.path.excerpt), \(store.path.excerpt) "
        + "holds the other")
    return problems
  }

  private func checkPath(_ check: (Bool, [String], @autoclosure () -> String) -> Void) {
    let format = camera.format.rawValue
    switch video.path {
    case .encode:
      check(
        camera.source != .file, ["camera.source", "video.path"],
        "a file's pictures are recorded as they are only: set path \"passthrough\"")
      check(
        camera.format != .h264, ["camera.format", "video.path"],
        "format \"h264\" is not decoded and encoded again: set path \"passthrough\", or another format")
    case .passthrough:
      check(
        camera.source != .synthetic, ["video.path", "camera.source"],
        "the camera made of nothing compresses nothing that could pass through: set source \"v4l2\", or path \"encode\""
      )
      check(
        camera.format == .mjpeg || camera.format == .h264, ["video.path", "camera.format"],
        "only what the camera compresses passes through, and format \"\(format)\" "
          + (camera.format == .auto ? "does not say what that is" : "is raw") + ": set \"mjpeg\" or \"h264\"")
      check(
        camera.source != .file || !camera.device.isEmpty, ["camera.device", "camera.source"],
        "source \"file\" needs a device: the path of the clip")
    }
  }

  private func checkButtons(_ check: (Bool, [String], @autoclosure () -> String) -> Void) {
    let times = buttons.times
    let keys = ["buttons.start", "buttons.stop", "buttons.mark"]
    check(
      buttons.start != buttons.stop, Array(keys.prefix(2)),
      "\"\(buttons.start.rawValue)\" would both start and stop: a press that was meant to start a recording could end one"
    )
    check(
      buttons.mark.gesture != buttons.start && buttons.mark.gesture != buttons.stop, keys,
      "\"\(buttons.mark.rawValue)\" would have two meanings; choose another gesture, or mark = \"none\"")
    check(
      times.longestPress > times.debounce, ["buttons.longest_press_ms", "buttons.debounce_ms"],
      "what bounces for \(times.debounce.inMilliseconds) ms may be longer than a press of "
        + "\(times.longestPress.inMilliseconds) ms")
    check(
      times.doubleGap > times.debounce || buttons.table?.gestures.contains(.doublePress) == false,
      ["buttons.double_gap_ms", "buttons.debounce_ms"],
      "what is let go for \(times.doubleGap.inMilliseconds) ms may be bouncing for \(times.debounce.inMilliseconds) ms: no double "
        + "press would be one")
    check(
      times.hold > times.longestPress, ["buttons.hold_ms", "buttons.longest_press_ms"],
      "a hold of \(times.hold.inMilliseconds) ms must take longer than a press of \(times.longestPress.inMilliseconds) ms"
    )
    check(
      times.stuck > times.hold, ["buttons.stuck_s", "buttons.hold_ms"],
      "a button would be stuck after \(times.stuck.inMilliseconds) ms, before its hold of "
        + "\(times.hold.inMilliseconds) ms is one")
    let hasDouble = buttons.table?.gestures.contains(.doublePress) ?? false
    let longest = times.longestDecision(of: buttons.start, hasDouble: hasDouble)
    check(
      buttons.record.isEmpty || recording.edgeToDecision >= longest,
      [
        "recording.edge_to_decision_s", "buttons.start", "buttons.longest_press_ms", "buttons.double_gap_ms",
        "buttons.hold_ms",
      ],
      "the start gesture may take \(longest.inMilliseconds) ms, and the pre-event of a trigger is kept for "
        + "\(recording.edgeToDecision.inMilliseconds) ms only")
  }

  /// Six pairs of hexadecimal digits between colons.
  private static func isAddress(_ text: String) -> Bool {
    let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
    return pairs.count == 6 && pairs.allSatisfy { $0.utf8.count == 2 && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
  }

  /// Whether one path is the other or lies below it; by their names alone, links are not followed.
  private static func overlap(_ left: String, _ right: String) -> Bool {
    func names(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }
    let (left, right) = (names(left), names(right))
    return left.starts(with: right) || right.starts(with: left)
  }
}
