import LinuxIO
import Media
import Synchronization

/// Between who switches a tone and the thread that plays it: edges one way, what is wrong the other way. Nobody waits for the
/// other longer than the lock is held, some 100 ns.
final class ToneMailbox: Sendable {
  /// Of edges that wait. With more, the newest takes the place of the one before: the level stays right.
  static let edgeLimit = 32
  /// An edge that was not taken for so long: the sound card holds the thread up.
  static let patience = Nanoseconds.seconds(2)

  /// For the thread that plays: there is something to do.
  let bell: EventCounter
  /// The thread has told for the first time how it is.
  let hasAnswered: EventCounter
  private let state = Mutex(State())
  private let output: String

  private struct State {
    var edges: [ToneEdge] = []
    var trouble: IndicatorError?
    var isEnding = false

    init() { edges.reserveCapacity(ToneMailbox.edgeLimit) }
  }

  /// - Parameter output: its text form, for errors.
  init(output: String) throws(LinuxError) {
    self.output = output
    bell = try EventCounter()
    hasAnswered = try EventCounter()
  }

  // MARK: - Who switches

  /// Asks for a level from `now` on. Never blocks.
  /// - Throws: what is wrong with the sound card. The edge is forgotten then, and all before it.
  func set(_ isOn: Bool, now: MonotonicTime) throws(IndicatorError) {
    let trouble = state.withLock { state -> IndicatorError? in
      if let trouble = fault(state, now) {
        // What was asked for while nothing was played is not played later.
        if let oldest = state.edges.first { state.edges = [ToneEdge(isOn: false, time: oldest.time)] }
        return trouble
      }
      if state.edges.count == Self.edgeLimit { state.edges.removeLast() }
      state.edges.append(ToneEdge(isOn: isOn, time: now))
      return nil
    }
    if let trouble { throw trouble }
    bell.signal()
  }

  /// - Throws: what is wrong with the sound card.
  func check(now: MonotonicTime) throws(IndicatorError) {
    if let trouble = state.withLock({ fault($0, now) }) { throw trouble }
  }

  /// Ends the thread, when it has played what it was asked for.
  func end() {
    state.withLock { $0.isEnding = true }
    bell.signal()
  }

  private func fault(_ state: State, _ now: MonotonicTime) -> IndicatorError? {
    if let trouble = state.trouble { return trouble }
    guard let oldest = state.edges.first, now - oldest.time > Self.patience else { return nil }
    return IndicatorError(
      .failed, output: output, operation: "play a tone",
      hint:
        "Its driver or sound server has not answered for seconds: look in `dmesg`. It is used again when it answers.")
  }

  // MARK: - The thread

  /// Moves the edges that wait behind those of `edges`. Returns true when the thread shall end.
  func take(into edges: inout [ToneEdge]) -> Bool {
    bell.drain()
    return state.withLock { state in
      edges.append(contentsOf: state.edges)
      state.edges.removeAll(keepingCapacity: true)
      return state.isEnding
    }
  }

  /// How the sound card is: nil is well. Edges that wait while it is not are forgotten.
  func report(_ trouble: IndicatorError?) {
    state.withLock { state in
      state.trouble = trouble
      if trouble != nil { state.edges.removeAll(keepingCapacity: true) }
    }
    hasAnswered.signal()
  }
}
