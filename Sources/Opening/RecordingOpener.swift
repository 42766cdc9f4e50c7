import Crypto
public import Evidence

/// Opens a recording with the agency's identity: decrypts, compares every range with the commitment that its journal line
/// signed, walks its boxes, and joins the fragments of all segments into files that play.
///
/// Only ranges that prove to be what the camera committed to reach an attested file. What does not is left out, and named.
/// Memory: a few chunks, and 8 bytes a sample for the summary.
public struct RecordingOpener {
  /// Chunks of a range that are kept between its two passes; a longer range is decrypted twice.
  private static let keptChunks = 64

  private let plan: RecordingPlan
  private let identities: [AgeIdentity]

  /// - Parameter plan: of lines that a verifier has found valid.
  public init(plan: RecordingPlan, identities: [AgeIdentity]) {
    self.plan = plan
    self.identities = identities
  }

  /// - Parameters:
  ///   - files: the recording's directory.
  ///   - progress: gets the share done, 0...1, after each range.
  /// - Throws: `.noIdentityMatches` when no segment is encrypted to any of the identities; `.output`. Everything else
  ///   becomes a problem of the result.
  public func open<Output: FootageOutput>(
    _ files: any EvidenceFiles, into output: inout Output, progress: (Double) -> Void = { _ in }
  ) throws(OpeningError) -> OpenedRecording {
    var state = State(recording: plan.recording)
    state.result.rangesPromised = plan.segments.reduce(0) { $0 + $1.ranges.count }
    // A hostile journal may promise any number of chunks: a sum that cannot overflow.
    let total = plan.segments.reduce(1.0) { $0 + Double($1.chunks) }
    var done = 0.0
    var mismatch: OpeningError?
    for segment in plan.segments {
      do throws(OpeningError) {
        let payload = try AgePayload(EvidenceFile(files, segment.fileName), identities: identities)
        guard Int64(payload.headerLength) == segment.headerLength else {
          throw OpeningError(.header, "\(segment.fileName) has another header than the journal says")
        }
        state.result.segmentsOpened += 1
        try open(segment, payload, &state, &output) { progress((done + Double($0)) / total) }
      } catch {
        if error.code == .output { throw error }
        if error.code == .noIdentityMatches { mismatch = error }
        state.result.problems.append(.init(segment: segment.number, chunks: nil, mediaTime: nil, error: error))
      }
      done += Double(segment.chunks)
    }
    if let mismatch, state.result.segmentsOpened == 0,
      state.result.problems.allSatisfy({ $0.error.code == .noIdentityMatches })
    {
      throw mismatch
    }
    // Last, so that no tail stands between two segments that play on.
    for (segment, payload, start) in state.tails { try openTail(segment, payload, start, &state, &output) }
    state.result.summary = state.timeline.summary()
    return state.result
  }

  /// What goes on from segment to segment.
  private struct State {
    var result: OpenedRecording
    var timeline = FootageTimeline()
    /// The init of the attested file that is being written.
    var runInit: OpenedInit?
    /// Start of the last sample of each track in that file.
    var lastStarts: [UInt32: Int64] = [:]
    /// The last init that proved right.
    var lastInit: OpenedInit?
    var runs = 0
    var tails: [(RecordingPlan.Segment, AgePayload, OpenedInit?)] = []

    init(recording: EvidenceID) { result = OpenedRecording(recording: recording) }
  }

  private func open<Output: FootageOutput>(
    _ segment: RecordingPlan.Segment, _ payload: AgePayload, _ state: inout State, _ output: inout Output,
    _ progress: (Int64) -> Void
  ) throws(OpeningError) {
    var start: OpenedInit?
    for range in segment.ranges {
      do throws(OpeningError) {
        try open(range, of: segment, payload, &start, &state, &output)
        state.result.rangesProved += 1
      } catch {
        if error.code == .output { throw error }
        state.result.problems.append(
          .init(segment: segment.number, chunks: range.chunks, mediaTime: range.mediaTime, error: error))
      }
      progress(range.chunks.upperBound)
    }
    if !segment.isComplete { state.tails.append((segment, payload, start)) }
  }

  // MARK: Attested ranges

