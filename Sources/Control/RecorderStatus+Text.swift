extension RecorderStatus {
  /// A few lines for people, without line feeds.
  public var textLines: [String] {
    var lines = [line("State", state.words + (reason.map { ": \($0)" } ?? ""))]
    if let recording {
      lines.append(
        line(
          "Recording",
          "\(Units.clock(milliseconds: recording.milliseconds)), number \(recording.counter), \(recording.id)"))
    }
    if let lag = lagMilliseconds {
      let age = checkpointAgeMilliseconds.map { ", last checkpoint \(Units.seconds(milliseconds: $0)) ago" } ?? ""
      lines.append(line("On the card", "\(Units.seconds(milliseconds: lag)) behind\(age)"))
    }
    if let ring {
      let (held, asked) = (ring.heldMilliseconds, ring.askedMilliseconds)
      lines.append(
        line("Pre-event", "\(Units.seconds(milliseconds: held)) held, \(Units.seconds(milliseconds: asked)) asked for"))
      lines.append(
        line(
          "Memory",
          "\(Units.bytes(ring.usedBytes)) of \(Units.bytes(ring.capacityBytes)) "
            + "(\(Units.percent(ring.usedBytes, of: ring.capacityBytes)))"))
    }
    if let video {
      lines.append(line("Camera", video.source))
      let rate = video.millihertz.map { "\(RecorderStatus.rate($0)) fps, " } ?? ""
      lines.append(
        line(
          "Frames",
          "\(rate)\(video.framesCaptured) captured, \(video.framesDropped) dropped, \(video.framesRefused) refused"))
      // Nothing waits where pictures pass through.
      let waiting = video.queueCapacity == 0 ? "" : ", \(video.queued) of \(video.queueCapacity) frames waiting"
      lines.append(line("Encoder", video.encoder + waiting))
    }
    if let audio { lines.append(line("Microphone", "\(audio.source), \(audio.samplesLost) samples lost")) }
    if let store {
      let left = store.minutesLeft.map { ", \(Units.minutes($0)) of footage" } ?? ""
      lines.append(line("Card", "\(Units.bytes(store.freeBytes)) free\(left), \(store.fileSystem), \(store.path)"))
    }
    if let power { lines.append(line("Power", RecorderStatus.words(power))) }
    for trigger in triggers {
      let name = trigger.kind.prefix(1).uppercased() + trigger.kind.dropFirst()
      lines.append(
        line(name, "\(trigger.state.rawValue), \(trigger.place)" + (trigger.reason.map { ": \($0)" } ?? "")))
    }
    if let check { lines.append(line("Check", check.sentence)) }
    if isMuted { lines.append(line("Muted", "no sound is recorded")) }
    if isStealth { lines.append(line("Stealth", "lights, tones and vibration are silent")) }
    // The newest few; the JSON has more, the log all.
    for recording in interrupted.suffix(3) { lines.append(line("At start", recording.words)) }
    if interrupted.count > 3 { lines.append(line("At start", "and \(interrupted.count - 3) more")) }
    for warning in warnings { lines.append(line("Warning", warning)) }
    let since = Units.timestamp(wallMilliseconds: startedWallMilliseconds)
    let minutes = Int(clamping: uptimeMilliseconds / 60_000)
    lines.append(line("Running", "\(Units.minutes(minutes)), since \(since)"))
    lines.append(line("Version", "\(version), format \(formatVersion)"))
    return lines
  }

  /// One line of at most `width` characters for a terminal: the state first, then what matters most. What does not fit is
  /// left out whole.
  public func statusLine(width: Int) -> String {
    var head = state.words
    if let recording { head += " " + Units.clock(milliseconds: recording.milliseconds) }
    var parts: [String] = []
    if let reason { parts.append(reason) }
    if isMuted { parts.append("muted") }
    if let lag = lagMilliseconds { parts.append("lag \(Units.seconds(milliseconds: lag))") }
    if let ring {
      parts.append(
        "pre-event \(ring.heldMilliseconds / 1_000)/\(ring.askedMilliseconds / 1_000) s, "
          + "ring \(Units.percent(ring.usedBytes, of: ring.capacityBytes))")
    }
    if let video {
      if let rate = video.millihertz { parts.append("\(RecorderStatus.rate(rate)) fps") }
      parts.append("drops \(video.framesDropped + video.framesRefused)")
    }
    if let minutes = store?.minutesLeft { parts.append("card \(Units.minutes(minutes))") }
    if let power, let percent = power.percent, power.source == .battery { parts.append("battery \(percent) %") }
    if let audio, audio.samplesLost > 0 { parts.append("audio lost \(audio.samplesLost)") }
    for trigger in triggers where trigger.state != .listening {
      parts.append("\(trigger.kind) \(trigger.state.rawValue)")
    }
    if !warnings.isEmpty { parts.append(warnings.count == 1 ? "1 warning" : "\(warnings.count) warnings") }

    var line = head
    for part in parts where line.count + 3 + part.count <= width { line += " | " + part }
    return String(line.prefix(max(0, width)))
  }

  private static func words(_ power: Power) -> String {
    var parts: [String] = []
    switch power.source {
    case .external: parts.append("external supply" + (power.percent.map { ", battery \($0) %" } ?? ""))
    case .battery: parts.append("battery" + (power.percent.map { " \($0) %" } ?? ", which does not say how full it is"))
    case nil: parts.append("nothing says what feeds the camera" + (power.percent.map { ", battery \($0) %" } ?? ""))
    }
    switch power.level {
    case .low, .critical: parts.append(power.level?.rawValue ?? "")
    case .external, .normal, nil: break
    }
    if let minutes = power.minutesLeft, power.source == .battery { parts.append("\(Units.minutes(minutes)) left") }
    if power.isFailing { parts.append("failing") }
    return parts.joined(separator: ", ")
  }

  private static func rate(_ millihertz: Int64) -> String { Units.decimal((millihertz + 5) / 10, decimals: 2) }

  private func line(_ name: String, _ value: String) -> String {
    name + String(repeating: " ", count: max(1, 13 - name.count)) + value
  }
}

extension RecorderStatus.Check {
  /// A line for each part: name, state, text.
  public var textLines: [String] {
    parts.map { part in
      func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
      }
      return column(part.name.rawValue, 13) + column(part.state.rawValue, 10) + part.text
    }
  }
}
