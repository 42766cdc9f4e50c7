/// Cuts what one connection sends into requests, however it arrives. Holds at most one unfinished line.
public struct ControlRequestBuffer: Sendable {
  private var pending: [UInt8] = []
  private var isBroken = false

  public init() {}

  /// Takes received bytes and calls `handle` for each finished line, in order: with the request, or with why it is none.
  ///
  /// Returns false when a line exceeds the limit: `handle` has had the error, nothing more can be understood, and the
  /// connection should be closed after the answer.
  public mutating func receive(
    _ bytes: some Sequence<UInt8>, _ handle: (Result<ControlRequest, ControlError>) -> Void
  ) -> Bool {
    if isBroken { return false }
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        handle(Result { () throws(ControlError) in try ControlRequest(line: pending) })
        pending.removeAll(keepingCapacity: true)
      } else if pending.count + 1 < ControlRequest.maximumLength {
        pending.append(byte)
      } else {
        isBroken = true
        pending = []
        handle(.failure(.tooLong(limit: ControlRequest.maximumLength)))
        return false
      }
    }
    return true
  }
}
