import Testing

@testable import Evidence

/// Signs a changed journal or device log again with keys of the test, so that what lies behind the signatures is reached.
struct Resigner {
  let recording: DeviceSigner
  let device: DeviceSigner

  init() throws {
    recording = try DeviceSigner(seed: [UInt8](repeating: 9, count: 32))
    device = try DeviceSigner(seed: [UInt8](repeating: 8, count: 32))
  }

  private func value(_ key: String, _ words: [String]) -> Int? { words.firstIndex { $0.hasPrefix(key + "=") } }

  /// - Parameter change: gets the words between the line's type and `p`, `n` among them.
  func resign(
    _ text: String, isJournal: Bool, change: (inout [String]) -> Void
  ) -> [UInt8] {
    var result: [UInt8] = []
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    guard let open = lines.first, let at = value("id", open) ?? value("dev", open) else { return [] }
    let name = isJournal ? String(open[at].dropFirst(3)) : device.identity.id.description
    guard let id = EvidenceID(hex: name) else { return [] }
    var previous = JournalChain.genesis(id)
    // A later start's log goes on from the line that it names.
    if let last = value("lasth", open), let hash = Hash32(base64URL: String(open[last].dropFirst(6))) {
      previous = hash
    }
    var lastEnd: Hash32?
    for line in lines {
      var words = Array(line.prefix { !$0.hasPrefix("p=") }.dropFirst(2))
      change(&words)
      if let index = value("dev", words) { words[index] = "dev=\(device.identity.id)" }
      if isJournal, line[1] == "OPEN", let index = value("pub", words) {
        words[index] = "pub=\(Base64.encode(recording.identity.publicKey.bytes, .url))"
      }
      if let index = value("prev", words), words[index] != "prev=-", let lastEnd { words[index] = "prev=\(lastEnd)" }
      var bytes = Array("LAPEL1 \(line[1]) \(words.joined(separator: " ")) p=\(previous)".utf8)
      func sign(_ key: String, _ signer: DeviceSigner, _ domain: JournalChain.Domain) {
        let signature = (try? signer.signature(over: domain.message(id: id, bytes))) ?? []
        bytes += Array(" \(key)=\(Base64.encode(signature, .url))".utf8)
      }
      if isJournal {
        if ["OPEN", "CLOSE"].contains(line[1]) { sign("d", device, .deviceKey) }
        sign("s", recording, .journal)
      } else {
        sign("s", device, .deviceLog)
      }
      bytes.append(10)
      previous = Hash32.sha256(of: bytes)
      if line[1] == "ENDSEG" { lastEnd = previous }
      result += bytes
    }
    return result
  }
}
