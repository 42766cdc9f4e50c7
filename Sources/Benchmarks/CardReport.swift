import LinuxIO
import Media

/// The table of `card`.
enum CardReport {
  /// Bytes that reach an ext4 card over payload, by bitrate in Mbit/s and interval in s.
  private static let goals: [(rate: Double, interval: Double, most: Double)] = [(4, 0.75, 1.22), (4, 1.0, 1.16)]
  private static let flushGoal = 4.1

  static func make(_ runs: [CardRun], machine: String, fileSystem: LoopCard.FileSystem, mkfs: [String]) throws -> Report
  {
    var report = Report(
      name: "card", machine: machine,
      columns: [
        .init("rate\nMbit/s", "rate_mbps"), .init("checkpoint\nasked s", "checkpoint_asked_s"),
        .init("mean\ns", "checkpoint_mean_s"), .init("\ncount", "checkpoints"),
        .init("device bytes\n/ payload", "device_bytes_per_payload"),
        .init("padding,\nboxes, tags", "padding_boxes_tags_per_payload"),
        .init("ext4\njournal", "jbd2_per_payload"), .init("\nrest", "rest_per_payload"),

        .init("flushes /\ncheckpoint", "flushes_per_checkpoint"), .init("at both\nends", "flushes_at_the_ends"),
        .init("worst\nloss s", "worst_loss_s"),
        .init("payload\nMB", "payload_mb"), .init("files\nMB", "files_mb"), .init("\nsegments", "segments"),
      ])
    for run in runs {
      guard let result = run.result else { continue }
      report.rows.append(row(run.settings, try result.get(), fileSystem))
    }
    report.notes = [
      "Payload: bytes of the packets that the recording holds, picture and sound, of \(length(runs)). Counted: sectors and flushes in "
        + "/sys/block/loopN/stat, from the recorder's rest before the trigger (synced) to after the close (synced).",
      "Columns after the first ratio are its parts: what the segment files hold beyond the payload; what ext4's journal took "
        + "(commits x mean blocks as the kernel counts them, rounded down); the rest is journal.log by pages, directories, and metadata "
        + "in place, with the file system's own.",
      "Mean: from the end of one checkpoint to the end of the next; the writer makes it shorter than asked, so that flushes of 150 ms "
        + "would cost no more than a second. Worst loss: the longest time from what was durable to the end of the next checkpoint. Both "
        + "from the trigger on.",
      "Flushes: requests that reach the device; a commit of ext4's journal is two. At both ends: of opening the recording up to its "
        + "first checkpoint, and of closing it.",
      "Card: \(LoopCard.byteCount >> 30) GiB, mkfs.\(fileSystem) \(mkfs.joined(separator: " ")), mounted "
        + "\(LoopCard.mountOptions). The device answers a flush at once.",
    ]
    return report
  }

  private static func length(_ runs: [CardRun]) -> String {
    guard let settings = runs.first?.settings else { return "nothing" }
    return "\(settings.length.inMilliseconds / 1_000) s and \(settings.preEvent.inMilliseconds / 1_000) s of pre-event"
  }

  private static func row(
    _ settings: CardRun.Settings, _ outcome: CardRun.Outcome, _ fileSystem: LoopCard.FileSystem
  ) -> [Report.Cell] {
    let rate = Double(settings.bitrate) / 1e6
    let interval = settings.checkpointInterval.inSeconds
    let goal = goals.first { $0.rate == rate && $0.interval == interval && fileSystem == .ext4 }
    let payload = Double(outcome.payloadBytes)
    let overhead = outcome.segmentBytes - outcome.payloadBytes
    let rest = outcome.deviceBytes - outcome.segmentBytes - (outcome.journal?.bytesWritten ?? 0)
    return [
      .number(rate, decimals: 1), .number(interval, decimals: 2),
      .number(outcome.meanInterval.inSeconds, decimals: 3), .number(Double(outcome.checkpoints), decimals: 0),
      .number(Double(outcome.deviceBytes) / payload, decimals: 3, goal: goal?.most),
      .number(Double(overhead) / payload, decimals: 3),
      outcome.journal.map { .number(Double($0.bytesWritten) / payload, decimals: 3) } ?? .none,
      .number(Double(rest) / payload, decimals: 3),
      outcome.flushes.map {
        .number($0.perCheckpoint, decimals: 2, goal: fileSystem == .ext4 ? flushGoal : nil)
      } ?? .none,
      outcome.flushes.map { .number(Double($0.atTheEnds), decimals: 0) } ?? .none,
      .number(outcome.worstLoss.inSeconds, decimals: 2), .number(payload / 1e6, decimals: 2),
      .number(Double(outcome.segmentBytes + outcome.lineBytes) / 1e6, decimals: 2),
      .number(Double(outcome.segments), decimals: 0),
    ]
  }
}
