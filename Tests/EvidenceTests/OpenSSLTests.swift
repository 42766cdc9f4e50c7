import Foundation
import Testing

@testable import Evidence

@Suite("Signatures and the stock openssl command")
struct OpenSSLTests {
  /// A SubjectPublicKeyInfo of an Ed25519 key (RFC 8410).
  private func pem(_ key: [UInt8]) -> [UInt8] {
    let info = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00] + key
    return Array("-----BEGIN PUBLIC KEY-----\n\(Base64.encode(info, .padded))\n-----END PUBLIC KEY-----\n".utf8)
  }

  private func verify(_ key: [UInt8], _ message: [UInt8], _ signature: [UInt8]) throws {
    let scratch = try ScratchDirectory()
    try run([
      "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", scratch.write("key.pem", pem(key)), "-rawin", "-in",
      scratch.write("message", message), "-sigfile", scratch.write("signature", signature),
    ])
  }

  @Test("Every line of a journal verifies with openssl under the key in OPEN, and OPEN and CLOSE under the device key")
  func journal() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record()
    let lines = try made.lines.map { try JournalLine(parsing: $0) }
    let key = try #require(lines[0].bytes("pub"))
    for line in lines {
      try verify(key, Array("LAPEL1 journal\n\(made.id)\n".utf8) + line.signedBytes, line.signature)
      if let signature = line.deviceSignature {
        let message = Array("LAPEL1 device-key\n\(made.id)\n".utf8) + line.deviceSignedBytes
        try verify(agency.device.identity.publicKey.bytes, message, signature)
      }
    }
    #expect(lines.map(\.type) == ["OPEN", "SEG", "CKPT", "ENDSEG", "CLOSE"])
    #expect(lines.filter { $0.deviceSignature != nil }.map(\.type) == ["OPEN", "CLOSE"])
  }

  @Test("The chain is plain SHA-256 over the lines, from the genesis of the recording's id")
  func chain() throws {
    let made = try TestCamera(Agency()).record()
    let scratch = try ScratchDirectory()
    var previous = Array("LAPEL1 genesis\n\(made.id)".utf8)
    for bytes in made.lines {
      let digest = try run(["openssl", "dgst", "-sha256", "-binary", scratch.write("line", previous)])
      #expect(try JournalLine(parsing: bytes).previous.bytes == digest)
      previous = bytes
    }
  }

  @Test("A device log's lines verify with openssl under the device key")
  func deviceLog() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    _ = try camera.record()
    for bytes in camera.logBytes.split(separator: 10) {
      let line = try JournalLine(parsing: bytes + [10])
      let message = Array("LAPEL1 device-log\n\(agency.device.identity.id)\n".utf8) + line.signedBytes
      try verify(agency.device.identity.publicKey.bytes, message, line.signature)
    }
  }
}
