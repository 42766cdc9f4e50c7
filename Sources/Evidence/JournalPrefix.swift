/// The valid lines of a journal, from the first on: each well-formed, with the next n, the right p and a valid s.
struct JournalPrefix {
  /// The recording's id and key, which OPEN introduces.
  private(set) var author: (id: EvidenceID, key: SigningPublicKey)?
  /// The last line that was accepted.
  private(set) var head: ChainHead?

  /// A well-formed line with a signature by the recording's key. Takes the key from OPEN if there is none yet.
  mutating func signed(_ bytes: [UInt8]) -> JournalLine? {
    guard let line = wellFormed(bytes), isSigned(line) else { return nil }
    return line
  }

  /// The line, if it is the valid next one; then it is the head.
  mutating func accept(_ bytes: [UInt8]) -> JournalLine? {
    guard let line = follow(bytes), isSigned(line) else { return nil }
    advance(to: line)
    return line
  }

  /// The line, if it is the next one by its form, number and chain; who signed it is not looked at, except of OPEN.
  mutating func follow(_ bytes: [UInt8]) -> JournalLine? {
    guard let line = wellFormed(bytes), let author else { return nil }
    if let head { return line.n == head.n + 1 && line.previous == head.hash ? line : nil }
    guard line.type == "OPEN", line.n == 0, line.previous == JournalChain.genesis(author.id) else { return nil }
    return isSigned(line) ? line : nil
  }

  mutating func advance(to line: JournalLine) { head = ChainHead(n: line.n, hash: line.hash) }
  /// Makes an earlier line, which was accepted, the last one.
  mutating func stepBack(to line: JournalLine) { advance(to: line) }

  func isSigned(_ line: JournalLine) -> Bool {
    guard let author else { return false }
    let message = JournalChain.Domain.journal.message(id: author.id, line.signedBytes)
    return author.key.verifies(line.signature, over: message)
  }

  /// Whether the device key signed it too; only of OPEN and CLOSE.
  func isSigned(_ line: JournalLine, by device: DeviceIdentity) -> Bool {
    guard let author, let signature = line.deviceSignature else { return false }
    let message = JournalChain.Domain.deviceKey.message(id: author.id, line.deviceSignedBytes)
    return device.publicKey.verifies(signature, over: message)
  }

  private mutating func wellFormed(_ bytes: [UInt8]) -> JournalLine? {
    guard let line = try? JournalLine(parsing: bytes),
      (line.deviceSignature != nil) == ["OPEN", "CLOSE"].contains(line.type)
    else { return nil }
    if author == nil, line.type == "OPEN", line.n == 0 {
      let keys = Keys(line)
      guard let id = try? keys.identifier(Key.id), let bytes = line.bytes(Key.publicKey),
        let key = try? SigningPublicKey(bytes)
      else { return nil }
      author = (id, key)
    }
    return line
  }
}
