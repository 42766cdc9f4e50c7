extension RecorderStatus {
  /// One JSON object on one line. Keys are never removed or change their meaning within protocol version 1; new ones may
  /// come. Unknown values are null.
  public var json: String {
    let members: [(String, JSONValue)] = [
      ("protocol", .integer(1)),
      ("state", .string(state.rawValue)),
      ("reason", .optional(reason, JSONValue.string)),
      ("recording", .optional(recording, RecorderStatus.value)),
      ("ring", .optional(ring, RecorderStatus.value)),
      ("video", .optional(video, RecorderStatus.value)),
      ("audio", .optional(audio, RecorderStatus.value)),
      ("store", .optional(store, RecorderStatus.value)),
      ("power", .optional(power, RecorderStatus.value)),
      ("triggers", .array(triggers.map(RecorderStatus.value))),
      ("check", .optional(check, RecorderStatus.value)),
      ("stealth", .bool(isStealth)),
      ("muted", .bool(isMuted)),
      ("lag_ms", .optional(lagMilliseconds, JSONValue.integer)),
      ("checkpoint_age_ms", .optional(checkpointAgeMilliseconds, JSONValue.integer)),
      ("interrupted", .array(interrupted.map(RecorderStatus.value))),
      ("warnings", .array(warnings.map { .string($0) })),
      ("started", .string(Units.timestamp(wallMilliseconds: startedWallMilliseconds))),
      ("uptime_ms", .integer(uptimeMilliseconds)),
      ("version", .string(version)),
      ("format_version", .integer(Int64(formatVersion))),
    ]
    return JSONValue.object(members).text
  }

  fileprivate static func value(_ check: Check) -> JSONValue {
    .object([
      ("number", .integer(Int64(check.number))), ("result", .string(check.result.rawValue)),
      (
        "parts",
        .array(
          check.parts.map { part in
            .object([
              ("name", .string(part.name.rawValue)), ("state", .string(part.state.rawValue)),
              ("text", .string(part.text)),
            ])
          })
      ),
    ])
  }

  private static func value(_ recording: Recording) -> JSONValue {
    .object([
      ("id", .string(recording.id)), ("counter", .integer(recording.counter)),
      ("duration_ms", .integer(recording.milliseconds)),
    ])
  }

  private static func value(_ interrupted: Interrupted) -> JSONValue {
    .object([
      ("id", .string(interrupted.id)), ("counter", .integer(interrupted.counter)),
      ("segments", .integer(Int64(interrupted.segments))), ("attested_ms", .integer(interrupted.attestedMilliseconds)),
    ])
  }

  private static func value(_ trigger: TriggerSource) -> JSONValue {
    .object([
      ("kind", .string(trigger.kind)), ("place", .string(trigger.place)), ("state", .string(trigger.state.rawValue)),
      ("reason", .optional(trigger.reason, JSONValue.string)),
    ])
  }

  private static func value(_ ring: Ring) -> JSONValue {
    .object([
      ("pre_event_held_ms", .integer(ring.heldMilliseconds)), ("pre_event_asked_ms", .integer(ring.askedMilliseconds)),
      ("used_bytes", .integer(ring.usedBytes)), ("capacity_bytes", .integer(ring.capacityBytes)),
    ])
  }

  private static func value(_ video: Video) -> JSONValue {
    .object([
      ("source", .string(video.source)), ("encoder", .string(video.encoder)),
      ("fps", .optional(video.millihertz, JSONValue.thousandths)), ("frames_captured", .integer(video.framesCaptured)),
      ("frames_dropped", .integer(video.framesDropped)), ("frames_refused", .integer(video.framesRefused)),
      ("queued", .integer(Int64(video.queued))), ("queue_capacity", .integer(Int64(video.queueCapacity))),
    ])
  }

  private static func value(_ audio: Audio) -> JSONValue {
    .object([("source", .string(audio.source)), ("samples_lost", .integer(audio.samplesLost))])
  }

  private static func value(_ power: Power) -> JSONValue {
    .object([
      ("level", .optional(power.level) { .string($0.rawValue) }),
      ("percent", .optional(power.percent) { .integer(Int64($0)) }),
      ("source", .optional(power.source) { .string($0.rawValue) }),
      ("minutes_left", .optional(power.minutesLeft) { .integer(Int64($0)) }), ("failing", .bool(power.isFailing)),
    ])
  }

  private static func value(_ store: Store) -> JSONValue {
    .object([
      ("path", .string(store.path)), ("file_system", .string(store.fileSystem)),
      ("free_bytes", .integer(store.freeBytes)), ("minutes_left", .optional(store.minutesLeft) { .integer(Int64($0)) }),
    ])
  }
}

extension RecorderStatus.Check {
  /// One JSON object on one line, as in the status.
  public var json: String { RecorderStatus.value(self).text }
}
