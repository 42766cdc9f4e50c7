import Media

/// Walks the boxes behind the init as they come, in pieces of any length, and refuses everything but `moof` with its
/// `mdat`, `emsg` and `free` (padding). Memory: one `moof`.
///
/// A value: a copy is a point to go back to. After an error it must not be used.
struct FootageWalker {
  /// The longest `moof` or `emsg` that is read. The recorder's hold at most half a second.
  static let boxByteLimit = 1 << 20
  /// Bytes of a range's salt, the first of the padding that ends it.
  static let saltLength = 32

  private enum State {
    /// Collecting the header of the next box.
    case header
    /// Collecting a whole `moof` or `emsg`.
    case whole(BoxHeader)
    /// Passing the content of an `mdat` on.
    case media(left: Int64)
    /// Dropping the content of a `free`.
    case padding(left: Int64)
  }

  /// What a complete box was.
  enum Event {
    case fragment(Fragment)
    case message(ReadEventMessage)
    /// The `mdat` of the last fragment is complete.
    case fragmentEnd
  }

  private var state = State.header
  private var held: [UInt8] = []
  private var fragment: Fragment?
  private var salt: [UInt8] = []
  private var lastWasPadding = false
  /// Bytes walked, and where the box that is being walked began.
  private var position: Int64
  private var boxStart: Int64

  /// - Parameter position: where in the segment's plaintext the walk begins; for errors.
  init(at position: Int64) {
    self.position = position
    boxStart = position
  }

  /// Whether no box is half walked, and no `moof` waits for its `mdat`.
  var isBetweenBoxes: Bool {
    guard case .header = state else { return false }
    return held.isEmpty && fragment == nil
  }

  /// The salt of the range that ends here: nil unless the last box was padding and held one.
  var rangeSalt: [UInt8]? {
    isBetweenBoxes && lastWasPadding && salt.count == Self.saltLength ? salt : nil
  }

  /// - Parameters:
  ///   - keep: gets the bytes of everything but padding, in order. A `moof` is passed on only with its `mdat`.
  ///   - event: called for each fragment when its `mdat` begins and ends, and for each message.
  /// - Throws: `.footage` naming the box; what `keep` throws.
  mutating func walk(
    _ bytes: ArraySlice<UInt8>, keep: (RawSpan) throws(OpeningError) -> Void, event: (Event) -> Void
  ) throws(OpeningError) {
    var rest = bytes
    while !rest.isEmpty {
      switch state {
      case .header:
        try header(&rest, keep)
        if case .media = state, let fragment {
          event(.fragment(fragment))
          self.fragment = nil
        }
        if case .whole(let header) = state, held.count == Int(header.length) { try whole(header, keep, event) }
        endIfEmpty(event)
      case .whole(let header):
        take(&rest, upTo: Int(header.length))
        if held.count == Int(header.length) { try whole(header, keep, event) }
      case .media(let left):
        let count = Int(min(left, Int64(rest.count)))
        let part = rest.prefix(count)
        try keep(part.span.bytes)
        skip(&rest, count)
        state = .media(left: left - Int64(count))
        endIfEmpty(event)
      case .padding(let left):
        let count = Int(min(left, Int64(rest.count)))
        salt += rest.prefix(min(count, Self.saltLength - salt.count))
        skip(&rest, count)
        state = .padding(left: left - Int64(count))
        endIfEmpty(event)
      }
    }
  }

  private mutating func endIfEmpty(_ event: (Event) -> Void) {
    switch state {
    case .media(0):
      state = .header
      event(.fragmentEnd)
    case .padding(0):
      state = .header
      lastWasPadding = true
    default: break
    }
  }

  private mutating func skip(_ rest: inout ArraySlice<UInt8>, _ count: Int) {
    rest = rest.dropFirst(count)
    position += Int64(count)
  }

  private mutating func take(_ rest: inout ArraySlice<UInt8>, upTo length: Int) {
    let count = min(length - held.count, rest.count)
    held += rest.prefix(count)
    skip(&rest, count)
  }

  private mutating func header(
    _ rest: inout ArraySlice<UInt8>, _ keep: (RawSpan) throws(OpeningError) -> Void
  ) throws(OpeningError) {
    if held.isEmpty {
      boxStart = position
      lastWasPadding = false
    }
    // Eight bytes say whether there are eight more.
    take(&rest, upTo: held.count < 8 ? 8 : BoxHeader.byteLimit)
    let parsed: BoxHeader?
    do throws(BoxError) { parsed = try BoxHeader.parse(held.span.bytes, at: boxStart) } catch { throw refuse(error) }
    guard let parsed else { return }
    switch parsed.type {
    case .movieFragment, .eventMessage:
      guard fragment == nil else { throw refuse(.order, parsed.type) }
      guard parsed.length <= Int64(Self.boxByteLimit) else { throw refuse(.size, parsed.type) }
      state = .whole(parsed)
    case .mediaData:
      guard let fragment else { throw refuse(.order, parsed.type) }
      // The recorder writes 8-byte headers; a moof's offsets were checked for that.
      guard parsed.headerLength == 8, fragment.dataLength <= parsed.contentLength else {
        throw refuse(.size, parsed.type)
      }
      try keep(held.span.bytes)
      held = []
      state = .media(left: parsed.contentLength)
    case .free:
      guard fragment == nil else { throw refuse(.order, parsed.type) }
      held = []
      salt = []
      state = .padding(left: parsed.contentLength)
    default: throw refuse(.order, parsed.type)
    }
  }

  private mutating func whole(
    _ header: BoxHeader, _ keep: (RawSpan) throws(OpeningError) -> Void, _ event: (Event) -> Void
  ) throws(OpeningError) {
    do throws(BoxError) {
      if header.type == .movieFragment {
        fragment = try Fragment(held)
      } else {
        event(.message(try ReadEventMessage(held)))
      }
    } catch {
      throw refuse(error)
    }
    try keep(held.span.bytes)
    held = []
    state = .header
  }

  private func refuse(_ rule: BoxError.Rule, _ type: BoxType) -> OpeningError {
    refuse(BoxError(rule, type: type, offset: boxStart))
  }

  private func refuse(_ error: BoxError) -> OpeningError {
    OpeningError(
      .footage, "the footage is not as the recorder writes it: \(error), in the box that begins at byte \(boxStart)")
  }
}
