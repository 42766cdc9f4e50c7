/// DOCK: what a dock said when the camera was put in, after the camera had checked that it may.
public struct Docking: Hashable, Sendable {
  /// The name of the dock's key; cut where a line has no room for it.
  public var name: String
  public var key: SigningPublicKey
  /// SHA-256 of the dock's greeting.
  public var greeting: Hash32
  public var nonce: Hash32
  /// The dock's time, ms since 1970 UTC; the line's own `w` is the camera's, before it was set.
  public var wall: Int64

  public init(_ greeting: DockGreeting) {
    name = greeting.dock.name
    key = greeting.dock.publicKey
    self.greeting = greeting.hash
    nonce = greeting.nonce
    wall = greeting.issued
  }

  init(_ keys: Keys) throws(EvidenceError) {
    name = try keys.text(Key.by)
    key = try keys.publicKey(Key.key)
    greeting = try keys.hash(Key.note)
    nonce = try keys.hash(Key.nonce)
    wall = try keys.number(Key.dockWall)
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.by, text: name)
    fields.add(Key.key, bytes: key.bytes)
    fields.add(Key.note, greeting)
    fields.add(Key.nonce, nonce)
    fields.add(Key.dockWall, wall)
  }
}

/// ANCHOR: the camera's signature over a dock's nonce, and with it over its whole log up to there; and the newest line of its
/// newest recording's journal.
public struct LogAnchor: Hashable, Sendable {
  public var nonce: Hash32
  /// Nil: nothing is remembered of any recording.
  public var recording: StoreCheck.Recording?

  public init(nonce: Hash32, recording: StoreCheck.Recording?) {
    self.nonce = nonce
    self.recording = recording
  }

  init(_ keys: Keys) throws(EvidenceError) {
    nonce = try keys.hash(Key.nonce)
    guard keys.line.encoded(Key.line) != nil else { return }
    recording = StoreCheck.Recording(
      id: try keys.identifier(Key.id), counter: try keys.number(Key.recordingCounter),
      head: ChainHead(n: try keys.number(Key.line), hash: try keys.hash(Key.lineHash)))
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.nonce, nonce)
    guard let recording else { return }
    fields.add(Key.id, recording.id)
    fields.add(Key.recordingCounter, recording.counter)
    fields.add(Key.line, recording.head.n)
    fields.add(Key.lineHash, recording.head.hash)
  }
}

/// DELETE: a recording that is unlinked from now on, and the receipt that allows it.
public struct Deletion: Hashable, Sendable {
  public var id: EvidenceID
  public var counter: Int64
  /// The last valid line of its journal.
  public var last: ChainHead
  /// SHA-256 of the whole receipt.
  public var receipt: Hash32
  /// The name of the key that signed it; cut where a line has no room for it.
  public var name: String
  public var key: SigningPublicKey

  public init(_ receipt: Receipt) {
    id = receipt.id
    counter = receipt.counter
    last = receipt.last
    self.receipt = receipt.hash
    name = receipt.dock.name
    key = receipt.dock.publicKey
  }

  /// Whether the receipt is the one that it names, and for this recording as it was.
  func isAllowed(by receipt: Receipt) -> Bool {
    let other = Deletion(receipt)
    return (id, counter, last) == (other.id, other.counter, other.last) && self.receipt == other.receipt
      && key == other.key
  }

  init(_ keys: Keys) throws(EvidenceError) {
    id = try keys.identifier(Key.id)
    counter = try keys.number(Key.recordingCounter)
    last = ChainHead(n: try keys.number(Key.line), hash: try keys.hash(Key.lineHash))
    receipt = try keys.hash(Key.receipt)
    name = try keys.text(Key.by)
    key = try keys.publicKey(Key.key)
  }

  func add(to fields: inout LineFields) {
    fields.add(Key.id, id)
    fields.add(Key.recordingCounter, counter)
    fields.add(Key.line, last.n)
    fields.add(Key.lineHash, last.hash)
    fields.add(Key.receipt, receipt)
    fields.add(Key.by, text: name)
    fields.add(Key.key, bytes: key.bytes)
  }
}

extension Keys {
  /// Text as it was decoded.
  fileprivate func text(_ key: String) throws(EvidenceError) -> String {
    guard let value = line.text(key) else { throw missing(key) }
    return value
  }

  /// - Throws: also for a key that may not be used: a value that this version does not know.
  fileprivate func publicKey(_ key: String) throws(EvidenceError) -> SigningPublicKey {
    guard let bytes = line.bytes(key), let value = try? SigningPublicKey(bytes) else { throw missing(key) }
    return value
  }
}