  private func open<Output: FootageOutput>(
    _ range: Attested.Range, of segment: RecordingPlan.Segment, _ payload: AgePayload,
    _ start: inout OpenedInit?, _ state: inout State, _ output: inout Output
  ) throws(OpeningError) {
    let first = range.chunks.lowerBound
    let initLength = first == 0 ? segment.initLength : 0
    let walkStart = first * Int64(AgePayload.chunkByteCount) + Int64(initLength)

    // First pass: does it open, is it boxes, which salt does it end with?
    var kept: [[UInt8]] = []
    var initBytes: [UInt8] = []
    var events: [FootageWalker.Event] = []
    var walker = FootageWalker(at: walkStart)
    for number in range.chunks {
      let bytes = try payload.chunk(number)
      if range.chunks.count <= Self.keptChunks { kept.append(bytes) }
      let part = bytes.prefix(initLength - initBytes.count)
      initBytes += part
      try walker.walk(bytes.dropFirst(part.count), keep: { _ in }, event: { events.append($0) })
    }
    guard initBytes.count == initLength, let salt = walker.rangeSalt else {
      throw OpeningError(
        .footage, "chunks \(first) to \(range.chunks.upperBound - 1) of segment \(segment.number) end inside a box")
    }
    if first == 0 { start = try check(initBytes, of: segment) }

    let wasStarted = try beginRunIfNeeded(start, of: segment, events, &state, &output)
    guard let file = state.result.files.indices.last else { return }
    let lengthBefore = state.result.files[file].byteCount

    // Second pass: the commitment, and the output, which is taken back if the commitment is another one.
    var commitment = Commitment.OfRange(
      salt: salt, segment: segment.number, start: first * Int64(AgePayload.chunkByteCount))
    var writer = FootageWalker(at: walkStart)
    var toSkip = initLength
    var length = lengthBefore
    for number in range.chunks {
      let bytes = kept.isEmpty ? try payload.chunk(number) : kept[Int(number - first)]
      bytes.withUnsafeBytes { commitment.update($0) }
      let skipped = min(toSkip, bytes.count)
      toSkip -= skipped
      try writer.walk(
        bytes.dropFirst(skipped),
        keep: { part throws(OpeningError) in
          try output.append(part)
          length += Int64(part.byteCount)
        }, event: { _ in })
    }
    guard commitment.finalize() == range.commitment else {
      try output.truncate(to: wasStarted ? 0 : lengthBefore)
      if wasStarted { dropRun(&state) }
      throw OpeningError(
        .commitment,
        "chunks \(first) to \(range.chunks.upperBound - 1) of segment \(segment.number) open, but are not the footage that "
          + "journal line \(range.line) commits to; they were left out")
    }
    state.result.files[file].byteCount = length
    if state.result.files[file].segments.last != segment.number {
      state.result.files[file].segments.append(segment.number)
    }
    for event in events {
      state.timeline.add(event)
      guard case .fragment(let fragment) = event else { continue }
      state.result.files[file].fragments += 1
      for track in fragment.tracks { state.lastStarts[track.id] = track.times.dropLast().last ?? track.times[0] }
    }
  }

  /// The init, if it is the one that the journal's SEG line commits to and it names this recording and segment.
  private func check(_ bytes: [UInt8], of segment: RecordingPlan.Segment) throws(OpeningError) -> OpenedInit {
    let start = try OpenedInit(bytes)
    guard Commitment.ofInit(bytes, salt: start.salt, segment: segment.number) == segment.initCommitment else {
      throw OpeningError(
        .commitment, "the init of segment \(segment.number) is not the one that its journal line commits to")
    }
    guard start.facts["recording"] == plan.recording.description, start.facts["segment"] == "\(segment.number)" else {
      throw OpeningError(
        .footage, "the init of segment \(segment.number) names another recording or segment: it does not belong here")
    }
    return start
  }

