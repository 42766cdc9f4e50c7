import Crypto
import Testing

@testable import Evidence
import Media

@Suite("Recipients, keys, randomness")
struct KeyTests {
  static let known = "age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7r77n"

  @Test("An age recipient is read and written again as it was")
  func recipient() throws {
    #expect(try Recipient(Self.known).description == Self.known)
  }

  @Test(
    "What is no usable recipient is refused",
    arguments: [
      "", "age1", "age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7r77m",
      "AGE1QRCCZFDZW94MQ3YXFHK5C0AAVVX5L4H2EX8CL353NYXTXL93U9ZSX7R77N",
      "age1qrcczfdzw94mq3yxfhk5c0aavvx5l4h2ex8cl353nyxtxl93u9zsx7R77N",
      "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX", "ssh-ed25519 AAAA",
      Bech32.encode(prefix: "agf", [UInt8](repeating: 9, count: 32)),
      Bech32.encode(prefix: "age", [UInt8](repeating: 9, count: 31)),
      Bech32.encode(prefix: "age", [UInt8](repeating: 0xFF, count: 32)),
    ])
  func badRecipient(_ text: String) {
    #expect { try Recipient(text) } throws: { ($0 as? EvidenceError)?.code == .recipient }
  }

  @Test("A post-quantum recipient is read and written again as it was; its parts must both be keys")
  func postQuantum() throws {
    let recipient = try VectorTests.postQuantumRecipient()
    #expect(recipient.kind == .mlkem768x25519 && recipient.publicKey.count == 1_216)
    #expect(recipient.description.count == 1_959 && recipient.description.hasPrefix("age1pq1"))
    #expect(try Recipient(recipient.description) == recipient)
    func isRefused(_ change: (inout [UInt8]) -> Void) -> Bool {
      var key = recipient.publicKey
      change(&key)
      return (try? Recipient(Bech32.encode(prefix: "age1pq", key))) == nil
    }
    #expect(isRefused { $0.removeLast() })
    #expect(isRefused { $0.append(0) })
    // A number of ML-KEM's that is not below q (FIPS 203, 7.2).
    #expect(isRefused { $0[0...1] = [0xFF, 0xFF] })
    // X25519: of small order, and not canonical.
    #expect(isRefused { $0[1184...] = ArraySlice([UInt8](repeating: 0, count: 32)) })
    #expect(isRefused { $0[1184...] = ArraySlice([UInt8](repeating: 0xFF, count: 32)) })
    #expect(!isRefused { $0[1184...] = ArraySlice([UInt8](repeating: 9, count: 32)) })
    // One type's bytes under the other's name.
    #expect(throws: EvidenceError.self) { try Recipient(Bech32.encode(prefix: "age", recipient.publicKey)) }
    #expect(throws: EvidenceError.self) {
      try Recipient(Bech32.encode(prefix: "age1pq", [UInt8](repeating: 9, count: 32)))
    }
  }

  @Test("Recipients of two types are refused together, in a list and in recipients.note")
  func mixed() throws {
    let both = [try Recipient(Self.known), try VectorTests.postQuantumRecipient()]
    let error = #expect(throws: EvidenceError.self) { try RecipientList(both) }
    #expect(error?.code == .recipient && error?.description.contains("mixed") == true)
    #expect(try RecipientList([both[1]]).recipients == [both[1]])
    let agency = try Agency()
    let note = try agency.clerk.sign(
      ["lapel/recipients v1", "version 4", "issued \(Agency.issued)"] + both.map { "recipient \($0)" })
    #expect(throws: EvidenceError.self) { try RecipientsNote(parsing: note, roles: agency.rolesNote) }
  }

  @Test("Every small-order point of Curve25519 is refused as a recipient")
  func weakRecipients() throws {
    let points = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ]
    for point in points {
      let bytes = try #require(Hexadecimal.decode(point))
      #expect(throws: EvidenceError.self, "\(point)") { try Recipient(publicKey: bytes) }
    }
  }

  @Test("A list has 1 to 16 different recipients")
  func list() throws {
    let one = try Recipient(Self.known)
    #expect(throws: EvidenceError.self) { try RecipientList([]) }
    #expect(throws: EvidenceError.self) { try RecipientList([one, one]) }
    let many = try (0..<17).map { try Recipient(publicKey: [UInt8(9 + $0)] + [UInt8](repeating: 5, count: 31)) }
    #expect(throws: EvidenceError.self) { try RecipientList(many) }
    #expect(try RecipientList(Array(many.prefix(16))).recipients.count == 16)
  }

  @Test("Every encoding of a small-order point, and any coordinate not below p, is refused as an Ed25519 key")
  func weakKeys() throws {
    let coordinates = [
      "00" + String(repeating: "00", count: 31), "01" + String(repeating: "00", count: 31),
      "ec" + String(repeating: "ff", count: 30) + "7f", "ed" + String(repeating: "ff", count: 30) + "7f",
      "ee" + String(repeating: "ff", count: 30) + "7f", "ff" + String(repeating: "ff", count: 30) + "7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ]
    for text in coordinates {
      var bytes = try #require(Hexadecimal.decode(text))
      #expect(throws: EvidenceError.self, "\(text)") { try SigningPublicKey(bytes) }
      bytes[31] |= 0x80
      #expect(throws: EvidenceError.self, "\(text) with its sign") { try SigningPublicKey(bytes) }
    }
  }

  @Test("RFC 8032's first vector signs as it must, and S + L is refused")
  func ed25519() throws {
    let seed = try #require(
      Hexadecimal.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    let signer = try DeviceSigner(seed: seed)
    let expected =
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    let signature = try signer.signature(over: [])
    #expect(Hexadecimal.encode(signature) == expected)
    // L, little-endian; S + L is the same number modulo L.
    let order = try #require(
      Hexadecimal.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"))
    var malleable = signature
    var carry = 0
    for index in 0..<32 {
      let sum = Int(signature[32 + index]) + Int(order[index]) + carry
      malleable[32 + index] = UInt8(sum & 255)
      carry = sum >> 8
    }
    #expect(!signer.identity.publicKey.verifies(malleable, over: []))
    #expect(signer.identity.publicKey.verifies(signature, over: []))
  }

  @Test("A source that repeats itself gives no value twice, and the device secret alone changes all of them")
  func hedged() throws {
    func draws(_ secret: [UInt8]) throws -> [[UInt8]] {
      var randomness = HedgedRandomness(
        source: { $0.initializeMemory(as: UInt8.self, repeating: 1) }, deviceSecret: secret, id: nil, counter: 1)
      return try [
        randomness.bytes(32, for: .rangeSalt, segment: 0), randomness.bytes(32, for: .rangeSalt, segment: 0),
        randomness.bytes(32, for: .rangeSalt, segment: 1), randomness.bytes(32, for: .initSalt, segment: 1),
      ]
    }
    let first = try draws([1])
    let second = try draws([2])
    #expect(Set(first + second).count == 8)
  }

  @Test("A digest and an authentication code lie in 32 bytes that wiping overwrites")
  func wiping() {
    var digest = SHA3_256.hash(data: [1, 2, 3])
    SecretBytes.wipe(&digest)
    #expect(digest.allSatisfy { $0 == 0 } && Array(digest).count == 32)
    var code = HMAC<SHA256>.authenticationCode(for: [1], using: SymmetricKey(size: .bits256))
    SecretBytes.wipe(&code)
    #expect(code.allSatisfy { $0 == 0 })
  }

  @Test("A secret key in the place of a recipient is never printed, however it is spelled")
  func secretKey() {
    let secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
    for text in [secret, secret.lowercased(), "  " + secret, "\t" + secret.lowercased()] {
      let error = #expect(throws: EvidenceError.self) { try Recipient(text) }
      #expect(error?.description.lowercased().contains("qqqq") == false)
    }
  }

  @Test("The X25519 half of a post-quantum stanza is hedged too, and its other half is fresh each time")
  func hedgedPostQuantum() throws {
    let list = try RecipientList([VectorTests.postQuantumRecipient()])
    func share(_ secret: [UInt8]) throws -> (lattice: ArraySlice<UInt8>, share: ArraySlice<UInt8>) {
      let randomness = HedgedRandomness(
        source: { $0.initializeMemory(as: UInt8.self, repeating: 1) }, deviceSecret: secret, id: nil, counter: 1)
      let stream = try SegmentStream(segment: 0, recipients: list, randomness: randomness)
      let stanza = try #require(AgeHeader(parsing: stream.header).stanzas.first)
      #expect(stanza.type == "mlkem768x25519" && stanza.arguments.count == 2 && stanza.body.count == 32)
      let encapsulated = try #require(Base64.decode(stanza.arguments[1].utf8, .raw))
      #expect(encapsulated.count == 1_120)
      return (encapsulated.prefix(1_088), encapsulated.suffix(32))
    }
    let (one, again, other) = (try share([1]), try share([1]), try share([2]))
    #expect(one.share == again.share && one.share != other.share)
    #expect(one.lattice != again.lattice)
  }

  @Test("When the source fails nothing is sealed")
  func noRandomness() throws {
    struct Broken: Error {}
    let randomness = HedgedRandomness(source: { _ in throw Broken() }, deviceSecret: [], id: nil, counter: 1)
    let list = try RecipientList([Recipient(Self.known)])
    #expect { _ = try SegmentStream(segment: 0, recipients: list, randomness: randomness) } throws: {
      ($0 as? EvidenceError)?.code == .randomness
    }
  }
}
