import Evidence
import Foundation
import Testing

@testable import Opening

@Suite("Age files and identities")
struct AgeTests {
  private func decrypt(_ bytes: [UInt8], _ identities: [AgeIdentity]) throws -> [UInt8] {
    var result: [UInt8] = []
    try AgePayload(MemorySource(bytes, name: "test"), identities: identities).decrypt { part in
      part.withUnsafeBytes { result.append(contentsOf: $0) }
    }
    return result
  }

  /// An identity made by stock age-keygen.
  private func stockIdentity() throws -> AgeIdentity {
    try #require(AgeIdentity.parse(file: succeed(["age-keygen"])).first)
  }

  @Test("what stock age encrypts is opened, byte for byte", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
  func stockFiles(_ count: Int) throws {
    let identity = try stockIdentity()
    let plaintext = randomBytes(count)
    let sealed = try succeed(["age", "-r", "\(identity.recipient)"], input: plaintext)
    #expect(try decrypt(sealed, [identity]) == plaintext)
    // Nothing behind the end, and nothing cut from it, goes unnoticed.
    #expect(throws: OpeningError.self) { try decrypt(sealed + [0], [identity]) }
    #expect(throws: OpeningError.self) { try decrypt(Array(sealed.dropLast()), [identity]) }
    for cut in [65_552, 16] where sealed.count > cut + 200 {
      #expect(throws: OpeningError.self) { try decrypt(Array(sealed.dropLast(cut)), [identity]) }
    }
  }

  @Test("an identity is read from a file as age-keygen writes it, and stock age reads what is written here")
  func identities() throws {
    let file = try succeed(["age-keygen"])
    let identity = try #require(AgeIdentity.parse(file: file).first)
    let text = String(decoding: file, as: UTF8.self)
    #expect(text.contains("# public key: \(identity.recipient)\n"))
    #expect(text.contains(identity.secretText))

    let own = try AgeIdentity()
    let scratch = try Scratch()
    let path = try scratch.write("identity.txt", Array("\(own.secretText)\n".utf8))
    #expect(try succeed(["age-keygen", "-y", path]) == Array("\(own.recipient)\n".utf8))
    let sealed = try succeed(["age", "-r", "\(own.recipient)"], input: [1, 2, 3])
    #expect(try succeed(["age", "-d", "-i", path], input: sealed) == [1, 2, 3])
    let both = "# one\r\n\(own.secretText)\r\n\n\(identity.secretText)\n"
    #expect(try AgeIdentity.parse(file: Array(both.utf8)).count == 2)
  }

  private static let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Vectors").standardizedFileURL

  /// Made by `age-keygen -pq` and `age` of version 1.3.2.
  private func postQuantumVector() throws -> (file: [UInt8], sealed: [UInt8]) {
    func read(_ name: String) throws -> [UInt8] {
      [UInt8](try Data(contentsOf: Self.vectors.appendingPathComponent(name)))
    }
    return (try read("post-quantum.txt"), try read("post-quantum.age"))
  }

  @Test("a post-quantum identity of age 1.3 is read and written as it was, and what age 1.3 sealed for it is opened")
  func postQuantumOfAge() throws {
    let (file, sealed) = try postQuantumVector()
    let identity = try #require(AgeIdentity.parse(file: file).first)
    let text = String(decoding: file, as: UTF8.self)
    #expect(text.contains("# public key: \(identity.recipient)\n"))
    #expect(text.contains(identity.secretText + "\n"))
    #expect(try decrypt(sealed, [identity]) == Array("footage\n".utf8))
    // Another's, and one of the other type, open nothing; beside the right one they do not disturb.
    let others = [try AgeIdentity(kind: .mlkem768x25519), try AgeIdentity()]
    let error = #expect(throws: OpeningError.self) { try decrypt(sealed, others) }
    #expect(error?.code == .noIdentityMatches)
    #expect(try decrypt(sealed, others + [identity]) == Array("footage\n".utf8))
    let end = try AgePayload(MemorySource(sealed), identities: [identity]).headerLength
    for index in 0..<end {
      var changed = sealed
      changed[index] ^= 1
      let error = #expect(throws: OpeningError.self, "byte \(index)") { try decrypt(changed, [identity]) }
      let allowed: [OpeningError.Code] = index < end - 16 ? [.header, .noIdentityMatches] : [.payload]
      #expect(error.map { allowed.contains($0.code) } == true, "byte \(index): \(String(describing: error))")
    }
  }

  @Test("what the camera seals for post-quantum recipients is opened by each of them, through the library's HPKE")
  func postQuantumOfCamera() throws {
    let identities = try (0..<3).map { _ in try AgeIdentity(kind: .mlkem768x25519) }
    let randomness = HedgedRandomness(
      source: { for index in $0.indices { $0[index] = .random(in: 0...255) } }, deviceSecret: [1], id: nil, counter: 1)
    var stream = try SegmentStream(
      segment: 0, recipients: RecipientList(identities.prefix(2).map(\.recipient)), randomness: randomness)
    var file = stream.header
    let footage = randomBytes(70_000)
    var rest = footage[...]
    while !rest.isEmpty {
      rest = rest.dropFirst(rest.withUnsafeBytes { stream.append($0.bytes) })
      if stream.isFull {
        try stream.sealFullChunk()
        stream.withSealedChunk { sealed in sealed.withUnsafeBytes { file += $0 } }
      }
    }
    let seal = try stream.checkpoint { sealed in sealed.withUnsafeBytes { file += $0 } }
    file += seal.terminator
    for identity in identities.prefix(2) {
      #expect(try decrypt(file, [identity]).starts(with: footage))
      #expect(try decrypt(file, [AgeIdentity(identity.secretText)]).starts(with: footage))
    }
    let error = #expect(throws: OpeningError.self) { try decrypt(file, [identities[2]]) }
    #expect(error?.code == .noIdentityMatches)
  }

  @Test("another identity than a recipient's opens nothing; one right identity among others does")
  func wrongIdentity() throws {
    let right = try AgeIdentity()
    let wrong = try AgeIdentity()
    let sealed = try succeed(
      ["age", "-r", "\(try AgeIdentity().recipient)", "-r", "\(right.recipient)"], input: [7])
    let error = #expect(throws: OpeningError.self) { try decrypt(sealed, [wrong]) }
    #expect(error?.code == .noIdentityMatches)
    #expect(try decrypt(sealed, [wrong, right]) == [7])
  }

  @Test("a file for a passphrase is refused as one for somebody else, not as damaged")
  func otherStanza() throws {
    let text =
      "age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n" + String(repeating: "A", count: 43) + "\n--- "
      + String(repeating: "A", count: 43) + "\n"
    let error = #expect(throws: OpeningError.self) { try decrypt(Array(text.utf8), [try AgeIdentity()]) }
    #expect(error?.code == .noIdentityMatches)
  }

  @Test("a change of any byte of the header or nonce is an error of this target, never a plaintext")
  func headerFlips() throws {
    let identity = try stockIdentity()
    let sealed = try succeed(["age", "-r", "\(identity.recipient)"], input: [1, 2, 3])
    let end = try AgePayload(MemorySource(sealed), identities: [identity]).headerLength
    #expect(end > 150)
    for index in 0..<end {
      for mask: UInt8 in [1, 0x20, 0x80] {
        var changed = sealed
        changed[index] ^= mask
        let error = #expect(throws: OpeningError.self, "byte \(index)") { try decrypt(changed, [identity]) }
        let allowed: [OpeningError.Code] = index < end - 16 ? [.header, .noIdentityMatches] : [.payload]
        #expect(error.map { allowed.contains($0.code) } == true, "byte \(index): \(String(describing: error))")
      }
    }
    for count in 0..<end {
      let error = #expect(throws: OpeningError.self) { try decrypt(Array(sealed.prefix(count)), [identity]) }
      #expect(error?.code == .header || error?.code == .noIdentityMatches)
    }
  }

  @Test(
    "text that is no identity is refused, saying why, without repeating it",
    arguments: [
      ("", "holds no identity"), ("# only a comment", "holds no identity"), ("hello", "line 1"),
      ("age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7r77n", "public recipient"),
      ("AGE-SECRET-KEY-PQ-1ABC", "line 1"), ("AGE-PLUGIN-YUBIKEY-1ABC", "plugins"),
      ("age-encryption.org/v1\n-> scrypt a 1", "encrypted"), ("-----BEGIN AGE ENCRYPTED FILE-----", "encrypted"),
      ("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ", "line 1"),
    ])
  func badIdentities(_ text: String, _ expected: String) {
    let error = #expect(throws: OpeningError.self) { try AgeIdentity.parse(file: Array(text.utf8)) }
    #expect(error?.code == .identity)
    #expect(error?.description.contains(expected) == true)
    #expect(error?.description.contains("QQQQ") == false)
  }
}