  /// Begins a new attested file where the footage before cannot go on playing. True: it did.
  private func beginRunIfNeeded<Output: FootageOutput>(
    _ start: OpenedInit?, of segment: RecordingPlan.Segment, _ events: [FootageWalker.Event], _ state: inout State,
    _ output: inout Output
  ) throws(OpeningError) -> Bool {
    guard let playing = start ?? state.lastInit else {
      throw OpeningError(
        .footage,
        "segment \(segment.number) has footage whose init cannot be opened, and no segment before it has one: unplayable"
      )
    }
    let isNew = state.result.files.last?.segments.last != segment.number
    if let runInit = state.runInit, case .run? = state.result.files.last?.file {
      if !isNew { return false }
      if start != nil, runInit.playing == playing.playing, !overlaps(events, state.lastStarts) { return false }
    }
    if start == nil {
      state.result.remarks.append(
        "the init of segment \(segment.number) is lost; its footage is in a file of its own, with the init of a segment before"
      )
    } else if let runInit = state.runInit {
      state.result.remarks.append(
        runInit.playing == playing.playing
          ? "segment \(segment.number) repeats footage of the segment before (a write had failed), so it begins a new file"
          : "segment \(segment.number) has other tracks or picture parameters than the one before, so it begins a new file"
      )
    }
    try output.begin(.run(state.runs))
    try output.append(playing.bytes.span.bytes)
    state.timeline.add(playing)
    state.result.files.append(.init(file: .run(state.runs), byteCount: Int64(playing.bytes.count)))
    state.runs += 1
    state.runInit = playing
    state.lastInit = playing
    state.lastStarts = [:]
    return true
  }

  private func dropRun(_ state: inout State) {
    state.result.files.removeLast()
    state.runs -= 1
    state.runInit = nil
  }

  /// Whether a track's first sample does not begin after the last one in the file.
  private func overlaps(_ events: [FootageWalker.Event], _ lastStarts: [UInt32: Int64]) -> Bool {
    var seen: Set<UInt32> = []
    for case .fragment(let fragment) in events {
      for track in fragment.tracks where track.sampleCount > 0 && seen.insert(track.id).inserted {
        if let last = lastStarts[track.id], track.times[0] <= last { return true }
      }
    }
    return false
  }

  // MARK: Unattested tail

  /// Writes what follows the last checkpoint and still opens in order: whole fragments only, in a file of their own.
  private func openTail<Output: FootageOutput>(
    _ segment: RecordingPlan.Segment, _ payload: AgePayload, _ start: OpenedInit?, _ state: inout State,
    _ output: inout Output
  ) throws(OpeningError) {
    var start = start ?? (segment.chunks > 0 ? state.lastInit : nil)
    var initBytes: [UInt8] = []
    let initLength = segment.chunks == 0 ? segment.initLength : 0
    var file = OpenedRecording.File(file: .unattested(segment: segment.number))
    file.segments = [segment.number]
    var isBegun = false
    var length: Int64 = 0
    var pictures = 0
    var walker = FootageWalker(at: segment.chunks * Int64(AgePayload.chunkByteCount) + Int64(initLength))
    do throws(OpeningError) {
      var number = segment.chunks
      while true {
        let bytes = try payload.chunk(number)
        number += 1
        let part = bytes.prefix(initLength - initBytes.count)
        initBytes += part
        if initBytes.count < initLength { continue }
        if start == nil { start = try check(initBytes, of: segment) }
        guard let start else { return }
        if !isBegun {
          try output.begin(file.file)
          isBegun = true
          try output.append(start.bytes.span.bytes)
          length = Int64(start.bytes.count)
        }
        let video = Set(start.tracks.filter { $0.kind == .video }.map(\.id))
        try walker.walk(
          bytes.dropFirst(part.count),
          keep: { part throws(OpeningError) in
            try output.append(part)
            length += Int64(part.byteCount)
          },
          event: { event in
            switch event {
            case .fragment(let fragment):
              pictures = fragment.tracks.reduce(0) { $0 + (video.contains($1.id) ? $1.sampleCount : 0) }
            case .fragmentEnd:
              file.fragments += 1
              file.pictures += pictures
              file.byteCount = length
            case .message: break
            }
          })
      }
    } catch {
      // The first chunk that does not open, or is no footage, ends the tail: nothing was promised of it.
      if error.code == .output { throw error }
    }
    guard isBegun else { return }
    try output.truncate(to: file.byteCount)
    if file.fragments > 0 { state.result.files.append(file) }
  }
}
